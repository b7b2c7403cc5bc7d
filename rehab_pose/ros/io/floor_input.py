"""The latched floor plane, for nodes whose stages need gravity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.datatypes import unknown_plane
from rehab_pose.messages import topics
from rehab_pose.messages.floor import floor_plane_from_message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rehab_pose.messages.factory import Message
    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["FloorInput"]


class FloorInput:
    """Keeps the newest floor plane.

    Attributes:
        plane: (4) as in `FloorPlane.plane`, NaN until one was received.
    """

    def __init__(self, node: StageNode) -> None:
        """Subscribe. The topic is not watched for silence, because the plane is sent only when it changes."""
        self.plane: NDArray[np.float64] = unknown_plane()
        node.listen(topics.FLOOR_PLANE, self._on_floor_plane, watched=False)

    def _on_floor_plane(self, message: Message, _arrived_s: float) -> None:
        self.plane = floor_plane_from_message(message).plane
