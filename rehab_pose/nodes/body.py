"""The node `body`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.settings import BodySettings
from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.messages.body import body_message, topology_message, vertices_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.person import person_view_from_messages
from rehab_pose.ros.io.exact_time_input import ExactTimeInput
from rehab_pose.ros.runtime.lazy_stage import warmed_up
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["BodyNode", "main"]


class BodyNode(StageNode):
    """Fits the body model to the joints and the depth of each frame."""

    def __init__(self) -> None:
        super().__init__(node_spec("body"))
        settings = self.settings(BodySettings)
        self._fitter = self.stage(lambda: warmed_up(BodyFitter(settings)))
        self._topology_sent = False
        self._pairs = ExactTimeInput(self, topics.SILHOUETTE, topics.JOINTS, self._on_pair)

    def before_report(self) -> None:
        """Add the number of messages without a partner to the health."""
        self._pairs.before_report()

    def _on_pair(self, pair: tuple[Message, Message]) -> bool:
        fitter = self._fitter.get()
        body = fitter.process(person_view_from_messages(*pair))
        if not self._topology_sent:
            self._topology_sent = True
            self.publish(topics.TOPOLOGY, topology_message(self.factory, fitter.model))
        stamp, frame_id = stamp_ns(pair[0].header.stamp), pair[0].header.frame_id
        self.publish(topics.BODY, body_message(self.factory, stamp, frame_id, body))
        self.publish(topics.VERTICES, vertices_message(self.factory, stamp, frame_id, body))
        return body is not None


def main() -> int:
    """Run the node."""
    return run_node(BodyNode)


if __name__ == "__main__":
    sys.exit(main())
