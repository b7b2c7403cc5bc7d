"""Shapes of the left arm's and leg's bones, in the body's axes at rest (arms sideways, palms down)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.bones.shapes import blob, joined, slab, smooth_path, tube

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.bones.fit import Skin
    from rehab_pose.bones.shapes import Shape

__all__ = ["clavicle", "femur", "fibula", "humerus", "patella", "radius", "scapula", "tibia", "ulna"]


def _line(start_m: NDArray[Any], end_m: NDArray[Any], shifts: object, scale: float) -> NDArray[np.float64]:
    """Return points (n, 3) [m] near a line.

    Args:
        start_m: (3) start of the line [m].
        end_m: (3) its end [m].
        shifts: (n, 4) fraction of the line, then x, y, z from there, for an average adult [m].
        scale: Size of the person.
    """
    rows = np.asarray(shifts, dtype=np.float64)
    return np.asarray(start_m + rows[:, :1] * (end_m - start_m) + scale * rows[:, 1:])


def femur(hip_m: NDArray[Any], knee_m: NDArray[Any], scale: float) -> Shape:
    """Return head, neck, both trochanters, the bowed shaft and two condyles."""
    s = scale
    shaft = smooth_path(
        _line(
            hip_m,
            knee_m,
            [
                [0.05, 0.038, 0, -0.004],
                [0.13, 0.036, 0, -0.004],
                [0.3, 0.026, 0, 0.002],
                [0.55, 0.014, 0, 0.004],
                [0.8, 0.004, 0, 0],
                [0.93, 0, 0, -0.002],
            ],
            s,
        ),
        18,
    )
    width = np.interp(
        np.linspace(0, 1, 18), [0, 0.08, 0.2, 0.6, 0.8, 0.93, 1], [0.013, 0.017, 0.0145, 0.0135, 0.016, 0.026, 0.033]
    )
    depth = np.interp(
        np.linspace(0, 1, 18), [0, 0.08, 0.2, 0.6, 0.85, 1], [0.014, 0.016, 0.0145, 0.0140, 0.0155, 0.017]
    )
    neck = smooth_path([hip_m, *_line(hip_m, knee_m, [[0.045, 0.018, 0.0, 0.0], [0.10, 0.037, 0, -0.003]], s)], 7)
    parts = [
        tube(shaft, s * np.stack([width, depth], axis=1), sides=14),
        blob(hip_m, 0.0225 * s, sides=16),
        tube(neck, s * np.array([0.016, 0.0155, 0.0145, 0.0145, 0.0155, 0.017, 0.018]), sides=12),
        blob(_line(hip_m, knee_m, [[0.045, 0.046, 0, -0.008]], s)[0], s * np.array([0.013, 0.021, 0.015])),
        blob(_line(hip_m, knee_m, [[0.155, 0.022, 0, -0.016]], s)[0], s * np.array([0.010, 0.013, 0.009]), sides=8),
    ]
    for side in (1.0, -1.0):
        place = _line(hip_m, knee_m, [[0.985, side * 0.022, 0.004, -0.006]], s)[0]
        parts.append(blob(place, s * np.array([0.0145, 0.0195, 0.0245])))
    return joined(parts)


def tibia(knee_m: NDArray[Any], ankle_m: NDArray[Any], scale: float) -> Shape:
    """Return the plateau, the shaft with its edge in front, the tubercle and the inner malleolus."""
    s = scale
    line = smooth_path(
        _line(
            knee_m,
            ankle_m,
            [
                [0.05, 0, 0, -0.002],
                [0.12, 0, 0, 0],
                [0.3, -0.002, 0, 0.004],
                [0.6, -0.004, 0, 0.003],
                [0.9, -0.003, 0, 0],
                [0.965, -0.001, 0, 0],
            ],
            s,
        ),
        18,
    )
    at = np.linspace(0, 1, 18)
    width = np.interp(at, [0, 0.04, 0.12, 0.25, 0.7, 0.92, 1], [0.034, 0.035, 0.024, 0.0145, 0.0115, 0.0155, 0.019])
    depth = np.interp(at, [0, 0.04, 0.12, 0.25, 0.7, 0.92, 1], [0.021, 0.022, 0.020, 0.0155, 0.0115, 0.0135, 0.016])
    parts = [
        tube(line, s * np.stack([width, depth], axis=1), sides=14),
        blob(_line(knee_m, ankle_m, [[0.115, 0, 0, 0.019]], s)[0], s * np.array([0.009, 0.016, 0.008]), sides=8),
        tube(
            smooth_path(_line(knee_m, ankle_m, [[0.95, -0.017, 0, 0.0], [1.012, -0.021, 0, 0.0]], s), 4),
            s * np.array([0.009, 0.0085, 0.0075, 0.006]),
            sides=8,
        ),
    ]
    return joined(parts)


def fibula(start_m: NDArray[Any], end_m: NDArray[Any], scale: float) -> Shape:
    """Return head, slender shaft and outer malleolus."""
    line = smooth_path(
        _line(start_m, end_m, [[0, 0, 0, 0], [0.3, -0.003, 0, -0.004], [0.7, -0.003, 0, -0.003], [1, 0, 0, 0]], scale),
        18,
    )
    size = np.interp(
        np.linspace(0, 1, 18), [0, 0.05, 0.12, 0.85, 0.95, 1], [0.0105, 0.0105, 0.0062, 0.0062, 0.0095, 0.0075]
    )
    return tube(line, scale * size, sides=10)


def patella(start_m: NDArray[Any], end_m: NDArray[Any], scale: float) -> Shape:
    """Return the kneecap."""
    middle = 0.5 * (start_m + end_m)
    return joined([blob(middle, scale * np.array([0.020, 0.020, 0.0085]), sides=12)])


def clavicle(start_m: NDArray[Any], end_m: NDArray[Any], scale: float, skin: Skin) -> Shape:
    """Return the S-shaped clavicle, bowed forwards near the sternum and backwards near the shoulder."""
    line = smooth_path(
        _line(
            start_m,
            end_m,
            [[0.02, 0, 0, 0], [0.3, 0, 0, 0.008], [0.6, 0, 0, -0.002], [0.82, 0, 0, -0.010], [0.97, 0, 0, -0.003]],
            scale,
        ),
        16,
    )
    size = np.interp(np.linspace(0, 1, 16), [0, 0.12, 0.5, 0.85, 1], [0.0105, 0.0085, 0.0062, 0.0075, 0.0085])
    flat = np.interp(np.linspace(0, 1, 16), [0, 0.5, 1], [1.0, 1.0, 0.6])
    line = skin.settle(line, 0.013 * scale)
    return tube(line, scale * np.stack([size, size * flat], axis=1), wide=(0, 0, 1), sides=10)


def scapula(shoulder_m: NDArray[Any], scale: float) -> Shape:
    """Return the blade, its spine with the acromion, the socket and the coracoid process."""
    s = scale

    def at(points: object) -> NDArray[np.float64]:
        return np.asarray(shoulder_m + s * np.array(points))

    inner = smooth_path(
        [[-0.088, 0.016, -0.056], [-0.103, -0.012, -0.066], [-0.101, -0.062, -0.072], [-0.088, -0.124, -0.070]], 10
    )
    outer = smooth_path(
        [[-0.052, 0.016, -0.042], [-0.030, -0.008, -0.026], [-0.044, -0.052, -0.042], [-0.078, -0.122, -0.067]], 10
    )
    fraction = np.linspace(0.0, 1.0, 6)[None, :, None]
    blade = (1.0 - fraction) * inner[:, None] + fraction * outer[:, None]
    blade[..., 2] -= 0.005 * np.sin(np.pi * fraction[..., 0])
    thickness = np.full((10, 6), 0.0022)
    thickness[:, -1], thickness[:, 0] = 0.0050, 0.0030
    spine = smooth_path(
        [
            [-0.101, -0.018, -0.069],
            [-0.070, -0.002, -0.070],
            [-0.036, 0.016, -0.058],
            [-0.008, 0.027, -0.034],
            [0.006, 0.028, -0.010],
        ],
        14,
    )
    high = np.interp(np.linspace(0, 1, 14), [0, 0.3, 0.7, 1], [0.0035, 0.0060, 0.0075, 0.0095])
    hook = smooth_path(
        [[-0.030, 0.006, -0.010], [-0.034, 0.020, 0.004], [-0.026, 0.018, 0.018], [-0.014, 0.012, 0.024]], 8
    )
    return joined(
        [
            slab(at(blade), s * thickness),
            tube(at(outer), s * 0.0055 * np.ones(10), sides=8),
            tube(at(inner), s * 0.0034 * np.ones(10), sides=6),
            tube(at(spine), s * np.stack([high, np.full(14, 0.0045)], axis=1), wide=(0.3, 0.3, -1), sides=8),
            blob(at([-0.026, -0.003, -0.010]), s * np.array([0.0075, 0.0175, 0.0130])),
            tube(at(hook), s * np.linspace(0.0075, 0.0055, 8), sides=8),
        ]
    )


def humerus(shoulder_m: NDArray[Any], elbow_m: NDArray[Any], scale: float) -> Shape:
    """Return head, tubercles, shaft, epicondyles and the roller of the elbow."""
    s = scale
    line = smooth_path(
        _line(
            shoulder_m,
            elbow_m,
            [[0.03, 0.004, 0.002, 0], [0.12, 0, 0.003, 0], [0.4, 0, 0.002, 0], [0.8, 0, 0, 0], [0.96, 0, 0, 0.002]],
            s,
        ),
        20,
    )
    at = np.linspace(0, 1, 20)
    tall = np.interp(at, [0, 0.1, 0.25, 0.75, 0.9, 1], [0.020, 0.0155, 0.0115, 0.0105, 0.0175, 0.0215])
    deep = np.interp(at, [0, 0.1, 0.25, 0.75, 0.9, 1], [0.019, 0.0150, 0.0112, 0.0095, 0.0080, 0.0085])
    return joined(
        [
            tube(line, s * np.stack([tall, deep], axis=1), wide=(0, 1, 0), sides=12),
            blob(shoulder_m, 0.0215 * s, sides=16),
            blob(
                _line(shoulder_m, elbow_m, [[0.05, 0.004, 0.012, 0.006]], s)[0],
                s * np.array([0.016, 0.010, 0.011]),
                sides=8,
            ),
            tube(
                _line(
                    shoulder_m,
                    elbow_m,
                    [
                        [1.0, -0.002, -0.018, 0],
                        [1.0, -0.002, -0.009, 0],
                        [1.0, -0.002, -0.002, 0],
                        [1.0, -0.002, 0.009, 0],
                        [1.0, -0.002, 0.017, 0],
                    ],
                    s,
                ),
                s * np.array([0.0105, 0.0092, 0.0080, 0.0092, 0.0085]),
                sides=10,
            ),
        ]
    )


def radius(start_m: NDArray[Any], end_m: NDArray[Any], scale: float) -> Shape:
    """Return the round head, the tuberosity, the bowed shaft and the broad lower end."""
    s = scale
    line = smooth_path(
        _line(
            start_m,
            end_m,
            [[0, 0, 0, 0], [0.07, 0, 0, 0], [0.4, 0, 0.001, 0.007], [0.75, 0, 0, 0.005], [0.975, 0, 0, 0]],
            s,
        ),
        18,
    )
    at = np.linspace(0, 1, 18)
    wide = np.interp(at, [0, 0.03, 0.08, 0.15, 0.7, 0.9, 1], [0.0092, 0.0098, 0.0066, 0.0075, 0.0076, 0.0115, 0.0135])
    flat = np.interp(at, [0, 0.03, 0.08, 0.15, 0.7, 0.9, 1], [0.0092, 0.0098, 0.0066, 0.0075, 0.0062, 0.0075, 0.0085])
    return joined([tube(line, s * np.stack([wide, flat], axis=1), wide=(0, 0, 1), sides=10)])


def ulna(start_m: NDArray[Any], end_m: NDArray[Any], scale: float) -> Shape:
    """Return the olecranon, the hook in front of it, the tapering shaft and the small head."""
    s = scale
    line = smooth_path(
        _line(
            start_m,
            end_m,
            [
                [-0.03, 0, 0, -0.008],
                [0.04, 0, 0, -0.008],
                [0.12, 0, 0, -0.004],
                [0.4, 0, 0, -0.004],
                [0.8, 0, 0, -0.001],
                [0.975, 0, 0, 0],
            ],
            s,
        ),
        20,
    )
    size = np.interp(
        np.linspace(0, 1, 20),
        [0, 0.08, 0.2, 0.5, 0.88, 0.95, 1],
        [0.0098, 0.0110, 0.0092, 0.0072, 0.0056, 0.0080, 0.0075],
    )
    hook = smooth_path(_line(start_m, end_m, [[0.045, 0, 0, -0.006], [0.06, 0, 0.001, 0.006]], s), 4)
    return joined(
        [
            tube(line, s * size, wide=(0, 1, 0), sides=10),
            tube(hook, s * np.array([0.010, 0.009, 0.008, 0.006]), sides=8),
        ]
    )
