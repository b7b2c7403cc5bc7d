"""The node `joints`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.graph import node_spec
from rehab_pose.joints.predictor import JointPredictor
from rehab_pose.joints.settings import JointSettings
from rehab_pose.messages import topics
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.frames import silhouette_from_message
from rehab_pose.messages.joints import joints_message
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["JointsNode", "main"]


class JointsNode(StageNode):
    """Predicts the joints of each silhouette."""

    def __init__(self) -> None:
        super().__init__(node_spec("joints"))
        settings = self.settings(JointSettings)
        self._predictor = self.stage(lambda: JointPredictor(settings))
        self.input(topics.SILHOUETTE, self._on_silhouette)

    def _on_silhouette(self, message: Message) -> bool:
        joints = self._predictor.get().process(silhouette_from_message(message))
        stamp, frame_id = stamp_ns(message.header.stamp), message.header.frame_id
        self.publish(topics.JOINTS, joints_message(self.factory, stamp, frame_id, joints))
        return joints is not None


def main() -> int:
    """Run the node."""
    return run_node(JointsNode)


if __name__ == "__main__":
    sys.exit(main())
