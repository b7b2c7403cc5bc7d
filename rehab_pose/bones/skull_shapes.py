"""Shapes of skull and jaw, in the body's axes at rest, relative to the head joint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.bones.shapes import Shape, blob, joined, mirrored, smooth_path, tube

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["mandible", "skull"]

CRANIUM_CENTRE_M = np.array([0.0, 0.083, 0.010])
CRANIUM_RADII_M = np.array([0.069, 0.067, 0.084])
FACE_CENTRE_M = np.array([0.0, 0.042, 0.052])
FACE_RADII_M = np.array([0.047, 0.047, 0.042])
DENTS: tuple[tuple[tuple[float, float, float], tuple[float, float, float], float], ...] = (
    ((0.031, 0.055, 0.086), (-0.004, 0.0, -0.042), 0.0115),
    ((-0.031, 0.055, 0.086), (0.004, 0.0, -0.042), 0.0115),
    ((0.030, 0.075, 0.084), (0.0, 0.0, 0.006), 0.010),
    ((-0.030, 0.075, 0.084), (0.0, 0.0, 0.006), 0.010),
    ((0.005, 0.030, 0.094), (0.0, 0.0, -0.020), 0.0065),
    ((-0.005, 0.030, 0.094), (0.0, 0.0, -0.020), 0.0065),
    ((0.062, 0.066, 0.052), (-0.007, 0.0, 0.0), 0.020),
    ((-0.062, 0.066, 0.052), (0.007, 0.0, 0.0), 0.020),
    ((0.0, 0.075, -0.072), (0.0, 0.0, -0.005), 0.025),
    ((0.0, 0.016, 0.02), (0.0, 0.012, 0.0), 0.030),
)
"""Deviations of the cranium from an ellipsoid: place [m], shift [m], standard deviation of its Gaussian weight [m]; eye
sockets, brows, nose, temples, back, base."""


def skull(head_m: NDArray[Any], scale: float) -> Shape:
    """Return the cranium with eye sockets, the upper jaw with its teeth, nose, cheekbones and their arches.

    Args:
        head_m: (3) head joint [m].
        scale: Size of the person.
    """
    parts = []
    for shell in (
        blob(CRANIUM_CENTRE_M, CRANIUM_RADII_M, rotation=_tilt(-8.0), sides=42),
        blob(FACE_CENTRE_M, FACE_RADII_M, sides=30),
    ):
        vertices = shell.vertices_m.copy()
        for place, shift, reach in DENTS:
            near = np.exp(-0.5 * ((shell.vertices_m - place) ** 2).sum(axis=1) / reach**2)
            vertices += near[:, None] * np.array(shift)
        parts.append(Shape(vertices, shell.faces, shell.cores_m))
    gums = [[0, 0.024, 0.066], [0, 0.014, 0.070], [0, 0.005, 0.072], [0, 0.0, 0.072]]
    parts.append(tube(gums, [[0.026, 0.018], [0.026, 0.018], [0.023, 0.018], [0.021, 0.017]], sides=14))
    nose = smooth_path([[0, 0.066, 0.088], [0, 0.054, 0.098], [0, 0.044, 0.102]], 5)
    parts.append(tube(nose, [0.006, 0.006, 0.0055, 0.005, 0.004], sides=8))
    teeth = _arch(0.019, 0.030, 0.060, -0.003)
    parts.append(tube(teeth, np.repeat([[0.0055, 0.0042]], len(teeth), axis=0), wide=(0, 1, 0), sides=8))
    for side in (1.0, -1.0):
        mirror = np.array([side, 1.0, 1.0])
        cheek = smooth_path(
            np.array(
                [
                    [0.022, 0.026, 0.080],
                    [0.038, 0.030, 0.078],
                    [0.053, 0.036, 0.066],
                    [0.065, 0.038, 0.040],
                    [0.063, 0.040, 0.016],
                ]
            )
            * mirror,
            13,
        )
        height = np.interp(np.linspace(0, 1, 13), [0, 0.35, 0.6, 1], [0.008, 0.009, 0.0042, 0.0045])
        parts.append(tube(cheek, np.stack([height, 0.55 * height + 0.0012], axis=1), wide=(0, 1, 0), sides=8))
        orbit = smooth_path(
            np.array([[0.047, 0.038, 0.072], [0.0485, 0.056, 0.070], [0.043, 0.070, 0.076]]) * mirror, 6
        )
        parts.append(tube(orbit, np.full(6, 0.0042), sides=6))
        mastoid = np.array([[0.050, 0.03, -0.004], [0.052, 0.014, 0.002]]) * mirror
        parts.append(tube(smooth_path(mastoid, 4), [0.012, 0.011, 0.009, 0.006], sides=8))
    return _at(joined(parts), head_m, scale)


def mandible(head_m: NDArray[Any], scale: float) -> Shape:
    """Return the lower jaw: a horseshoe with two upright branches, their heads, and teeth."""
    body = smooth_path(
        [
            [0.046, -0.014, 0.026],
            [0.043, -0.026, 0.046],
            [0.033, -0.034, 0.072],
            [0.016, -0.038, 0.088],
            [0.0, -0.039, 0.092],
        ],
        11,
    )
    body = np.concatenate([body, (body * [-1.0, 1.0, 1.0])[-2::-1]])
    edge = np.abs(np.linspace(-1.0, 1.0, len(body)))
    parts = [
        tube(body, np.stack([0.0125 - 0.0015 * edge, np.full(len(body), 0.0052)], axis=1), wide=(0, 1, 0), sides=10)
    ]
    branch = smooth_path([[0.046, -0.016, 0.027], [0.049, 0.008, 0.020], [0.051, 0.026, 0.016]], 6)
    upright = joined(
        [
            tube(
                branch,
                [
                    (0.0040, 0.0150),
                    (0.0038, 0.0145),
                    (0.0036, 0.013),
                    (0.0036, 0.011),
                    (0.0042, 0.008),
                    (0.005, 0.0055),
                ],
                sides=10,
            ),
            tube(
                smooth_path([[0.047, 0.002, 0.034], [0.048, 0.026, 0.036]], 4), [0.005, 0.0045, 0.004, 0.0028], sides=8
            ),
        ]
    )
    parts += [upright, mirrored(upright)]
    teeth = _arch(0.018, 0.028, 0.056, -0.019)
    parts.append(tube(teeth, np.repeat([[0.0055, 0.0040]], len(teeth), axis=0), wide=(0, 1, 0), sides=8))
    return _at(joined(parts), head_m, scale)


def _arch(half_width_m: float, depth_m: float, back_m: float, height_m: float) -> NDArray[np.float64]:
    """Return a dental arch (n, 3) [m]: half an ellipse, open to the back."""
    angle = np.radians(np.linspace(-5.0, 185.0, 15))
    return np.stack([half_width_m * np.cos(angle), np.full(15, height_m), back_m + depth_m * np.sin(angle)], axis=1)


def _tilt(angle_deg: float) -> NDArray[np.float64]:
    """Return the rotation (3, 3) about x."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def _at(shape: Shape, origin_m: NDArray[Any], scale: float) -> Shape:
    """Return a shape, scaled and moved to an origin (3) [m]."""
    return Shape(origin_m + scale * shape.vertices_m, shape.faces, origin_m + scale * shape.cores_m)
