"""Conversion of the floor plane to its message and back, and detection of its changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import FloorPlane
from rehab_pose.errors import InputError
from rehab_pose.messages.checks import FARTHEST_M, direction, whole_message
from rehab_pose.messages.factory import header, stamp_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = ["FloorPlaneChanges", "floor_plane_from_message", "floor_plane_message"]


def floor_plane_message(factory: MessageFactory, floor: FloorPlane) -> Message:
    """Return rehab_pose_msgs/FloorPlane."""
    return factory.make(
        "rehab_pose_msgs/msg/FloorPlane",
        header=header(factory, floor.stamp_ns, floor.frame_id),
        plane=np.array(floor.plane),
    )


@whole_message("FloorPlane")
def floor_plane_from_message(message: Message) -> FloorPlane:
    """Return the floor plane of a rehab_pose_msgs/FloorPlane.

    Raises:
        InputError: Its normal is no unit vector, or it is farther than a camera sees; four NaN = unknown.
    """
    plane = np.array(message.plane, dtype=np.float64)
    if not np.isnan(plane).all():
        direction("FloorPlane.plane", plane[:3])
        if not abs(plane[3]) <= FARTHEST_M:
            msg = f"FloorPlane.plane: expected a distance within {FARTHEST_M:g} m, got {plane[3]:g}"
            raise InputError(msg)
    return FloorPlane(stamp_ns=stamp_ns(message.header.stamp), frame_id=message.header.frame_id, plane=plane)


class FloorPlaneChanges:
    """Makes a message of the floor plane when it differs from the last one that was sent."""

    def __init__(self) -> None:
        self._sent: NDArray[np.float64] | None = None

    def messages(self, factory: MessageFactory, frame: RgbdFrame, plane: NDArray[np.float64]) -> Iterator[Message]:
        """Yield the message of the plane (4) after a frame if it changed; the first plane is sent even if unknown."""
        if self._sent is None or not np.array_equal(plane, self._sent, equal_nan=True):
            self._sent = plane
            yield floor_plane_message(factory, FloorPlane(frame.stamp_ns, frame.frame_id, plane))
