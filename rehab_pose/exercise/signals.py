"""One number a frame whose cycles are the repetitions of an exercise.

Chosen by looking at KIMORE: each rises and falls once a repetition, whoever does it, and stays flat otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.catalogue import ARM_LIFTING, LATERAL_TRUNK_TILT, PELVIS_ROTATION, SQUAT, TRUNK_ROTATION
from rehab_pose.exercise.features import FEATURE_PLACE, body_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SIGNALS", "SignalSpec", "arm_elevations", "body_axes", "signal_values"]


@dataclass(frozen=True)
class SignalSpec:
    """What is counted for an exercise."""

    name: str
    """Ends in the unit."""
    minimum_range: float
    """The smallest rise (one-sided) or swing from side to side (two-sided) that counts, in the signal's unit."""
    two_sided: bool
    """True: one repetition goes to one side and then to the other. False: away from rest and back."""


SIGNALS = {
    ARM_LIFTING: SignalSpec("arm_elevation_rad", 0.6, two_sided=False),
    LATERAL_TRUNK_TILT: SignalSpec("trunk_lateral_tilt_rad", 0.12, two_sided=True),
    TRUNK_ROTATION: SignalSpec("shoulder_yaw_rad", 0.30, two_sided=True),
    PELVIS_ROTATION: SignalSpec("pelvis_sway_m", 0.035, two_sided=True),
    SQUAT: SignalSpec("pelvis_drop_m", 0.07, two_sided=False),
}
"""The ranges are about a quarter of the median range in KIMORE's healthy group."""


def body_axes(positions_m: NDArray[Any], up: NDArray[Any]) -> NDArray[np.float64]:
    """Return the person's left, up and front (3, 3) as unit rows in the optical frame, from samples (T, J, 3) [m]."""
    rotations, _, _ = body_frames(np.asarray(positions_m, dtype=np.float64)[None], np.asarray(up)[None])
    return np.asarray(rotations[0], dtype=np.float64)


def arm_elevations(positions_m: NDArray[Any], axes: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the left and the right arm's elevation (T), (T) [rad], 0 hanging, of FEATURE_JOINTS (T, J, 3) [m]."""
    angles = []
    for side in ("left", "right"):
        arm = positions_m[:, FEATURE_PLACE[f"{side}_wrist"]] - positions_m[:, FEATURE_PLACE[f"{side}_shoulder"]]
        angles.append(np.arctan2(np.linalg.norm(arm - (arm @ axes[1])[:, None] * axes[1], axis=-1), -(arm @ axes[1])))
    return angles[0], angles[1]


def _arm_elevation(positions_m: NDArray[Any], axes: NDArray[Any]) -> NDArray[np.float64]:
    left, right = arm_elevations(positions_m, axes)
    both = 0.5 * (left + right)
    return np.asarray(np.where(np.isfinite(both), both, np.where(np.isfinite(left), left, right)))


def _steadied(centre: NDArray[np.float64], points: NDArray[np.float64], pair: str) -> NDArray[np.float64]:
    """Return the mean of a joint and the middle of its pair (T, 3), which errs less; the joint where one is missing."""
    middle = 0.5 * (points[:, FEATURE_PLACE[f"left_{pair}"]] + points[:, FEATURE_PLACE[f"right_{pair}"]])
    return np.asarray(np.where(np.isfinite(middle), 0.5 * (centre + middle), centre))


def signal_values(label: str, positions_m: NDArray[Any], axes: NDArray[Any]) -> NDArray[np.float64]:
    """Return the signal of an exercise.

    Args:
        label: One of the exercises.
        positions_m: (T, J, 3) FEATURE_JOINTS in the optical frame [m]; NaN = missing.
        axes: (3, 3) rows: the person's left, up, front.

    Returns:
        (T) in the unit that the signal's name ends in; NaN where its joints are missing.
    """
    points = np.asarray(positions_m, dtype=np.float64)
    pelvis = points[:, FEATURE_PLACE["pelvis"]]
    hips = _steadied(pelvis, points, "hip")
    if label == ARM_LIFTING:
        return _arm_elevation(points, axes)
    if label == LATERAL_TRUNK_TILT:
        trunk = _steadied(points[:, FEATURE_PLACE["neck"]], points, "shoulder") - hips
        return np.asarray(np.arctan2(trunk @ axes[0], trunk @ axes[1]))
    if label == TRUNK_ROTATION:
        across = points[:, FEATURE_PLACE["left_shoulder"]] - points[:, FEATURE_PLACE["right_shoulder"]]
        # Positive: towards the person's left.
        return np.asarray(np.arctan2(-(across @ axes[2]), across @ axes[0]))
    if label == PELVIS_ROTATION:
        return np.asarray(hips @ axes[0])
    return np.asarray(-(pelvis @ axes[1]))
