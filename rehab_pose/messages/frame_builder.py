"""From the camera's three topics to RGB-D frames: pairing, conversion, depth cleaning, for live and recorded images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.capture.cleaning import DepthCleaner
from rehab_pose.capture.pairing import FramePairer
from rehab_pose.capture.settings import CaptureSettings
from rehab_pose.datatypes import RgbdFrame
from rehab_pose.errors import InputError
from rehab_pose.messages.camera_info import intrinsics_from_message
from rehab_pose.messages.carrier import stamp_ns
from rehab_pose.messages.images import color_from_message, depth_from_message

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

    from rehab_pose.messages.carrier import Message

__all__ = ["FrameBuilder", "RawFrame"]

RawFrame = tuple["Message", "Message", "Message"]
"""A colour image, its registered depth image, and the camera_info of the colour image."""


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
    ) -> None:
        settings = settings or CaptureSettings()
        self.pairer: FramePairer[Message, Message] = FramePairer(settings.pairing_slop_s, settings.pairing_queue)
        self.dropped_without_camera_info = 0
        self._cleaner = DepthCleaner(settings)
        self._decode_color = color_decoder
        self._camera_info: Message | None = None

    def add_camera_info(self, message: Message) -> None:
        """Take a sensor_msgs/CameraInfo; it holds until the next one."""
        self._camera_info = message

    def add_color(self, message: Message) -> list[RawFrame]:
        """Take a colour sensor_msgs/Image; return the raw frames it completes (none or one)."""
        return self._with_camera(self.pairer.add_color(stamp_ns(message.header.stamp), message))

    def add_depth(self, message: Message) -> list[RawFrame]:
        """Take a depth sensor_msgs/Image; return the raw frames it completes (none or one)."""
        return self._with_camera(self.pairer.add_depth(stamp_ns(message.header.stamp), message))

    def _with_camera(self, pairs: list[tuple[Message, Message]]) -> list[RawFrame]:
        if self._camera_info is None:
            self.dropped_without_camera_info += len(pairs)
            return []
        return [(color, depth, self._camera_info) for color, depth in pairs]

    def build(self, raw: RawFrame) -> RgbdFrame:
        """Return the clean frame of a raw one, with the colour image's stamp and frame_id.

        Raises:
            InputError: An encoding is unknown, the sizes differ, or the camera is not calibrated.
        """
        color_message, depth_message, camera_info = raw
        intrinsics = intrinsics_from_message(camera_info)
        color = self._decode_color(color_message)
        depth = depth_from_message(depth_message)
        size = (intrinsics.height_px, intrinsics.width_px)
        if color.shape[:2] != size or depth.shape != size:
            msg = (
                f"frame: expected colour, depth and camera_info of one size, got colour {color.shape[1]}x"
                f"{color.shape[0]}, depth {depth.shape[1]}x{depth.shape[0]}, camera_info {size[1]}x{size[0]}; use the "
                "depth that the driver registers to colour (for example align_depth.enable on RealSense)"
            )
            raise InputError(msg)
        return RgbdFrame(
            stamp_ns=stamp_ns(color_message.header.stamp),
            frame_id=color_message.header.frame_id,
            intrinsics=intrinsics,
            color=color,
            depth_m=self._cleaner.clean(depth),
        )
