"""Measurements of one frame for the chain: points on segments, directions between points, orientations of segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rehab_pose.biomechanics.orientation_problem import OrientationTargets

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Observations", "points_observed", "row_count", "weighted"]

LINK_LENGTH_M = 0.3
"""Standard deviation of a direction [rad] is that of a keypoint [m] over this length [m]."""


class Observations(NamedTuple):
    """Measurements of one frame; weight 0 = missing."""

    point_joint: NDArray[np.int64]
    """(P) the joint whose segment carries each point."""
    point_offset_m: NDArray[np.float64]
    """(P, 3) from the joint, in the segment's axes [m]."""
    point_target_m: NDArray[np.float64]
    """(P, 3) measured position [m]."""
    point_weight: NDArray[np.float64]
    """(P) 1 / variance [1/m^2]."""
    link_points: NDArray[np.int64]
    """(D, 2) first and last point of each link."""
    link_target: NDArray[np.float64]
    """(D, 3) measured direction, unit vectors."""
    link_weight: NDArray[np.float64]
    """(D) 1 / variance [1/rad^2]."""
    orientations: OrientationTargets


def row_count(observed: Observations) -> float:
    """Return the number of independent measured values; a direction has two."""
    points, links = np.count_nonzero(observed.point_weight), np.count_nonzero(observed.link_weight)
    return 3.0 * points + 2.0 * links + 3.0 * np.count_nonzero(observed.orientations.weight)


def weighted(observed: Observations, sigma_m: float) -> Observations:
    """Return observations whose relative weights are multiplied by the keypoints' information 1 / sigma_m^2."""
    weight = 1.0 / sigma_m**2
    orientations = observed.orientations
    return observed._replace(
        point_weight=observed.point_weight * weight,
        link_weight=observed.link_weight * weight * LINK_LENGTH_M**2,
        orientations=orientations._replace(weight=orientations.weight * weight * LINK_LENGTH_M**2),
    )


def points_observed(
    joints: NDArray[np.int64], offsets_m: NDArray[np.float64], targets_m: NDArray[np.float64], weights: NDArray[Any]
) -> Observations:
    """Return observations of points only.

    Args:
        joints: (P) the joint whose segment carries each point.
        offsets_m: (P, 3) from the joint, in the segment's axes [m].
        targets_m: (P, 3) measured positions [m]; NaN = missing.
        weights: (P) relative weights.
    """
    visible = np.asarray(np.isfinite(targets_m).all(axis=1))
    return Observations(
        point_joint=joints,
        point_offset_m=offsets_m,
        point_target_m=np.where(visible[:, None], targets_m, 0.0),
        point_weight=np.where(visible, weights, 0.0),
        link_points=np.zeros((0, 2), dtype=np.int64),
        link_target=np.zeros((0, 3)),
        link_weight=np.zeros(0),
        orientations=OrientationTargets(np.zeros(0, dtype=np.int64), np.zeros((0, 3, 3)), np.zeros(0)),
    )
