"""Calibration of a camera: lens, sensor window, and the pinhole camera of its rectified images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.errors import InputError
from rehab_pose.geometry.camera import LARGEST_IMAGE_PX, CameraIntrinsics
from rehab_pose.geometry.rotations import is_rotation

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FISHEYE_MODELS", "IDENTITY", "CameraCalibration"]

FISHEYE_MODELS = ("equidistant",)
"""Models of Kannala and Brandt (2006), which OpenCV's fisheye module implements."""
COEFFICIENTS = {"plumb_bob": (4, 5), "rational_polynomial": (8, 12, 14), "equidistant": (4,)}
"""Possible numbers of coefficients of each model."""
FOCAL_RANGE = (0.05, 100.0)
"""Focal length as a multiple of the sensor's longest side: an angle of view of 169 to 0.6 degrees."""
LARGEST_BINNING = 64
ROTATION_TOLERANCE = 1e-2
"""Largest difference of R R^T from the identity: files with three digits are accepted."""
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class CameraCalibration:
    """Content of a sensor_msgs/CameraInfo as plain numbers, so that two can be compared (REP-104).

    All intrinsics refer to the complete sensor; `binning` and `roi_px` define the part of it that the images show.
    """

    width_px: int
    """Of the complete sensor, before binning and window."""
    height_px: int
    k: tuple[float, ...]
    """(9) camera matrix of the raw image, row by row [px]."""
    p: tuple[float, ...] = ()
    """(9) left 3x3 of the projection matrix of the rectified image, row by row [px]; empty = as K."""
    r: tuple[float, ...] = IDENTITY
    """(9) rotation from the raw to the rectified camera, row by row."""
    distortion_model: str = "plumb_bob"
    d: tuple[float, ...] = ()
    """Distortion coefficients in the model's order; empty or all zero = none."""
    binning: tuple[int, int] = (1, 1)
    """Sensor pixels that one pixel of the image combines, along x and y."""
    roi_px: tuple[int, int, int, int] = (0, 0, 0, 0)
    """x, y, width, height of the window in unbinned pixels; width and height 0 = the complete sensor."""

    def __post_init__(self) -> None:
        """Check that the camera is calibrated.

        Raises:
            InputError: K[0] is not positive (drivers send zeros when uncalibrated), a number is not finite, a matrix
                has the wrong length, R is no rotation, or binning or window are impossible.
        """
        for name, matrix in (("k", self.k), ("r", self.r), ("p", self.p or self.k)):
            if len(matrix) != 9:
                msg = f"camera calibration: expected 9 numbers in {name}, got {len(matrix)}"
                raise InputError(msg)
        if not self.k[0] > 0:
            msg = (
                f"camera calibration: expected a positive focal length K[0], got {self.k[0]}; the camera is not "
                "calibrated: calibrate it, or point camera_info at the driver's own topic"
            )
            raise InputError(msg)
        self._check_numbers()
        self._check_window()

    def _check_numbers(self) -> None:
        if not all(map(math.isfinite, (*self.k, *self.r, *self.p, *self.d))):
            msg = f"camera calibration: expected finite numbers, got k={self.k}, p={self.p}, r={self.r}, d={self.d}"
            raise InputError(msg)
        longest, (low, high) = max(self.width_px, self.height_px), FOCAL_RANGE
        focal = [matrix[place] for matrix in (self.k, self.p or self.k) for place in (0, 4)]
        if longest > 0 and not all(low * longest <= value <= high * longest for value in focal):
            msg = (
                f"camera calibration: expected focal lengths of {low:g} to {high:g} times the image's longest side of "
                f"{longest} px, got {focal}; they are in pixels"
            )
            raise InputError(msg)
        if self.r != IDENTITY and not is_rotation(self.rotation(), ROTATION_TOLERANCE):
            msg = f"camera calibration: expected a rotation in r, got {self.r}; calibrate the camera again"
            raise InputError(msg)

    def _check_window(self) -> None:
        x, y, width, height = self.roi_px
        inside = 0 <= x <= x + width <= self.width_px and 0 <= y <= y + height <= self.height_px
        whole = (width, height) == (0, 0)
        sizes = (self.width_px, self.height_px)
        if not (0 < min(sizes) <= max(sizes) <= LARGEST_IMAGE_PX and (inside or whole)):
            msg = (
                f"camera calibration: expected a window inside an image of 1 to {LARGEST_IMAGE_PX} pixels a side, got "
                f"{self.roi_px} in {self.width_px}x{self.height_px}; the publisher of camera_info is wrong"
            )
            raise InputError(msg)
        if not all(1 <= factor <= LARGEST_BINNING for factor in self.binning):
            msg = f"camera calibration: expected a binning of 1 to {LARGEST_BINNING}, got {self.binning}"
            raise InputError(msg)

    @property
    def distorted(self) -> bool:
        """True where the lens distorts the image."""
        return any(value != 0.0 for value in self.d)

    @property
    def image_size_px(self) -> tuple[int, int]:
        """Width and height of the images: the window, binned [px]."""
        _, _, width, height = self.window_px
        return width // self.binning[0], height // self.binning[1]

    @property
    def window_px(self) -> tuple[int, int, int, int]:
        """x, y, width, height of the part that the images show, in unbinned pixels."""
        return self.roi_px if self.roi_px[2:] != (0, 0) else (0, 0, self.width_px, self.height_px)

    def rectified(self) -> CameraIntrinsics:
        """Return the pinhole camera of the rectified images (P, or K where P is empty).

        Raises:
            InputError: The camera is not calibrated.
        """
        return self._pinhole(self.p or self.k)

    def raw(self) -> CameraIntrinsics:
        """Return the pinhole camera (K) behind the lens of the raw images.

        Raises:
            InputError: The camera is not calibrated.
        """
        return self._pinhole(self.k)

    def needs_rectification(self) -> bool:
        """Return whether raw images differ from rectified ones: a lens, a rotation, or another camera matrix."""
        return self.distorted or self.r != IDENTITY or bool(self.p and self.p != self.k)

    def rotation(self) -> NDArray[np.float64]:
        """Return R (3, 3): rectified_from_raw."""
        return np.array(self.r).reshape(3, 3)

    def coefficients(self) -> NDArray[np.float64]:
        """Return the distortion coefficients as OpenCV takes them.

        Raises:
            InputError: The model is unknown, or has another number of coefficients.
        """
        if not self.distorted:
            return np.zeros(4)
        lengths = COEFFICIENTS.get(self.distortion_model)
        if lengths is None:
            msg = (
                f"camera calibration: expected the distortion model {', '.join(COEFFICIENTS)}, got "
                f"{self.distortion_model!r}; use the driver's rectified images, or calibrate with one of these models"
            )
            raise InputError(msg)
        if len(self.d) not in lengths:
            allowed = " or ".join(str(length) for length in lengths)
            msg = (
                f"camera calibration: expected {allowed} distortion coefficients of {self.distortion_model}, got "
                f"{len(self.d)}; the publisher of camera_info fills D wrongly"
            )
            raise InputError(msg)
        return np.array(self.d)

    def _pinhole(self, matrix: tuple[float, ...]) -> CameraIntrinsics:
        x, y, _, _ = self.window_px
        width, height = self.image_size_px
        binning_x, binning_y = self.binning
        return CameraIntrinsics(
            width_px=width,
            height_px=height,
            fx=matrix[0] / binning_x,
            fy=matrix[4] / binning_y,
            # A binned pixel's centre is the mean of those it combines; image_geometry leaves out these halves.
            cx=(matrix[2] - x + 0.5) / binning_x - 0.5,
            cy=(matrix[5] - y + 0.5) / binning_y - 0.5,
        )
