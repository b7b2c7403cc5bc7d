"""Movement of the person apart from that of the whole body as a rigid object, which a moving camera causes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.window_features import motion_range_m
from rehab_pose.geometry.rotations import align_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["deformation_range_m"]

ROUNDS = 2
"""Rounds of aligning the samples to their mean; the second one moves them by less than the joints' noise."""
MIN_JOINTS = 6
"""A sample with fewer joints is left out; chosen by hand: half of the body."""


def deformation_range_m(positions_m: NDArray[Any]) -> float:
    """Return the range of movement of a window after each sample was moved rigidly onto the others [m].

    The person who keeps a posture before a moving camera has the range of the joints' noise, whatever the camera does.
    The range is that of `motion_range_m`.

    Args:
        positions_m: (T, J, 3) FEATURE_JOINTS in any frame, which may differ from sample to sample [m]; NaN = missing.

    Returns:
        The range [m]; infinite where too few joints are in common.
    """
    points_m = np.asarray(positions_m, dtype=np.float64)
    present = np.isfinite(points_m).all(axis=-1)  # (T, J)
    points_m = points_m[present.sum(axis=1) >= MIN_JOINTS]
    if len(points_m) < 3:
        return float("inf")
    joints = np.isfinite(points_m).all(axis=(0, 2))
    if joints.sum() < MIN_JOINTS:
        return float("inf")
    aligned_m, mean_m = points_m, points_m[len(points_m) // 2]
    for _ in range(ROUNDS):
        rotations, translations_m = align_points(points_m[:, joints], mean_m[joints])
        aligned_m = points_m @ np.swapaxes(rotations, -1, -2) + translations_m[:, None]
        mean_m = aligned_m.mean(axis=0)
    return float(motion_range_m(aligned_m[None])[0])
