"""Alignment of a colour and a depth image: both become images of one pinhole camera."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rehab_pose.capture.calibration_file import read_calibration
from rehab_pose.capture.cleaning import DepthCleaner
from rehab_pose.capture.rectification import Rectification
from rehab_pose.capture.settings import CaptureSettings
from rehab_pose.errors import InputError, SettingsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rehab_pose.capture.calibration_file import DepthCalibration
    from rehab_pose.capture.registration import DepthRegistration
    from rehab_pose.geometry.calibration import CameraCalibration
    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["FrameAligner", "named_raw"]

RAW = re.compile(r"(?:^|[/_])raw(?:[/_]|$)")
"""Matches topic names with the word `raw`."""


def named_raw(topic_name: str) -> bool:
    """Return whether the images of a topic are not rectified according to its name, as in `color/image_raw`.

    The camera_info does not answer this: image_proc publishes rectified images with the D of the raw ones.
    """
    return RAW.search(topic_name) is not None


class FrameAligner:
    """Rectifies colour and depth, cleans depth, and registers depth to colour where it has its own camera."""

    def __init__(
        self,
        settings: CaptureSettings | None = None,
        *,
        raw_color: bool = False,
        raw_depth: bool = False,
        depth: DepthCalibration | None = None,
    ) -> None:
        """Read the calibration file of the settings, if any.

        Args:
            settings: Settings of the capture.
            raw_color: Colour images have the lens distortion.
            raw_depth: Depth images have the same distortion, because they are registered to raw colour images.
            depth: The depth camera, where it is not the colour camera; None = as in the settings.

        Raises:
            RecordingError: The calibration file of the settings cannot be read.
            SettingsError: The calibration file has no depth camera.
        """
        settings = settings or CaptureSettings()
        self._cleaner = DepthCleaner(settings)
        self._raw_color = _is_enabled(settings.rectify, automatic=raw_color)
        self._raw_depth = _is_enabled(settings.rectify, automatic=raw_depth)
        self._depth = depth
        if depth is None and settings.depth_calibration_path:
            self._depth = read_calibration(settings.depth_calibration_path).depth
            if self._depth is None:
                msg = (
                    f'capture.depth_calibration_path: expected the sections "depth" and "color_from_depth" in '
                    f"{settings.depth_calibration_path}; leave the parameter empty where depth is registered to colour"
                )
                raise SettingsError(msg)
        self._depth_rectification = None if self._depth is None else Rectification(self._depth.camera)
        self._calibration: CameraCalibration | None = None
        self._rectification: Rectification | None = None
        self._registration: DepthRegistration | None = None

    def align(
        self, color: NDArray[np.uint8], depth: NDArray[Any], calibration: CameraCalibration
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32], CameraIntrinsics]:
        """Return colour (H, W, 3), clean depth (H, W) [m] and the pinhole camera of both.

        Args:
            color: (H, W, 3) RGB.
            depth: (H, W) of the colour camera, or (Hd, Wd) of the depth camera; uint16 [mm] or float32 [m].
            calibration: Calibration of the colour camera.

        Raises:
            InputError: The sizes differ, the camera is not calibrated, or its distortion model is unknown.
        """
        rectification = self._rectification_of(calibration)
        self._check_sizes(color, depth, rectification.intrinsics)
        if self._raw_color:
            color = rectification.rectify_color(color)
        if self._depth_rectification is not None:
            depth = self._depth_rectification.rectify_depth(depth)
        elif self._raw_depth:
            depth = rectification.rectify_depth(depth)
        depth_m = self._cleaner.clean(depth)
        if self._registration is not None:
            depth_m = self._registration.register(depth_m)
        return color, depth_m, rectification.intrinsics

    @property
    def registers(self) -> bool:
        """True if depth has a camera of its own and is registered to colour here."""
        return self._depth is not None

    def _rectification_of(self, calibration: CameraCalibration) -> Rectification:
        """Return the rectification of a calibration; the tables are computed again only when it changes."""
        if self._rectification is None or calibration != self._calibration:
            raw = self._raw_color or self._raw_depth
            self._rectification = Rectification(calibration, tables=raw)
            self._calibration = calibration
            self._registration = self._registration_to(self._rectification.intrinsics)
        return self._rectification

    def _registration_to(self, color_camera: CameraIntrinsics) -> DepthRegistration | None:
        if self._depth is None or self._depth_rectification is None:
            return None
        from rehab_pose.capture.registration import DepthRegistration  # noqa: PLC0415  (compiles a kernel)

        return DepthRegistration(self._depth_rectification.intrinsics, color_camera, self._depth.color_from_depth)

    def _check_sizes(self, color: NDArray[np.uint8], depth: NDArray[Any], camera: CameraIntrinsics) -> None:
        size = (camera.height_px, camera.width_px)
        if color.shape[:2] == size and (depth.shape == size or self._depth is not None):
            return
        sizes = f"depth {depth.shape[1]}x{depth.shape[0]}, camera_info {size[1]}x{size[0]}"
        if self._depth is not None:
            msg = (
                f"frame: expected colour and camera_info of one size, got colour {color.shape[1]}x{color.shape[0]}, "
                f"{sizes}; set camera_info to the topic that belongs to the colour image"
            )
        else:
            msg = (
                f"frame: expected colour, depth and camera_info of one size, got colour {color.shape[1]}x"
                f"{color.shape[0]}, {sizes}; use the depth that the driver registers to colour (for example "
                "align_depth.enable on RealSense), or give capture.depth_calibration_path"
            )
        raise InputError(msg)


def _is_enabled(choice: str, *, automatic: bool) -> bool:
    """Return the value of the choice `auto`, `always` or `never`."""
    return automatic if choice == "auto" else choice == "always"
