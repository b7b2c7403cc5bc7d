"""Rectification of raw images: correction of the lens distortion to the image of a pinhole camera."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rehab_pose.errors import InputError
from rehab_pose.geometry.calibration import FISHEYE_MODELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.calibration import CameraCalibration
    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["Rectification"]


class Rectification:
    """The map from raw to rectified pixels of one calibration.

    Attributes:
        intrinsics: The pinhole camera of the rectified images.
    """

    def __init__(self, calibration: CameraCalibration, *, tables: bool = True) -> None:
        """Compute the lookup tables.

        Args:
            calibration: Calibration of the raw images.
            tables: False if the images are already rectified and only `intrinsics` is needed.

        Raises:
            InputError: The camera is not calibrated, or its distortion model is unknown.
        """
        self.intrinsics: CameraIntrinsics = calibration.rectified()
        self._tables: tuple[NDArray[Any], NDArray[Any]] | None = None
        self._nearest: tuple[NDArray[Any], NDArray[Any]] | None = None
        if tables and calibration.needs_rectification():
            columns, rows = source_pixels(calibration)
            # OpenCV's fixed-point tables have a resolution of 1/32 px and are twice as fast as floats.
            self._tables = cv2.convertMaps(columns, rows, cv2.CV_16SC2)
            self._nearest = cv2.convertMaps(columns, rows, cv2.CV_16SC2, nninterpolation=True)

    def rectify_color(self, color: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the rectified colour image (H, W, 3), black outside the raw image; the same image without distortion.

        Raises:
            InputError: The image has another size than the calibration.
        """
        self._check_size("colour image", color)
        if self._tables is None:
            return color
        result: Any = cv2.remap(color, *self._tables, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        return np.asarray(result, dtype=np.uint8)

    def rectify_depth(self, depth: NDArray[Any]) -> NDArray[Any]:
        """Return the rectified depth image (H, W), uint16 [mm] or float32 [m]; the same image without distortion.

        Each pixel takes the nearest raw pixel, because an average over an edge is on neither surface. Pixels outside
        the raw image are missing: 0 or NaN according to the type.

        Raises:
            InputError: The image has another size than the calibration.
        """
        self._check_size("depth image", depth)
        if self._nearest is None:
            return depth
        missing = 0.0 if depth.dtype == np.uint16 else float("nan")
        result: Any = cv2.remap(
            depth, *self._nearest, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=missing
        )
        return np.asarray(result)

    def _check_size(self, name: str, image: NDArray[Any]) -> None:
        size = (self.intrinsics.height_px, self.intrinsics.width_px)
        if image.shape[:2] != size:
            msg = (
                f"{name}: expected {size[1]}x{size[0]} pixels as in its calibration, got "
                f"{image.shape[1]}x{image.shape[0]}; camera_info belongs to another image size"
            )
            raise InputError(msg)


def source_pixels(calibration: CameraCalibration) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the position in the raw image of each rectified pixel: columns and rows (H, W) [px].

    Binning and region of interest change the pinhole matrices of the raw and the rectified image, not the distortion.

    Raises:
        InputError: The distortion model is unknown.
    """
    raw, rectified = calibration.raw(), calibration.rectified()
    size = (rectified.width_px, rectified.height_px)
    coefficients, rotation = calibration.coefficients(), calibration.rotation()
    matrices = [
        np.array([[camera.fx, 0.0, camera.cx], [0.0, camera.fy, camera.cy], [0.0, 0.0, 1.0]])
        for camera in (raw, rectified)
    ]
    fisheye = calibration.distorted and calibration.distortion_model in FISHEYE_MODELS
    compute: Any = cv2.fisheye.initUndistortRectifyMap if fisheye else cv2.initUndistortRectifyMap
    columns, rows = compute(matrices[0], coefficients, rotation, matrices[1], size, cv2.CV_32FC1)
    return columns, rows
