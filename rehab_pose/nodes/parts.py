"""The node `parts`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.keypoints import parts_message
from rehab_pose.messages.person import person_view_from_messages
from rehab_pose.parts.labeller import PartLabeller
from rehab_pose.parts.settings import PartSettings
from rehab_pose.ros.io.exact_time_input import ExactTimeInput
from rehab_pose.ros.runtime.on_demand import OnDemandInputs
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["PartsNode", "main"]


class PartsNode(StageNode):
    """Labels the body parts of each silhouette, guided by its joints, while parts have subscribers."""

    def __init__(self) -> None:
        super().__init__(node_spec("parts"))
        settings = self.settings(PartSettings)
        self._labeller = self.stage(lambda: PartLabeller(settings))
        self._pairs = ExactTimeInput(self, topics.SILHOUETTE, topics.JOINTS, self._on_pair)
        self._demand = OnDemandInputs(self, self._pairs.subscribe)

    def before_report(self) -> None:
        """Add the number of messages without a partner to the health."""
        self._pairs.before_report()

    def _on_pair(self, pair: tuple[Message, Message]) -> bool:
        parts = self._labeller.get().process(person_view_from_messages(*pair))
        header = pair[0].header
        self.publish(topics.PARTS, parts_message(self.factory, stamp_ns(header.stamp), header.frame_id, parts))
        return parts is not None


def main() -> int:
    """Run the node."""
    return run_node(PartsNode)


if __name__ == "__main__":
    sys.exit(main())
