"""The node `keypoints`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.graph import node_spec
from rehab_pose.keypoints.detector import KeypointDetector
from rehab_pose.keypoints.settings import KeypointSettings
from rehab_pose.messages import topics
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.frames import silhouette_from_message
from rehab_pose.messages.keypoints import keypoints_message
from rehab_pose.ros.runtime.on_demand import OnDemandInputs
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["KeypointsNode", "main"]


class KeypointsNode(StageNode):
    """Runs the classical detectors on each silhouette, while keypoints have subscribers."""

    def __init__(self) -> None:
        super().__init__(node_spec("keypoints"))
        settings = self.settings(KeypointSettings)
        self._detector = self.stage(lambda: KeypointDetector(settings))
        self._demand = OnDemandInputs(self, lambda: self.input(topics.SILHOUETTE, self._on_silhouette))

    def _on_silhouette(self, message: Message) -> bool:
        keypoints = self._detector.get().process(silhouette_from_message(message))
        stamp, frame_id = stamp_ns(message.header.stamp), message.header.frame_id
        self.publish(topics.KEYPOINTS, keypoints_message(self.factory, stamp, frame_id, keypoints))
        return keypoints is not None


def main() -> int:
    """Run the node."""
    return run_node(KeypointsNode)


if __name__ == "__main__":
    sys.exit(main())
