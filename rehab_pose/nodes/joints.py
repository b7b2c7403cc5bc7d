"""The node `joints`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.body.settings import BodySettings
from rehab_pose.graph import node_spec
from rehab_pose.joints.settings import JointSettings
from rehab_pose.messages import topics
from rehab_pose.messages.body import body_message, topology_message, vertices_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.frames import silhouette_from_message
from rehab_pose.messages.image_joints import image_joints_from_message
from rehab_pose.messages.joints import joints_message
from rehab_pose.ros.io.exact_time_input import ExactTimeInput
from rehab_pose.ros.runtime.lazy_stage import warmed_up
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode
from rehab_pose.stage_groups import PoseStages

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["JointsNode", "main"]


class JointsNode(StageNode):
    """Estimates joints and body of the person in each silhouette."""

    def __init__(self) -> None:
        super().__init__(node_spec("joints"))
        joints, body = self.settings(JointSettings), self.settings(BodySettings)
        self._stages = self.stage(lambda: warmed_up(PoseStages(joints, body)))
        self._topology_sent = False
        self._pairs = ExactTimeInput(self, topics.SILHOUETTE, topics.IMAGE_JOINTS, self._on_pair)
        self._pairs.subscribe()

    def before_report(self) -> None:
        """Add the number of messages without a partner to the health."""
        self._pairs.before_report()

    def _on_pair(self, pair: tuple[Message, Message]) -> bool:
        stages = self._stages.get()
        silhouette, image_joints = silhouette_from_message(pair[0]), image_joints_from_message(pair[1])
        result = stages.process(silhouette, image_joints)
        stamp, frame_id = stamp_ns(pair[0].header.stamp), pair[0].header.frame_id
        self.publish(topics.JOINTS, joints_message(self.factory, stamp, frame_id, result.joints))
        if not self._topology_sent:
            self._topology_sent = True
            self.publish(topics.TOPOLOGY, topology_message(self.factory, stages.body.model))
        self.publish(topics.BODY, body_message(self.factory, stamp, frame_id, result.body))
        if self.has_subscribers(topics.VERTICES):
            self.publish(topics.VERTICES, vertices_message(self.factory, stamp, frame_id, result.body))
        return result.joints is not None


def main() -> int:
    """Run the node."""
    return run_node(JointsNode)


if __name__ == "__main__":
    sys.exit(main())
