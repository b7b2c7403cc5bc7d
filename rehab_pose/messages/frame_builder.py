"""RGB-D frames from the messages of the camera's topics, live or recorded.

Pairs and converts the images, rectifies them, cleans the depth, and registers it if the driver does not. The direction
against gravity comes from the camera's IMU or from a parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.capture.alignment import FrameAligner, named_raw
from rehab_pose.capture.depth_plausibility import check_depth_frame, check_depth_unit
from rehab_pose.capture.gravity_source import GravitySource
from rehab_pose.capture.pairing import StampPairer
from rehab_pose.capture.settings import CaptureSettings
from rehab_pose.datatypes import RgbdFrame
from rehab_pose.messages.camera_info import calibration_from_message
from rehab_pose.messages.factory import Message, stamp_ns
from rehab_pose.messages.images import color_from_message, depth_from_message
from rehab_pose.messages.imu import imu_from_message

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

    from rehab_pose.capture.pairing import Pairer

__all__ = ["FrameBuilder", "RawFrame"]

RawFrame = tuple["Message", "Message", "Message"]
"""A colour image, its depth image, and the camera_info of the colour image."""


class FrameBuilder:
    """Pairs images in the order of their arrival; `build` turns a pair into a frame.

    Pairing is cheap and is done on the receiving thread; `build` takes milliseconds and may run on another thread.

    Attributes:
        pairer: Counts images without a partner and jumps back in time.
        dropped_without_camera_info: Number of pairs before the first camera_info.
    """

    def __init__(
        self,
        settings: CaptureSettings | None = None,
        color_decoder: Callable[[Message], NDArray[Any]] = color_from_message,
        *,
        color_topic: str = "",
        depth_topic: str = "",
        pairer: Pairer[Message, Message] | None = None,
    ) -> None:
        """Read the calibration file of the settings, if any.

        Args:
            settings: Settings of the capture.
            color_decoder: Returns (H, W, 3) RGB for a colour image message.
            color_topic: Topic of the colour image; the word raw in its name means that it is not rectified.
            depth_topic: Topic of the depth image, likewise.
            pairer: Pairs the images; None = a StampPairer with the settings.

        Raises:
            RecordingError: The calibration file that the settings name cannot be read.
            SettingsError: The calibration file has no depth camera.
        """
        settings = settings or CaptureSettings()
        self.pairer = pairer or StampPairer[Message, Message](settings.pairing_slop_s, settings.pairing_queue)
        self.dropped_without_camera_info = 0
        self._aligner = FrameAligner(settings, raw_color=named_raw(color_topic), raw_depth=named_raw(depth_topic))
        self._gravity = GravitySource(settings)
        self._decode_color = color_decoder
        self._camera_info: Message | None = None

    def add_camera_info(self, message: Message) -> None:
        """Store a sensor_msgs/CameraInfo, which applies to all pairs until the next one."""
        self._camera_info = message

    def add_imu(self, message: Message) -> None:
        """Take a measurement of the camera's IMU (sensor_msgs/Imu); frames that are built later use it."""
        self._gravity.add(imu_from_message(message))

    def add_color(self, message: Message) -> list[RawFrame]:
        """Add a colour sensor_msgs/Image; return the raw frames it completes (none or one)."""
        return self._with_camera(self.pairer.add_first(stamp_ns(message.header.stamp), message))

    def add_depth(self, message: Message) -> list[RawFrame]:
        """Add a depth sensor_msgs/Image; return the raw frames it completes (none or one)."""
        return self._with_camera(self.pairer.add_second(stamp_ns(message.header.stamp), message))

    def _with_camera(self, pairs: list[tuple[Message, Message]]) -> list[RawFrame]:
        if self._camera_info is None:
            self.dropped_without_camera_info += len(pairs)
            self.pairer.dropped_stamps.extend(stamp_ns(color.header.stamp) for color, _ in pairs)
            return []
        return [(color, depth, self._camera_info) for color, depth in pairs]

    def build(self, raw: RawFrame) -> RgbdFrame:
        """Return the rectified and cleaned frame of a raw one, with the colour image's stamp and frame_id.

        Raises:
            InputError: An encoding or a lens is unknown, the sizes differ, the camera is not calibrated, depth is not
            registered to colour, or nearly all of it is out of range.
        """
        color_message, depth_message, camera_info = raw
        depth = depth_from_message(depth_message)
        color, depth_m, intrinsics = self._aligner.align(
            self._decode_color(color_message), depth, calibration_from_message(camera_info)
        )
        if not self._aligner.registers:
            check_depth_frame(color_message.header.frame_id, depth_message.header.frame_id)
        check_depth_unit(depth)
        return RgbdFrame(
            stamp_ns=stamp_ns(color_message.header.stamp),
            frame_id=color_message.header.frame_id,
            intrinsics=intrinsics,
            color=color,
            depth_m=depth_m,
            up=self._gravity.up,
        )
