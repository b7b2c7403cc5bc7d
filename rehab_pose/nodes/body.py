"""silhouette + joints of the same stamp -> body (SMPL parameters), body/vertices and the latched body/topology."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.settings import BodySettings
from rehab_pose.messages import topics
from rehab_pose.messages.body import body_message, topology_message, vertices_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.frames import silhouette_from_message
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.ros.io.exact_time_input import ExactTimeInput
from rehab_pose.ros.runtime.lazy_stage import warmed
from rehab_pose.ros.runtime.run import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["BodyNode", "main"]


class BodyNode(StageNode):
    """Fits the body model to the joints and the depth of each frame."""

    def __init__(self) -> None:
        super().__init__("body")
        settings = self.settings("body", BodySettings)
        self._fitter = self.stage(lambda: warmed(BodyFitter(settings)))
        self._body = self.output(topics.BODY)
        self._vertices = self.output(topics.VERTICES)
        self._topology = self.output(topics.TOPOLOGY)
        self._announced = False
        self._twins = ExactTimeInput(self, topics.SILHOUETTE, topics.JOINTS, self._on_pair)

    def before_report(self) -> None:
        """Add what the pairing dropped."""
        self._twins.before_report()

    def _on_pair(self, pair: tuple[Message, Message]) -> bool:
        fitter = self._fitter.get()
        silhouette_message, message = pair
        silhouette, joints = silhouette_from_message(silhouette_message), joints_from_message(message)
        if joints is None:
            fitter.process(None)
        body = fitter.fit(joints, silhouette) if joints else None
        if not self._announced:
            self._announced = True
            self._topology.publish(topology_message(self.factory, fitter.model))
        stamp, frame_id = stamp_ns(message.header.stamp), message.header.frame_id
        self._body.publish(body_message(self.factory, stamp, frame_id, body))
        self._vertices.publish(vertices_message(self.factory, stamp, frame_id, body))
        return body is not None


def main() -> int:
    """Run the node."""
    return run_node(BodyNode)


if __name__ == "__main__":
    sys.exit(main())
