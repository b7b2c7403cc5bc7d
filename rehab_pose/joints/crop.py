"""The network's view of a person: a square of fixed size in metres around the silhouette.

The same code cuts in training and at run time. A square of fixed metric size keeps limbs at one scale whatever the
distance, so lengths are something the network can learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Silhouette
    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["CROP_PX", "CROP_SIDE_M", "DEPTH_SCALE_M", "PersonCrop", "crop_box", "crop_person"]

CROP_PX = 128
CROP_SIDE_M = 2.4
"""A tall person with the arms overhead measures 2.3 m [m]."""
DEPTH_SCALE_M = 0.6
"""Depth relative to the person's median is divided by this before it is clipped to +-CLIP [m]."""
CLIP = 1.5
HEAD_ROOM_M = 0.15
"""Free space above a person whose legs leave the image [m]."""


@dataclass(frozen=True, eq=False)
class PersonCrop:
    """What the network sees, and how to get back to the camera."""

    encoded: NDArray[np.float32]
    """(2, CROP_PX, CROP_PX): clipped relative depth (0 outside), and 1 on the person where there is a return."""
    left_px: float
    top_px: float
    side_px: float
    """The square in the whole image [px]."""
    centre_depth_m: float

    def points_m(
        self, fractions: NDArray[np.float64], relative_depth: NDArray[np.float64], intrinsics: CameraIntrinsics
    ) -> NDArray[np.float64]:
        """Return camera points (J, 3) [m] of positions in the crop.

        Args:
            fractions: (J, 2) u, v in the square, 0-1.
            relative_depth: (J) depth behind the crop's centre depth in units of DEPTH_SCALE_M.
            intrinsics: The whole image's camera.
        """
        pixels = fractions * self.side_px + np.array([self.left_px, self.top_px]) - 0.5
        return intrinsics.back_project(pixels, self.centre_depth_m + relative_depth * DEPTH_SCALE_M)

    def targets(
        self, points_m: NDArray[np.float64], intrinsics: CameraIntrinsics
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (J, 2) fractions and (J) relative depths of camera points: the inverse of `points_m`."""
        pixels = intrinsics.project(points_m)
        fractions = (pixels + 0.5 - np.array([self.left_px, self.top_px])) / self.side_px
        return fractions, (points_m[:, 2] - self.centre_depth_m) / DEPTH_SCALE_M


def crop_person(silhouette: Silhouette) -> PersonCrop | None:
    """Cut the person out, or return None when the silhouette has no depth at all."""
    return crop_box(silhouette.depth_m, silhouette.box_px, silhouette.intrinsics)


def crop_box(
    depth_m: NDArray[np.float32], box_px: tuple[int, int, int, int], intrinsics: CameraIntrinsics
) -> PersonCrop | None:
    """Cut a person's depth (h, w) [m] over its box (NaN outside the person) into the network's square."""
    seen = np.isfinite(depth_m)
    if not seen.any():
        return None
    centre_depth_m = float(np.median(depth_m[seen]))
    x, y, width, height = box_px
    side_px = CROP_SIDE_M / centre_depth_m * (intrinsics.fx + intrinsics.fy) / 2.0
    # The median column stays on the trunk when one arm is stretched out.
    centre_column = x + float(np.median(np.nonzero(seen)[1])) + 0.5
    if y + height >= intrinsics.height_px - 2:
        # The legs leave the image: leave room below for where they are.
        centre_row = y - HEAD_ROOM_M / CROP_SIDE_M * side_px + side_px / 2.0
    else:
        centre_row = y + height / 2.0
    left_px, top_px = centre_column - side_px / 2.0, centre_row - side_px / 2.0
    # Output pixel (i + 0.5) / CROP_PX * side + left is the continuous position it samples.
    scale = side_px / CROP_PX
    columns = np.floor((np.arange(CROP_PX) + 0.5) * scale + left_px).astype(np.intp) - x
    rows = np.floor((np.arange(CROP_PX) + 0.5) * scale + top_px).astype(np.intp) - y
    row_ok, column_ok = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    sampled = depth_m[np.ix_(np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1))]
    sampled = np.where(row_ok[:, None] & column_ok[None, :], sampled, np.float32(np.nan))
    encoded = np.zeros((2, CROP_PX, CROP_PX), dtype=np.float32)
    valid = np.isfinite(sampled)
    relative = np.clip((sampled - np.float32(centre_depth_m)) / np.float32(DEPTH_SCALE_M), -CLIP, CLIP)
    encoded[0] = np.where(valid, relative, np.float32(0.0))
    encoded[1] = valid
    return PersonCrop(encoded, left_px, top_px, side_px, centre_depth_m)
