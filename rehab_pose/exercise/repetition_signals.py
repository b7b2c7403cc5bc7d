"""Scalar signals whose cycles are the repetitions of the exercises.

Chosen on KIMORE: each has one cycle per repetition for all of its subjects and is flat otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.catalogue import ARM_LIFTING, LATERAL_TRUNK_TILT, PELVIS_ROTATION, SQUAT, TRUNK_ROTATION
from rehab_pose.exercise.window_features import FEATURE_INDEX, body_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SIGNALS", "SignalSpec", "arm_elevations", "body_axes", "signal_values"]


@dataclass(frozen=True)
class SignalSpec:
    """The signal that is counted for an exercise."""

    name: str
    """Name of the signal, which ends in its unit."""
    minimum_range: float
    """Smallest rise (one-sided) or swing from side to side (two-sided) that counts, in the signal's unit."""
    two_sided: bool
    """True: a repetition goes to one side and then to the other. False: from rest to a maximum and back."""


SIGNALS = {
    ARM_LIFTING: SignalSpec("arm_elevation_rad", 0.6, two_sided=False),
    LATERAL_TRUNK_TILT: SignalSpec("trunk_lateral_tilt_rad", 0.12, two_sided=True),
    TRUNK_ROTATION: SignalSpec("shoulder_yaw_rad", 0.30, two_sided=True),
    PELVIS_ROTATION: SignalSpec("pelvis_sway_m", 0.035, two_sided=True),
    SQUAT: SignalSpec("pelvis_drop_m", 0.07, two_sided=False),
}
"""Signal by exercise; the smallest ranges are about a quarter of the median range in KIMORE's healthy group."""


def body_axes(positions_m: NDArray[Any], up: NDArray[Any]) -> NDArray[np.float64]:
    """Return the axes of the body frame (3, 3) of samples (T, J, 3) [m]: rows left, up, front in the optical frame."""
    rotations, _, _ = body_frames(np.asarray(positions_m, dtype=np.float64)[None], np.asarray(up)[None])
    return np.asarray(rotations[0], dtype=np.float64)


def arm_elevations(positions_m: NDArray[Any], axes: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the elevation of the left and of the right arm (T) [rad] of FEATURE_JOINTS (T, J, 3) [m]; 0 = hanging."""
    angles = []
    for side in ("left", "right"):
        arm = positions_m[:, FEATURE_INDEX[f"{side}_wrist"]] - positions_m[:, FEATURE_INDEX[f"{side}_shoulder"]]
        angles.append(np.arctan2(np.linalg.norm(arm - (arm @ axes[1])[:, None] * axes[1], axis=-1), -(arm @ axes[1])))
    return angles[0], angles[1]


def _arm_elevation(positions_m: NDArray[Any], axes: NDArray[Any]) -> NDArray[np.float64]:
    left, right = arm_elevations(positions_m, axes)
    both = 0.5 * (left + right)
    return np.asarray(np.where(np.isfinite(both), both, np.where(np.isfinite(left), left, right)))


def _averaged_with_pair(centre: NDArray[np.float64], points: NDArray[np.float64], pair: str) -> NDArray[np.float64]:
    """Return the mean of a joint and the midpoint of a pair (T, 3), which is less noisy; else the joint."""
    middle = 0.5 * (points[:, FEATURE_INDEX[f"left_{pair}"]] + points[:, FEATURE_INDEX[f"right_{pair}"]])
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
    pelvis = points[:, FEATURE_INDEX["pelvis"]]
    hips = _averaged_with_pair(pelvis, points, "hip")
    if label == ARM_LIFTING:
        return _arm_elevation(points, axes)
    if label == LATERAL_TRUNK_TILT:
        trunk = _averaged_with_pair(points[:, FEATURE_INDEX["neck"]], points, "shoulder") - hips
        return np.asarray(np.arctan2(trunk @ axes[0], trunk @ axes[1]))
    if label == TRUNK_ROTATION:
        across = points[:, FEATURE_INDEX["left_shoulder"]] - points[:, FEATURE_INDEX["right_shoulder"]]
        # Positive: towards the person's left.
        return np.asarray(np.arctan2(-(across @ axes[2]), across @ axes[0]))
    if label == PELVIS_ROTATION:
        return np.asarray(hips @ axes[0])
    return np.asarray(-(pelvis @ axes[1]))
