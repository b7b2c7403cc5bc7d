"""silhouette -> joints: 24 joint centres in 3D."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.joints.predictor import JointPredictor
from rehab_pose.joints.settings import JointSettings
from rehab_pose.messages import topics
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.frames import silhouette_from_message
from rehab_pose.messages.joints import joints_message
from rehab_pose.ros.runtime.run import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["JointsNode", "main"]


class JointsNode(StageNode):
    """Predicts the joints of each silhouette."""

    def __init__(self) -> None:
        super().__init__("joints")
        settings = self.settings("joints", JointSettings)
        self._predictor = self.stage(lambda: JointPredictor(settings))
        self._joints = self.output(topics.JOINTS)
        self.input(topics.SILHOUETTE, self._on_silhouette)

    def _on_silhouette(self, message: Message) -> bool:
        silhouette = silhouette_from_message(message)
        predictor = self._predictor.get()
        if silhouette is None:
            predictor.reset()
        joints = predictor.predict(silhouette) if silhouette else None
        stamp = message.header.stamp
        self._joints.publish(joints_message(self.factory, stamp_ns(stamp), message.header.frame_id, joints))
        return silhouette is not None


def main() -> int:
    """Run the node."""
    return run_node(JointsNode)


if __name__ == "__main__":
    sys.exit(main())
