"""Visibility and confidence of joints from their positions, their errors and the person's silhouette."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import JointVisibility

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Silhouette

__all__ = ["joint_confidence", "joint_visibility"]

CONFIDENT_SIGMA_M = 0.12
"""Standard deviation at which the confidence of a joint is 1/e: about half the length of a forearm [m]."""
OCCLUDED_CONFIDENCE = 0.5
"""Factor of the confidence of an occluded joint."""
OUTSIDE_CONFIDENCE = 0.2
"""Factor of the confidence of a joint outside the image."""
OCCLUDER_GAP_M = 0.30
"""A surface more than this in front of a joint centre is not that of the body part: it occludes the joint [m]."""


def joint_confidence(sigma_m: NDArray[np.float64], visibility: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the confidence (J), 0-1, of joints with standard deviations (J) [m] and `JointVisibility` (J)."""
    confidence = np.exp(-sigma_m / CONFIDENT_SIGMA_M)
    confidence[visibility == JointVisibility.OCCLUDED] *= OCCLUDED_CONFIDENCE
    confidence[visibility == JointVisibility.PREDICTED] *= OUTSIDE_CONFIDENCE
    confidence[visibility == JointVisibility.MISSING] = 0.0
    return confidence


def joint_visibility(positions_m: NDArray[np.float64], silhouette: Silhouette) -> NDArray[np.uint8]:
    """Return the `JointVisibility` (J) of joints (J, 3) [m]: observed, occluded, outside the image, or missing."""
    visibility = np.full(len(positions_m), JointVisibility.OBSERVED, dtype=np.uint8)
    pixels = silhouette.intrinsics.project(positions_m)
    is_finite = np.isfinite(pixels).all(axis=1)
    column = np.floor(np.where(is_finite, pixels[:, 0], -1.0) + 0.5).astype(np.intp)
    row = np.floor(np.where(is_finite, pixels[:, 1], -1.0) + 0.5).astype(np.intp)
    in_image = (
        (column >= 0) & (column < silhouette.intrinsics.width_px) & (row >= 0) & (row < silhouette.intrinsics.height_px)
    )
    x, y, width, height = silhouette.box_px
    local_column, local_row = column - x, row - y
    in_box = (local_column >= 0) & (local_column < width) & (local_row >= 0) & (local_row < height)
    surface_m = silhouette.depth_m[np.clip(local_row, 0, height - 1), np.clip(local_column, 0, width - 1)]
    with np.errstate(invalid="ignore"):
        hidden = ~in_box | (positions_m[:, 2] - surface_m > OCCLUDER_GAP_M)
    visibility[hidden] = JointVisibility.OCCLUDED
    visibility[~in_image] = JointVisibility.PREDICTED
    visibility[~is_finite] = JointVisibility.MISSING
    return visibility
