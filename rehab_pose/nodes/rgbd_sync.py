"""The node `rgbd_sync`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.messages.frames import frame_message
from rehab_pose.ros.io.camera_input import CameraInput
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.datatypes import RgbdFrame

__all__ = ["RgbdSyncNode", "main"]


class RgbdSyncNode(StageNode):
    """Pairs colour and depth by stamp and publishes one message a frame."""

    def __init__(self) -> None:
        super().__init__(node_spec("rgbd_sync"))
        self._camera = CameraInput(self, self._on_frame)

    def before_report(self) -> None:
        """Add the number of images without a partner to the health."""
        self._camera.before_report()

    def _on_frame(self, frame: RgbdFrame) -> bool:
        self.publish(topics.RGBD, frame_message(self.factory, frame))
        return True


def main() -> int:
    """Run the node."""
    return run_node(RgbdSyncNode)


if __name__ == "__main__":
    sys.exit(main())
