"""body -> /tf: body_<id> in the camera's frame and every link of the body in it; needs tf2_msgs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.messages import topics
from rehab_pose.messages.body import body_from_message
from rehab_pose.ros.adapters.links import link_transforms
from rehab_pose.ros.runtime.run import OFF_THE_PATH, run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["TfBridgeNode", "main"]


class TfBridgeNode(StageNode):
    """Tells tf2 where the body is. Nobody there: nothing is said, and the frames age."""

    def __init__(self) -> None:
        super().__init__("tf_bridge")
        self._tf = self.output(topics.TF)
        self.input(topics.BODY, self._on_body)

    def _on_body(self, message: Message) -> bool:
        body = body_from_message(message)
        if body is not None:
            self._tf.publish(link_transforms(self.factory, body))
        return body is not None


def main() -> int:
    """Run the node."""
    return run_node(TfBridgeNode, niceness=OFF_THE_PATH)


if __name__ == "__main__":
    sys.exit(main())
