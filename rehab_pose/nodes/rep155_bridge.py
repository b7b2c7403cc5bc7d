"""The node `rep155_bridge`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.messages.body import body_from_message
from rehab_pose.messages.camera_info import intrinsics_from_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.messages.topic_names import body_id
from rehab_pose.ros.adapters.human_joints import human_joint_state
from rehab_pose.ros.adapters.links import link_transforms
from rehab_pose.ros.adapters.rep155 import ids_message, region_message, skeleton_message
from rehab_pose.ros.adapters.settings import TfSettings
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.geometry.camera import CameraIntrinsics
    from rehab_pose.messages.factory import Message

__all__ = ["Rep155BridgeNode", "main"]

CAPACITY = 4
"""Messages that may wait: joints and body of the same frame arrive almost together."""


class Rep155BridgeNode(StageNode):
    """Publishes joints and body as the messages of ROS4HRI."""

    def __init__(self) -> None:
        super().__init__(node_spec("rep155_bridge"))
        self._body_id, self._prefix = body_id(self.get_namespace()), self.settings(TfSettings).frame_prefix
        self._camera: CameraIntrinsics | None = None
        self._camera_info: Message | None = None
        self.listen(topics.CAMERA_INFO, self._on_camera_info, watched=False)
        self.input(topics.JOINTS, self._on_joints, capacity=CAPACITY)
        self.input(topics.BODY, self._on_body, capacity=CAPACITY)

    def _on_camera_info(self, message: Message, _arrived_s: float) -> None:
        self._camera_info = message

    def _on_joints(self, message: Message) -> bool:
        if self._camera is None and self._camera_info is not None:
            self._camera = intrinsics_from_message(self._camera_info)
        joints = joints_from_message(message)
        ids = [] if joints is None else [self._body_id]
        stamp, frame_id = stamp_ns(message.header.stamp), message.header.frame_id
        self.publish(topics.HRI_TRACKED, ids_message(self.factory, stamp, frame_id, ids))
        if joints is not None and self._camera is not None:
            self.publish(topics.HRI_SKELETON, skeleton_message(self.factory, joints, self._camera))
            self.publish(topics.HRI_REGION, region_message(self.factory, joints, self._camera))
        return joints is not None

    def _on_body(self, message: Message) -> bool:
        body = body_from_message(message)
        if body is not None:
            self.publish(topics.HRI_JOINT_STATES, human_joint_state(self.factory, body, self._body_id))
            # body_<id> is the root of the frames that human_description's robot_state_publisher publishes.
            frame = link_transforms(self.factory, body, self._body_id, prefix=self._prefix, links=False)
            self.publish(topics.TF, frame)
        return body is not None


def main() -> int:
    """Run the node."""
    return run_node(Rep155BridgeNode)


if __name__ == "__main__":
    sys.exit(main())
