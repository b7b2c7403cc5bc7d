"""body -> joint_angles, joint_states and bones."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.biomechanics.settings import BiomechanicsSettings
from rehab_pose.biomechanics.solver import AngleSolver
from rehab_pose.bones.inferrer import BoneInferrer
from rehab_pose.bones.settings import BoneSettings
from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_message, bones_message, joint_state_message
from rehab_pose.messages.body import body_from_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.ros.runtime.lazy_stage import warmed
from rehab_pose.ros.runtime.run import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["BiomechanicsNode", "main"]


class BiomechanicsNode(StageNode):
    """Solves joint angles and infers the bones of each fitted body."""

    def __init__(self) -> None:
        super().__init__("biomechanics")
        settings = self.settings("biomechanics", BiomechanicsSettings)
        anatomy_settings = self.settings("anatomy", BoneSettings)
        self._solver = self.stage(lambda: warmed(AngleSolver(settings)))
        self._inferrer = self.stage(lambda: BoneInferrer(anatomy_settings))
        self._angles = self.output(topics.JOINT_ANGLES)
        self._joint_states = self.output(topics.JOINT_STATES)
        self._bones = self.output(topics.BONES)
        self.input(topics.BODY, self._on_body)

    def _on_body(self, message: Message) -> bool:
        solver, inferrer = self._solver.get(), self._inferrer.get()
        body = body_from_message(message)
        if body is None:
            self.reset_stages()
        angles = solver.solve(body) if body else None
        bones = inferrer.infer(body) if body else None
        stamp, frame_id = stamp_ns(message.header.stamp), message.header.frame_id
        self._angles.publish(angles_message(self.factory, stamp, frame_id, angles))
        self._joint_states.publish(joint_state_message(self.factory, stamp, frame_id, angles))
        self._bones.publish(bones_message(self.factory, stamp, frame_id, bones))
        return body is not None


def main() -> int:
    """Run the node."""
    return run_node(BiomechanicsNode)


if __name__ == "__main__":
    sys.exit(main())
