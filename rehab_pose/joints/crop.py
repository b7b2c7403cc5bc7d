"""The input of the joint network: a square crop of fixed metric size around the silhouette, turned upright.

Training and run time share this code. The fixed metric size makes the scale of limbs independent of the distance, so
that the network can learn their lengths. The square is turned about its centre so that gravity points down in it: a
person looks the same to a camera that stands on its side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Silhouette
    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["CHANNELS", "CROP_PX", "CROP_SIDE_M", "DEPTH_SCALE_M", "INPUT_NAME", "PersonCrop", "crop_box", "crop_person"]

INPUT_NAME = "crop"
"""Name of the network's input in the ONNX file."""
CHANNELS = 3
"""Channels of the network's input."""
CROP_PX = 128
"""Width and height of the network's input [px]."""
CROP_SIDE_M = 2.4
"""Side of the square at the person's median depth [m]; a tall person with the arms overhead measures 2.3 m."""
DEPTH_SCALE_M = 0.6
"""Unit of relative depth and height: differences from the person's median are divided by this [m], then clipped."""
CLIP = 1.5
"""Largest magnitude of the scaled relative depth and height."""
HEAD_ROOM_M = 0.15
"""Free space above a person whose legs are outside the image [m]."""
BORDER_PX = 2
"""A person whose lowest pixel is within this distance of the image's border is cut off by it [px]."""
MAX_MEASURED_PX = 6400
"""Larger silhouettes are thinned to about this number of pixels before their medians and extent are measured [px]."""
MIN_UP_IN_IMAGE = 0.1
"""Smallest length of the part of `up` in the image plane that defines a direction; a camera that looks straight down
has none."""
UP_WITHOUT_GRAVITY = (0.0, -1.0, 0.0)
"""The direction up of an upright, level camera, used where gravity is unknown."""


@dataclass(frozen=True, eq=False)
class PersonCrop:
    """The network's input and the transform from the crop to the camera."""

    encoded: NDArray[np.float32]
    """(CHANNELS, CROP_PX, CROP_PX): clipped relative depth; 1 on the person where there is a return; clipped height
    relative to the person's median. 0 outside the person."""
    centre_px: NDArray[np.float64]
    """(2) x, y of the square's centre in the full image, from the image's left and top border [px]."""
    side_px: float
    """Side of the square in the full image [px]."""
    right: NDArray[np.float64]
    """(2) unit vector in the full image that the crop's rows run along."""
    down: NDArray[np.float64]
    """(2) unit vector in the full image that the crop's columns run along: the direction of gravity, where known."""
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
        across, along = (fractions - 0.5).T * self.side_px
        pixels = self.centre_px + across[:, None] * self.right + along[:, None] * self.down - 0.5
        return intrinsics.back_project(pixels, self.centre_depth_m + relative_depth * DEPTH_SCALE_M)


def crop_person(silhouette: Silhouette) -> PersonCrop | None:
    """Return the crop of a silhouette, None if it has no depth."""
    return crop_box(silhouette.depth_m, silhouette.box_px, silhouette.intrinsics, silhouette.up)


def crop_box(
    depth_m: NDArray[np.float32],
    box_px: tuple[int, int, int, int],
    intrinsics: CameraIntrinsics,
    up: NDArray[np.float64] | None = None,
) -> PersonCrop | None:
    """Return the crop of a person, None if the person has no depth.

    Args:
        depth_m: (h, w) depth over the box [m], NaN outside the person and where there is no return.
        box_px: x, y, width, height of the box in the full image [px].
        intrinsics: Camera of the full image.
        up: (3) unit vector against gravity in the camera's frame; None or NaN: unknown, the crop is not turned.
    """
    vertical = np.array(UP_WITHOUT_GRAVITY) if up is None or not np.isfinite(up).all() else np.array(up, dtype=float)
    right, down = _axes(vertical)
    x, y, width, height = box_px
    stride = max(1, int(np.sqrt(width * height / MAX_MEASURED_PX)))
    size = (float(intrinsics.width_px), float(intrinsics.height_px))
    measured = _measure(depth_m, (x, y), stride, (right, down), size)
    centre_depth_m, across, top, bottom, to_border = measured
    if not np.isfinite(centre_depth_m):
        return None
    side_px = CROP_SIDE_M / centre_depth_m * (intrinsics.fx + intrinsics.fy) / 2.0
    if to_border < BORDER_PX + 0.5 * stride:
        # The legs are outside the image: the crop extends beyond its border to contain them.
        middle = top - HEAD_ROOM_M / CROP_SIDE_M * side_px + side_px / 2.0
    else:
        middle = 0.5 * (top + bottom)
    # The median is on the trunk also when one arm is stretched out.
    centre_px = across * right + middle * down
    # Pixel i of the crop samples the continuous position (i + 0.5) / CROP_PX of the square's side.
    scale = side_px / CROP_PX
    first_px = centre_px + (0.5 - CROP_PX / 2.0) * scale * (right + down)
    slopes = np.array([vertical[0] / intrinsics.fx, vertical[1] / intrinsics.fy, vertical[2]])
    slopes[2] -= slopes[:2] @ [intrinsics.cx + 0.5, intrinsics.cy + 0.5]
    encoded = np.zeros((CHANNELS, CROP_PX, CROP_PX), dtype=np.float32)
    _encode(depth_m, (x, y), first_px, (scale * right, scale * down), slopes, centre_depth_m, encoded)
    return PersonCrop(encoded, centre_px, side_px, right, down, centre_depth_m)


