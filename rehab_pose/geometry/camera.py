"""The pinhole camera: projection of points in metres to pixels, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LARGEST_IMAGE_PX", "CameraIntrinsics"]


LARGEST_IMAGE_PX = 16384
"""Longest side of an image [px]; beyond the largest sensors, and far below what a damaged file claims."""


@dataclass(frozen=True)
class CameraIntrinsics:
    """A rectified pinhole camera: u = fx x / z + cx, v = fy y / z + cy.

    A pixel's centre has integer coordinates, as in ROS and OpenCV.
    """

    width_px: int
    height_px: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        """Refuse an uncalibrated camera.

        Raises:
            InputError: A focal length or the image size is not positive (drivers send zeros when uncalibrated).
        """
        if not (self.fx > 0 and self.fy > 0 and np.isfinite([self.fx, self.fy, self.cx, self.cy]).all()):
            msg = (
                f"camera intrinsics: expected positive focal lengths, got fx={self.fx}, fy={self.fy}; "
                "the camera is not calibrated: calibrate it, or point camera_info at the driver's own topic"
            )
            raise InputError(msg)
        longest = max(self.width_px, self.height_px)
        if not 0 < min(self.width_px, self.height_px) <= longest <= LARGEST_IMAGE_PX:
            msg = (
                f"camera intrinsics: expected an image of 1 to {LARGEST_IMAGE_PX} pixels a side, got "
                f"{self.width_px}x{self.height_px}"
            )
            raise InputError(msg)

    def cropped(self, box_px: tuple[int, int, int, int]) -> CameraIntrinsics:
        """Return the camera of the box (x, y, width, height) only [px]."""
        x, y, width, height = box_px
        return replace(self, width_px=width, height_px=height, cx=self.cx - x, cy=self.cy - y)

    def scaled(self, width_px: int, height_px: int) -> CameraIntrinsics:
        """Return the camera whose image is resampled to the given size (pixel centres kept in place)."""
        scale_x, scale_y = width_px / self.width_px, height_px / self.height_px
        return CameraIntrinsics(
            width_px=width_px,
            height_px=height_px,
            fx=self.fx * scale_x,
            fy=self.fy * scale_y,
            cx=(self.cx + 0.5) * scale_x - 0.5,
            cy=(self.cy + 0.5) * scale_y - 0.5,
        )

    def project(self, points_m: NDArray[Any]) -> NDArray[np.float64]:
        """Project points (..., 3) [m] to pixels (..., 2) [px]; points at or behind the camera give NaN."""
        points = np.asarray(points_m, dtype=np.float64)
        z = np.where(points[..., 2] > 0, points[..., 2], np.nan)
        u = self.fx * points[..., 0] / z + self.cx
        v = self.fy * points[..., 1] / z + self.cy
        return np.stack([u, v], axis=-1)

    def back_project(self, pixels: NDArray[Any], depth_m: NDArray[Any]) -> NDArray[np.float64]:
        """Lift pixels (..., 2) [px] with depth along z (...) [m] to points (..., 3) [m]; NaN depth gives NaN."""
        pixels = np.asarray(pixels, dtype=np.float64)
        z = np.asarray(depth_m, dtype=np.float64)
        x = (pixels[..., 0] - self.cx) / self.fx * z
        y = (pixels[..., 1] - self.cy) / self.fy * z
        return np.stack([x, y, z], axis=-1)

    def back_project_image(self, depth_m: NDArray[Any]) -> NDArray[np.float32]:
        """Lift a depth image (H, W) [m] to points (H, W, 3) [m] in this camera's frame."""
        height, width = depth_m.shape
        columns = ((np.arange(width) - self.cx) / self.fx).astype(np.float32)
        rows = ((np.arange(height) - self.cy) / self.fy).astype(np.float32)
        points = np.empty((height, width, 3), dtype=np.float32)
        np.multiply(columns[None, :], depth_m, out=points[..., 0])
        np.multiply(rows[:, None], depth_m, out=points[..., 1])
        points[..., 2] = depth_m
        return points
