"""The node `tf_bridge`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.messages.body import body_from_message
from rehab_pose.messages.topic_names import body_id
from rehab_pose.ros.adapters.links import link_transforms
from rehab_pose.ros.adapters.settings import TfSettings
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["TfBridgeNode", "main"]


class TfBridgeNode(StageNode):
    """Publishes the links of the body as TF; without a person in view nothing is published."""

    def __init__(self) -> None:
        super().__init__(node_spec("tf_bridge"))
        self._body_id, self._prefix = body_id(self.get_namespace()), self.settings(TfSettings).frame_prefix
        self.input(topics.BODY, self._on_body)

    def _on_body(self, message: Message) -> bool:
        body = body_from_message(message)
        if body is not None:
            self.publish(topics.TF, link_transforms(self.factory, body, self._body_id, prefix=self._prefix))
        return body is not None


def main() -> int:
    """Run the node."""
    return run_node(TfBridgeNode)


if __name__ == "__main__":
    sys.exit(main())
