"""From the camera's three topics to RGB-D frames, for live and recorded images.

Pairing, conversion, rectification, depth cleaning, and registration where the driver does not do it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.capture.alignment import FrameAligner, named_raw
from rehab_pose.capture.pairing import StampPairer
from rehab_pose.capture.settings import CaptureSettings
from rehab_pose.datatypes import RgbdFrame
from rehab_pose.messages.camera_info import calibration_from_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.images import color_from_message, depth_from_message

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

    from rehab_pose.messages.factory import Message

__all__ = ["FrameBuilder", "RawFrame"]

RawFrame = tuple["Message", "Message", "Message"]
"""A colour image, its depth image, and the camera_info of the colour image."""


class FrameBuilder:
    """Pairs images as they come; `build` turns a pair into a frame.

    Pairing is cheap and belongs where messages arrive; building costs milliseconds and may run elsewhere.

    Attributes:
        pairer: Counts what found no partner, and jumps back in time.
        dropped_without_camera_info: Pairs that came before any camera_info.
    """

    def __init__(
        self,
        settings: CaptureSettings | None = None,
        color_decoder: Callable[[Message], NDArray[Any]] = color_from_message,
        *,
        color_topic: str = "",
        depth_topic: str = "",
    ) -> None:
        """Prepare.

        Args:
            settings: Of capture.
            color_decoder: Gives (H, W, 3) RGB of a colour image.
            color_topic: Topic of the colour image; the word raw in its name means that it is not rectified.
            depth_topic: The same of depth.

        Raises:
            RecordingError: The calibration file that the settings name cannot be read.
            SettingsError: It has no depth camera.
        """
        settings = settings or CaptureSettings()
        self.pairer: StampPairer[Message, Message] = StampPairer(settings.pairing_slop_s, settings.pairing_queue)
        self.dropped_without_camera_info = 0
        self._aligner = FrameAligner(settings, raw_color=named_raw(color_topic), raw_depth=named_raw(depth_topic))
        self._decode_color = color_decoder
        self._camera_info: Message | None = None

    def add_camera_info(self, message: Message) -> None:
        """Take a sensor_msgs/CameraInfo; it holds until the next one."""
        self._camera_info = message

    def add_color(self, message: Message) -> list[RawFrame]:
        """Take a colour sensor_msgs/Image; return the raw frames it completes (none or one)."""
        return self._with_camera(self.pairer.add_first(stamp_ns(message.header.stamp), message))

    def add_depth(self, message: Message) -> list[RawFrame]:
        """Take a depth sensor_msgs/Image; return the raw frames it completes (none or one)."""
        return self._with_camera(self.pairer.add_second(stamp_ns(message.header.stamp), message))

    def _with_camera(self, pairs: list[tuple[Message, Message]]) -> list[RawFrame]:
        if self._camera_info is None:
            self.dropped_without_camera_info += len(pairs)
            return []
        return [(color, depth, self._camera_info) for color, depth in pairs]

    def build(self, raw: RawFrame) -> RgbdFrame:
        """Return the clean frame of a raw one, with the colour image's stamp and frame_id.

        Raises:
            InputError: An encoding or a lens is unknown, the sizes differ, or the camera is not calibrated.
        """
        color_message, depth_message, camera_info = raw
        color, depth_m, intrinsics = self._aligner.align(
            self._decode_color(color_message),
            depth_from_message(depth_message),
            calibration_from_message(camera_info),
        )
        return RgbdFrame(
            stamp_ns=stamp_ns(color_message.header.stamp),
            frame_id=color_message.header.frame_id,
            intrinsics=intrinsics,
            color=color,
            depth_m=depth_m,
        )
