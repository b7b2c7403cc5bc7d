"""The node `exercise`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.datatypes import JointsOfFrame
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.messages.results import exercise_messages
from rehab_pose.ros.io.exercise_list_output import ExerciseListOutput
from rehab_pose.ros.io.findings_input import FindingsInput
from rehab_pose.ros.io.floor_input import FloorInput
from rehab_pose.ros.io.tf_input import FixedFrameInput
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode
from rehab_pose.ros.runtime.stamp_report import report_stamp

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["ExerciseNode", "main"]

JOINTS_CAPACITY = 10
"""Joint messages that may wait: they are small, and each one is a sample of the movement."""


class ExerciseNode(StageNode):
    """Classifies the exercise and counts its repetitions."""

    def __init__(self) -> None:
        super().__init__(node_spec("exercise"))
        settings = self.settings(ExerciseSettings)
        self.on_settings(ExerciseSettings, self._on_settings)
        self._recogniser = self.stage(lambda: ExerciseRecogniser(settings))
        self._floor = FloorInput(self)
        self._fixed_frame = FixedFrameInput(self, settings.fixed_frame)
        self._findings = FindingsInput(self, use=settings.streams == "fused")
        self._list = ExerciseListOutput(self)
        if self._recogniser.built is not None:
            self._list.update(self._recogniser.built.labels)
        self.input(topics.JOINTS, self._on_joints, capacity=JOINTS_CAPACITY)

    def _on_settings(self, settings: ExerciseSettings) -> None:
        self._fixed_frame.change(settings.fixed_frame)
        self._findings.change(use=settings.streams == "fused")
        self._recogniser.change(
            lambda: ExerciseRecogniser(settings), lambda recogniser: recogniser.change_settings(settings)
        )

    def _on_joints(self, message: Message) -> bool:
        stamp, frame_id = stamp_ns(message.header.stamp), message.header.frame_id
        joints = joints_from_message(message)
        recogniser = self._recogniser.get()
        self._list.update(recogniser.labels)
        recogniser.set_floor_plane(self._floor.plane)
        recogniser.set_camera_pose(self._fixed_frame.pose(frame_id, stamp))
        update = recogniser.process(JointsOfFrame(stamp, frame_id, joints))
        report_stamp(self, recogniser.verdict)
        for topic, result in exercise_messages(self.factory, update):
            self.publish(topic, result)
        self._findings.deliver(recogniser.findings)
        return joints is not None


def main() -> int:
    """Run the node."""
    return run_node(ExerciseNode)


if __name__ == "__main__":
    sys.exit(main())
