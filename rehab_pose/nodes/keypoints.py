"""silhouette -> keypoints: classical 2D points of the person."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.keypoints.detector import KeypointDetector
from rehab_pose.keypoints.settings import KeypointSettings
from rehab_pose.messages import topics
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.frames import silhouette_from_message
from rehab_pose.messages.keypoints import keypoints_message
from rehab_pose.ros.runtime.run import OFF_THE_PATH, run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["KeypointsNode", "main"]


class KeypointsNode(StageNode):
    """Runs the classical detectors on each silhouette."""

    def __init__(self) -> None:
        super().__init__("keypoints")
        settings = self.settings("keypoints", KeypointSettings)
        self._detector = self.stage(lambda: KeypointDetector(settings))
        self._keypoints = self.output(topics.KEYPOINTS)
        self.input(topics.SILHOUETTE, self._on_silhouette)

    def _on_silhouette(self, message: Message) -> bool:
        silhouette = silhouette_from_message(message)
        keypoints = self._detector.get().detect(silhouette) if silhouette else None
        stamp = message.header.stamp
        self._keypoints.publish(keypoints_message(self.factory, stamp_ns(stamp), message.header.frame_id, keypoints))
        return silhouette is not None


def main() -> int:
    """Run the node."""
    return run_node(KeypointsNode, niceness=OFF_THE_PATH)


if __name__ == "__main__":
    sys.exit(main())