def _axes(up: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the crop's axes right (2) and down (2) in the image for a direction up (3) in the camera's frame."""
    length = float(np.hypot(up[0], up[1]))
    down = np.array([0.0, 1.0]) if length < MIN_UP_IN_IMAGE else -up[:2] / length
    return np.array([down[1], -down[0]]), down


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _measure(
    depth_m: NDArray[np.float32],
    corner_px: tuple[int, int],
    stride: int,
    axes: tuple[NDArray[np.float64], NDArray[np.float64]],
    size_px: tuple[float, float],
) -> tuple[float, float, float, float, float]:
    """Return the person's median depth [m], median across, top, bottom, and the lowest pixel's distance to the border.

    Positions are measured along the crop's axes, from the image's left and top border [px]; NaN without depth.
    """
    right, down = axes
    height, width = depth_m.shape
    most = ((height + stride - 1) // stride) * ((width + stride - 1) // stride)
    depths, across = np.empty(most, dtype=np.float32), np.empty(most, dtype=np.float32)
    count, top, bottom, to_border = 0, np.inf, -np.inf, np.inf
    for row in range(stride // 2, height, stride):
        for column in range(stride // 2, width, stride):
            depth = depth_m[row, column]
            if not np.isfinite(depth):
                continue
            u, v = corner_px[0] + column + 0.5, corner_px[1] + row + 0.5
            depths[count], across[count] = depth, u * right[0] + v * right[1]
            along = u * down[0] + v * down[1]
            count += 1
            top = min(top, along)
            if along > bottom:
                bottom = along
                to_border = min(u, v, size_px[0] - u, size_px[1] - v)
    if count == 0:
        return np.nan, np.nan, np.nan, np.nan, np.nan
    half = 0.5 * stride
    return np.median(depths[:count]), np.median(across[:count]), top - half, bottom + half, to_border


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _encode(  # noqa: PLR0917  (numba takes plain numbers and arrays)
    depth_m: NDArray[np.float32],
    corner_px: tuple[int, int],
    first_px: NDArray[np.float64],
    steps_px: tuple[NDArray[np.float64], NDArray[np.float64]],
    slopes: NDArray[np.float64],
    centre_depth_m: float,
    encoded: NDArray[np.float32],
) -> None:
    """Write the channels (CHANNELS, CROP_PX, CROP_PX) of the nearest pixels of a box's depth (h, w) [m].

    Args:
        depth_m: Depth over the box, NaN outside the person.
        corner_px: Left and top of the box [px].
        first_px: (2) place of the crop's first pixel, from the image's border [px].
        steps_px: Steps (2) in the image from a pixel of the crop to its right and its lower neighbour [px].
        slopes: (3) a, b, c: a point of depth z at u, v is z (a u + b v + c) above the camera.
        centre_depth_m: Median depth of the person [m].
        encoded: Zero; changed.
    """
    height, width = depth_m.shape
    side = encoded.shape[1]
    to_right, to_below = steps_px
    heights = np.empty(side * side, dtype=np.float32)
    count = 0
    for row in range(side):
        for column in range(side):
            u = first_px[0] + column * to_right[0] + row * to_below[0]
            v = first_px[1] + column * to_right[1] + row * to_below[1]
            x, y = int(np.floor(u)) - corner_px[0], int(np.floor(v)) - corner_px[1]
            if not (0 <= x < width and 0 <= y < height):
                continue
            depth = depth_m[y, x]
            if np.isfinite(depth):
                encoded[0, row, column] = min(max((depth - centre_depth_m) / DEPTH_SCALE_M, -CLIP), CLIP)
                encoded[1, row, column] = 1.0
                encoded[2, row, column] = depth * (slopes[0] * u + slopes[1] * v + slopes[2])
                heights[count] = encoded[2, row, column]
                count += 1
    if count == 0:
        return
    middle = np.median(heights[:count])
    for row in range(side):
        for column in range(side):
            if encoded[1, row, column] > 0.0:
                relative = (encoded[2, row, column] - middle) / DEPTH_SCALE_M
                encoded[2, row, column] = min(max(relative, -CLIP), CLIP)
