"""The node `biomechanics`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.biomechanics.settings import BiomechanicsSettings
from rehab_pose.biomechanics.solver import AngleSolver
from rehab_pose.bones.inferrer import BoneInferrer
from rehab_pose.bones.settings import BoneSettings
from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_message, bones_message, joint_state_message
from rehab_pose.messages.body import body_from_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.ros.io.floor_input import FloorInput
from rehab_pose.ros.runtime.lazy_stage import warmed_up
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["BiomechanicsNode", "main"]


class BiomechanicsNode(StageNode):
    """Computes joint angles and bones of each fitted body."""

    def __init__(self) -> None:
        super().__init__(node_spec("biomechanics"))
        settings, bone_settings = self.settings(BiomechanicsSettings), self.settings(BoneSettings)
        self._solver = self.stage(lambda: warmed_up(AngleSolver(settings)))
        self._inferrer = self.stage(lambda: BoneInferrer(bone_settings))
        self._floor = FloorInput(self)
        self.input(topics.BODY, self._on_body)

    def _on_body(self, message: Message) -> bool:
        solver, inferrer = self._solver.get(), self._inferrer.get()
        body = body_from_message(message)
        solver.set_floor_plane(self._floor.plane)
        angles = solver.process(body)
        stamp, frame_id = stamp_ns(message.header.stamp), message.header.frame_id
        self.publish(topics.JOINT_ANGLES, angles_message(self.factory, stamp, frame_id, angles))
        if angles is not None:
            self.publish(topics.JOINT_STATES, joint_state_message(self.factory, stamp, frame_id, angles))
        if self.has_subscribers(topics.BONES):
            self.publish(topics.BONES, bones_message(self.factory, stamp, frame_id, inferrer.process(body)))
        return body is not None


def main() -> int:
    """Run the node."""
    return run_node(BiomechanicsNode)


if __name__ == "__main__":
    sys.exit(main())
