"""joints -> exercise (and its label as a String), exercise/list, repetition, repetition/progress."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.exercise.recognizer import ExerciseRecognizer
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.messages import topics
from rehab_pose.messages.carrier import stamp_ns
from rehab_pose.messages.exercise import (
    exercise_list_message,
    label_message,
    progress_message,
    recognition_message,
    repetition_message,
)
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.ros.run import run_node
from rehab_pose.ros.stage_node import StageNode

if TYPE_CHECKING:
    from rehab_pose.messages.carrier import Message

__all__ = ["ExerciseNode", "main"]

WAITING = 10
"""Joint messages that may wait: small, and each one carries a piece of the movement."""


class ExerciseNode(StageNode):
    """Names the exercise and counts its repetitions."""

    def __init__(self) -> None:
        super().__init__("exercise")
        settings = self.live_settings("exercise", ExerciseSettings, self._on_settings)
        self._recognizer = self.stage(lambda: ExerciseRecognizer(settings))
        self._exercise = self.output(topics.EXERCISE)
        self._label = self.output(topics.EXERCISE_LABEL)
        self._list = self.output(topics.EXERCISE_LIST)
        self._repetition = self.output(topics.REPETITION)
        self._progress = self.output(topics.REPETITION_PROGRESS)
        self._list.publish(exercise_list_message(self.carrier))
        self.input(topics.JOINTS, self._on_joints, capacity=WAITING)

    def _on_settings(self, settings: ExerciseSettings) -> None:
        self._recognizer.change(
            lambda: ExerciseRecognizer(settings), lambda recognizer: recognizer.change_settings(settings)
        )

    def _on_joints(self, message: Message) -> bool:
        joints = joints_from_message(message)
        stamp = stamp_ns(message.header.stamp)
        update = self._recognizer.get().recognize(stamp, message.header.frame_id, joints)
        self._exercise.publish(recognition_message(self.carrier, update.recognition))
        self._label.publish(label_message(self.carrier, update.recognition))
        self._progress.publish(progress_message(self.carrier, stamp, message.header.frame_id, update.progress))
        if update.repetition is not None:
            self._repetition.publish(repetition_message(self.carrier, update.repetition))
        return joints is not None


def main() -> int:
    """Run the node."""
    return run_node(ExerciseNode)


if __name__ == "__main__":
    sys.exit(main())
