"""Movement of the person apart from that of the whole body as a rigid object, which a moving camera causes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.window_features import motion_range_m

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
        aligned_m = _aligned(aligned_m, mean_m, joints)
        mean_m = aligned_m.mean(axis=0)
    return float(motion_range_m(aligned_m[None])[0])


def _aligned(
    points_m: NDArray[np.float64], target_m: NDArray[np.float64], joints: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return samples (T, J, 3) moved rigidly so that some of the joints fit a target (J, 3) best (Kabsch 1976)."""
    source, target = points_m[:, joints], target_m[joints]
    source_centre, target_centre = source.mean(axis=1, keepdims=True), target.mean(axis=0)
    covariance = np.einsum("ji,tjk->tik", target - target_centre, source - source_centre)
    left, _, right = np.linalg.svd(covariance)
    left[:, :, 2] *= np.sign(np.linalg.det(left @ right))[:, None]
    return np.asarray((points_m - source_centre) @ (left @ right).transpose(0, 2, 1) + target_centre)
