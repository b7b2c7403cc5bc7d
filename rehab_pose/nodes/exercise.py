"""joints -> exercise (and its label as a String), exercise/list, repetition, repetition/progress."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.messages import topics
from rehab_pose.messages.exercise import (
    exercise_list_message,
    label_message,
    progress_message,
    recognition_message,
    repetition_message,
)
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.ros.runtime.run import run_node
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["ExerciseNode", "main"]

WAITING = 10
"""Joint messages that may wait: small, and each one carries a piece of the movement."""


class ExerciseNode(StageNode):
    """Names the exercise and counts its repetitions."""

    def __init__(self) -> None:
        super().__init__("exercise")
        settings = self.live_settings("exercise", ExerciseSettings, self._on_settings)
        self._recogniser = self.stage(lambda: ExerciseRecogniser(settings))
        self._exercise = self.output(topics.EXERCISE)
        self._label = self.output(topics.EXERCISE_LABEL)
        self._list = self.output(topics.EXERCISE_LIST)
        self._repetition = self.output(topics.REPETITION)
        self._progress = self.output(topics.REPETITION_PROGRESS)
        self._list.publish(exercise_list_message(self.factory))
        self.input(topics.JOINTS, self._on_joints, capacity=WAITING)

    def _on_settings(self, settings: ExerciseSettings) -> None:
        self._recogniser.change(
            lambda: ExerciseRecogniser(settings), lambda recogniser: recogniser.change_settings(settings)
        )

    def _on_joints(self, message: Message) -> bool:
        joints = joints_from_message(message)
        stamp = stamp_ns(message.header.stamp)
        update = self._recogniser.get().recognise(stamp, message.header.frame_id, joints)
        self._exercise.publish(recognition_message(self.factory, update.recognition))
        self._label.publish(label_message(self.factory, update.recognition))
        self._progress.publish(progress_message(self.factory, stamp, message.header.frame_id, update.progress))
        if update.repetition is not None:
            self._repetition.publish(repetition_message(self.factory, update.repetition))
        return joints is not None


def main() -> int:
    """Run the node."""
    return run_node(ExerciseNode)


if __name__ == "__main__":
    sys.exit(main())
