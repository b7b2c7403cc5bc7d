"""Shapes of the left hand and foot: small bones of wrist and ankle, and five rays each."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.bones.shapes import blob, joined, smooth_path, tube

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.bones.fit import Skin
    from rehab_pose.bones.shapes import Shape

__all__ = ["foot", "hand"]

PALM_M, SOLE_M = 0.105, 0.141
"""Distance from wrist to knuckles, and from ankle to ball of the foot, of the person of the sizes below [m]."""
PALM_DEPTH_M, SOLE_DEPTH_M = 0.0055, 0.007
"""Least depth of the rays under the skin [m]."""
CARPALS = (
    (0.07, 0.000, 0.012), (0.06, 0.001, -0.002), (0.09, 0.000, -0.014), (0.08, -0.006, -0.015),
    (0.20, 0.000, 0.019), (0.22, 0.001, 0.009), (0.22, 0.002, -0.002), (0.21, 0.000, -0.013),
)  # fmt: skip
"""Scaphoid, lunate, triquetrum, pisiform; trapezium, trapezoid, capitate, hamate: fraction of the palm, up [m], front
[m]."""
FINGERS = (
    ((0.31, 0.001, 0.012), (0.96, 0.001, 0.024), (0.039, 0.023, 0.017)),
    ((0.32, 0.002, 0.003), (1.00, 0.001, 0.006), (0.043, 0.027, 0.018)),
    ((0.31, 0.001, -0.007), (0.95, -0.003, -0.011), (0.040, 0.026, 0.018)),
    ((0.30, -0.001, -0.015), (0.86, -0.010, -0.026), (0.031, 0.019, 0.016)),
)
"""Index to little finger: ends of the metacarpal (fraction of the palm, up [m], front [m]), lengths of the phalanges
[m]."""
FINGER_BEND_RAD = (0.18, 0.2, 0.2)
"""Angle of each phalanx relative to the one before it in a relaxed hand [rad]."""
THUMB = ((0.22, -0.004, 0.022), (0.48, -0.010, 0.052), (0.69, -0.013, 0.074), (0.83, -0.015, 0.089))
TOES = (
    ((0.52, 0.040, -0.016), (1.00, 0.016, -0.026), (0.027, 0.020), 0.0085),
    ((0.50, 0.042, -0.004), (1.04, 0.015, -0.008), (0.022, 0.011, 0.008), 0.0058),
    ((0.52, 0.038, 0.006), (1.00, 0.014, 0.006), (0.020, 0.010, 0.008), 0.0055),
    ((0.50, 0.033, 0.015), (0.93, 0.013, 0.019), (0.018, 0.009, 0.008), 0.0055),
    ((0.45, 0.026, 0.024), (0.85, 0.012, 0.030), (0.016, 0.008, 0.007), 0.0058),
)
"""Big to little toe: ends of the metatarsal (fraction of the sole, above the sole [m], outwards [m]), lengths of the
phalanges [m], half thickness [m]."""


def _ray(points_m: list[NDArray[np.float64]], thickness_m: float) -> list[Shape]:
    """Return the bones of a ray between successive points, with broad ends and slender middles."""
    parts = []
    waist = np.array([1.0, 0.78, 0.66, 0.72, 0.86])
    for order, (first, second) in enumerate(itertools.pairwise(points_m)):
        size = thickness_m * (1.0, 0.92, 0.80, 0.66)[order]
        fraction = np.array([0.13, 0.3, 0.52, 0.75, 0.9])[:, None]
        parts.append(tube((1.0 - fraction) * first + fraction * second, size * waist, wide=(0.31, 0.87, 0.38), sides=6))
    return parts


def _unit(vector: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector))


def hand(wrist_m: NDArray[Any], knuckles_m: NDArray[Any], skin: Skin) -> Shape:
    """Return eight carpals, five metacarpals and fourteen phalanges.

    Args:
        wrist_m: (3) wrist joint.
        knuckles_m: (3) SMPL's hand joint, at the knuckle of the middle finger.
        skin: The skin at rest.
    """
    along = knuckles_m - wrist_m
    s = float(np.linalg.norm(along)) / PALM_M
    forward = along / np.linalg.norm(along)
    up = np.array([0.0, 1.0, 0.0]) - forward[1] * forward
    up /= np.linalg.norm(up)
    front = np.cross(forward, up)

    def at(fraction: float, height_m: float, front_m: float) -> NDArray[np.float64]:
        return np.asarray(wrist_m + fraction * along + s * (height_m * up + front_m * front))

    parts = [blob(at(*place), s * np.array([0.0085, 0.0075, 0.0075]), sides=8) for place in CARPALS]
    taken: list[NDArray[np.float64]] = []
    for base, head, phalanges in FINGERS:
        points = [at(*base), at(*head)]
        points = list(skin.settle(np.array(points), PALM_DEPTH_M * s))
        step = _unit(points[1] - points[0])
        for length_m, bend in zip(phalanges, FINGER_BEND_RAD, strict=True):
            step = _unit(skin.aim(points[-1], s * length_m * _unit(step - bend * up), np.array(taken).reshape(-1, 3)))
            points.append(points[-1] + s * length_m * step)
        points[2:] = skin.settle(np.array(points[2:]), PALM_DEPTH_M * s)
        taken += [*points[2:], *(0.5 * (a + b) for a, b in itertools.pairwise(points[1:]))]
        parts += _ray(points, 0.0066 * s)
    thumb = [at(*place) for place in THUMB[:2]]
    for before, after in itertools.pairwise(THUMB[1:]):
        thumb.append(thumb[-1] + skin.aim(thumb[-1], at(*after) - at(*before), np.array(taken)))
    return joined([*parts, *_ray(list(skin.settle(np.array(thumb), PALM_DEPTH_M * s)), 0.0074 * s)])


def foot(ankle_m: NDArray[Any], ball_m: NDArray[Any], skin: Skin) -> Shape:
    """Return seven tarsals, five metatarsals and fourteen phalanges.

    Args:
        ankle_m: (3) ankle joint.
        ball_m: (3) SMPL's foot joint, at the ball of the foot.
        skin: The skin at rest.
    """
    along = (ball_m - ankle_m) * [1.0, 0.0, 1.0]
    s = float(np.linalg.norm(along)) / SOLE_M
    forward = along / np.linalg.norm(along)
    outward = np.cross(np.array([0.0, 1.0, 0.0]), forward)
    ground_m = ball_m[1] - 0.020 * s
    rise = (ankle_m[1] - ground_m) / (0.071 * s)

    def at(fraction: float, height_m: float, outward_m: float) -> NDArray[np.float64]:
        place = ankle_m + fraction * along + s * outward_m * outward
        place[1] = ground_m + s * height_m * (rise if fraction < 0.5 else 1.0)
        return np.asarray(place)

    heel = smooth_path(
        [at(-0.25, 0.025, 0.0), at(-0.1, 0.031, 0.001), at(0.08, 0.032, 0.006), at(0.24, 0.029, 0.012)], 9
    )
    sizes = np.stack(
        [
            np.interp(np.linspace(0, 1, 9), [0, 0.5, 1], [0.015, 0.0125, 0.0125]),
            np.interp(np.linspace(0, 1, 9), [0, 0.5, 1], [0.019, 0.015, 0.013]),
        ],
        axis=1,
    )
    axes = np.stack([outward, np.array([0.0, 1.0, 0.0]), forward], axis=1)
    parts = [
        tube(skin.settle(heel, 0.012 * s), s * sizes, wide=outward, sides=12),
        blob(at(0.02, 0.060, 0.0), s * np.array([0.0165, 0.012, 0.023]), rotation=axes),
        blob(at(0.20, 0.050, -0.008), s * np.array([0.013, 0.011, 0.013]), rotation=axes),
        blob(at(0.30, 0.046, -0.011), s * np.array([0.017, 0.011, 0.0075]), rotation=axes, sides=10),
        blob(at(0.35, 0.029, 0.016), s * np.array([0.0125, 0.011, 0.015]), rotation=axes, sides=10),
    ]
    parts += [
        blob(at(0.42, height, outside), s * np.array([wide, 0.010, 0.011]), rotation=axes, sides=10)
        for height, outside, wide in ((0.041, -0.018, 0.008), (0.044, -0.005, 0.007), (0.040, 0.006, 0.007))
    ]
    for base, head, phalanges, thickness in TOES:
        points = [at(*base), at(*head)]
        for length_m in phalanges:
            points.append(points[-1] + s * length_m * (forward - np.array([0.0, 0.12, 0.0])))
        parts += _ray(list(skin.settle(np.array(points), SOLE_DEPTH_M * s)), thickness * s)
    return joined(parts)
