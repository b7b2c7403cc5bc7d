"""silhouette + joints of the same stamp -> parts: body regions and their contours."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.messages import topics
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.frames import silhouette_from_message
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.messages.keypoints import parts_message
from rehab_pose.parts.labeller import PartLabeller
from rehab_pose.parts.settings import PartSettings
from rehab_pose.ros.io.exact_time_input import ExactTimeInput
from rehab_pose.ros.runtime.run import OFF_THE_PATH, run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["PartsNode", "main"]


class PartsNode(StageNode):
    """Labels the parts of each silhouette with the help of its joints."""

    def __init__(self) -> None:
        super().__init__("parts")
        settings = self.settings("parts", PartSettings)
        self._labeller = self.stage(lambda: PartLabeller(settings))
        self._parts = self.output(topics.PARTS)
        self._twins = ExactTimeInput(self, topics.SILHOUETTE, topics.JOINTS, self._on_pair)

    def before_report(self) -> None:
        """Add what the pairing dropped."""
        self._twins.before_report()

    def _on_pair(self, pair: tuple[Message, Message]) -> bool:
        message, joints_message = pair
        silhouette, joints = silhouette_from_message(message), joints_from_message(joints_message)
        parts = self._labeller.get().label(silhouette, joints) if silhouette and joints else None
        stamp = message.header.stamp
        self._parts.publish(parts_message(self.factory, stamp_ns(stamp), message.header.frame_id, parts))
        return parts is not None


def main() -> int:
    """Run the node."""
    return run_node(PartsNode, niceness=OFF_THE_PATH)


if __name__ == "__main__":
    sys.exit(main())
