"""The input of the joint network: a square crop of fixed metric size around the silhouette.

Training and run time share this code. The fixed metric size makes the scale of limbs independent of the distance, so
that the network can learn their lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Silhouette
    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["CROP_PX", "CROP_SIDE_M", "DEPTH_SCALE_M", "INPUT_NAME", "PersonCrop", "crop_box", "crop_person"]

INPUT_NAME = "crop"
"""Name of the network's input in the ONNX file."""
CROP_PX = 128
"""Width and height of the network's input [px]."""
CROP_SIDE_M = 2.4
"""Side of the square at the person's median depth [m]; a tall person with the arms overhead measures 2.3 m."""
DEPTH_SCALE_M = 0.6
"""Unit of the relative depth: depth minus the person's median is divided by this [m], then clipped to +-CLIP."""
CLIP = 1.5
"""Largest magnitude of the scaled relative depth."""
HEAD_ROOM_M = 0.15
"""Free space above a person whose legs are outside the image [m]."""


@dataclass(frozen=True, eq=False)
class PersonCrop:
    """The network's input and the transform from the crop to the camera."""

    encoded: NDArray[np.float32]
    """(2, CROP_PX, CROP_PX): clipped relative depth (0 outside), and 1 on the person where there is a return."""
    left_px: float
    top_px: float
    side_px: float
    """Left, top and side of the square in the full image [px]."""
    centre_depth_m: float
    """Median depth of the person [m]."""

    def points_m(
        self, fractions: NDArray[np.float64], relative_depth: NDArray[np.float64], intrinsics: CameraIntrinsics
    ) -> NDArray[np.float64]:
        """Return the points (J, 3) [m] in the camera's frame of positions in the crop.

        Args:
            fractions: (J, 2) u, v in the square, 0-1.
            relative_depth: (J) depth relative to `centre_depth_m`, in units of DEPTH_SCALE_M.
            intrinsics: Camera of the full image.
        """
        pixels = fractions * self.side_px + np.array([self.left_px, self.top_px]) - 0.5
        return intrinsics.back_project(pixels, self.centre_depth_m + relative_depth * DEPTH_SCALE_M)


def crop_person(silhouette: Silhouette) -> PersonCrop | None:
    """Return the crop of a silhouette, None if it has no depth."""
    return crop_box(silhouette.depth_m, silhouette.box_px, silhouette.intrinsics)


def crop_box(
    depth_m: NDArray[np.float32], box_px: tuple[int, int, int, int], intrinsics: CameraIntrinsics
) -> PersonCrop | None:
    """Return the crop of a person, None if the person has no depth.

    Args:
        depth_m: (h, w) depth over the box [m], NaN outside the person and where there is no return.
        box_px: x, y, width, height of the box in the full image [px].
        intrinsics: Camera of the full image.
    """
    has_depth = np.isfinite(depth_m)
    if not has_depth.any():
        return None
    centre_depth_m = float(np.median(depth_m[has_depth]))
    x, y, width, height = box_px
    side_px = CROP_SIDE_M / centre_depth_m * (intrinsics.fx + intrinsics.fy) / 2.0
    # The median column is on the trunk also when one arm is stretched out.
    centre_column = x + float(np.median(np.nonzero(has_depth)[1])) + 0.5
    if y + height >= intrinsics.height_px - 2:
        # The legs are outside the image: the crop extends below the image to contain them.
        centre_row = y - HEAD_ROOM_M / CROP_SIDE_M * side_px + side_px / 2.0
    else:
        centre_row = y + height / 2.0
    left_px, top_px = centre_column - side_px / 2.0, centre_row - side_px / 2.0
    # Pixel i of the crop samples the continuous position (i + 0.5) / CROP_PX * side + left.
    scale = side_px / CROP_PX
    columns = np.floor((np.arange(CROP_PX) + 0.5) * scale + left_px).astype(np.intp) - x
    rows = np.floor((np.arange(CROP_PX) + 0.5) * scale + top_px).astype(np.intp) - y
    in_rows, in_columns = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    sampled = depth_m[np.ix_(np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1))]
    sampled = np.where(in_rows[:, None] & in_columns[None, :], sampled, np.float32(np.nan))
    encoded = np.zeros((2, CROP_PX, CROP_PX), dtype=np.float32)
    valid = np.isfinite(sampled)
    relative = np.clip((sampled - np.float32(centre_depth_m)) / np.float32(DEPTH_SCALE_M), -CLIP, CLIP)
    encoded[0] = np.where(valid, relative, np.float32(0.0))
    encoded[1] = valid
    return PersonCrop(encoded, left_px, top_px, side_px, centre_depth_m)
