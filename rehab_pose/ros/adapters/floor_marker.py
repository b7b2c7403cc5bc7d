"""RViz marker of the floor: a grid of lines on the plane that was found in the depth image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.messages.factory import header
from rehab_pose.ros.adapters.markers import ADD, LIFETIME_NS, LINE_LIST, color_message
from rehab_pose.ros.io.message_factory import message_class

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = ["AHEAD_M", "FLOOR_NAMESPACE", "HALF_SIDE_M", "FloorMarker", "floor_grid"]

SPACING_M, HALF_SIDE_M = 0.5, 2.0
"""Distance of the lines, and half the side of the grid [m]."""
AHEAD_M = 2.5
"""Distance of the grid's middle from the camera along the floor: people exercise there [m]."""
LINE_WIDTH_M = 0.01
FLOOR_COLOR = (0.55, 0.60, 0.70, 0.8)
FLOOR_NAMESPACE = "floor"
MIN_ACROSS = 1e-3
"""A camera that looks along the floor's normal more exactly than this has no direction ahead on the floor."""


def floor_grid(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ends of the grid's lines (2 L, 3) [m] on a plane (4) as in `FloorPlane.plane`; (0, 3) if it is NaN."""
    if not np.isfinite(plane).all():
        return np.zeros((0, 3))
    up, below = plane[:3], -plane[3] * plane[:3]  # the point of the floor below the camera
    forward = np.array([0.0, 0.0, 1.0])
    if np.linalg.norm(np.cross(forward, up)) < MIN_ACROSS:
        forward = np.array([0.0, -1.0, 0.0])  # the upper border of the image
    ahead = forward - (forward @ up) * up
    ahead /= np.linalg.norm(ahead)
    aside = np.cross(ahead, up)
    steps = np.arange(-HALF_SIDE_M, HALF_SIDE_M + 0.5 * SPACING_M, SPACING_M)
    ends = np.array([-HALF_SIDE_M, HALF_SIDE_M])
    fixed, moving = np.repeat(steps, 2), np.tile(ends, len(steps))
    along = np.concatenate([fixed, moving])[:, None] * ahead + np.concatenate([moving, fixed])[:, None] * aside
    return np.asarray(below + AHEAD_M * ahead + along)


class FloorMarker:
    """Holds the marker of the newest plane."""

    def __init__(self, factory: MessageFactory) -> None:
        self._factory = factory
        self._marker: Message | None = None

    def set_plane(self, plane: NDArray[np.float64]) -> None:
        """Build the marker of a plane (4); none while the floor is unknown."""
        self._marker = None
        ends = floor_grid(plane).tolist()
        if not ends:
            return
        point = message_class("geometry_msgs/msg/Point")
        marker = self._factory.make("visualization_msgs/msg/Marker", ns=FLOOR_NAMESPACE, type=LINE_LIST, action=ADD)
        marker.pose.orientation.w = 1.0
        marker.scale.x = LINE_WIDTH_M
        marker.lifetime.nanosec = LIFETIME_NS
        marker.color = color_message(FLOOR_COLOR)
        marker.points = [point(x=x, y=y, z=z) for x, y, z in ends]
        self._marker = marker

    def markers(self, stamp_ns: int, frame_id: str) -> list[Message]:
        """Return the marker with a stamp [ns] and a frame; empty while the floor is unknown."""
        if self._marker is None:
            return []
        self._marker.header = header(self._factory, stamp_ns, frame_id)
        return [self._marker]
