"""The node `session`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from rehab_pose.errors import InputError
from rehab_pose.graph import node_spec
from rehab_pose.launching.parent_process import launcher_ended
from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_from_message
from rehab_pose.messages.exercise import classification_from_message, progress_from_message, repetition_from_message
from rehab_pose.messages.floor import floor_plane_from_message
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.ros.adapters.exercise_action import ExerciseAction
from rehab_pose.ros.adapters.session_services import SessionServices
from rehab_pose.ros.io.exercise_list_input import ExerciseListInput
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode
from rehab_pose.session.settings import SessionSettings

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["SessionNode", "main"]

CHECK_PERIOD_S = 1.0
"""Period of the checks of recording and disk, and of the journal's lines about the observation [s]."""
NOT_NEW = "repetition received twice, or finished before the session"
"""Reason under which repetitions are counted as dropped."""
OWNER_ONLY = 0o077
"""Rights that the files of sessions do not give: they contain health data."""


class SessionNode(StageNode):
    """Serves the services and the action of sessions, records them and writes their reports."""

    def __init__(self) -> None:
        super().__init__(node_spec("session"))
        self._exercises = exercises = ExerciseListInput(self)
        self._session_services = SessionServices(self, self.settings(SessionSettings), exercises)
        self._controller = self._session_services.controller
        self._action = ExerciseAction(self, self._controller, lambda: self._session_services.stamp_ns, exercises)
        self.on_settings(SessionSettings, self._on_settings)
        # All callbacks run on the receiving thread: they are short, and share the session with services and action.
        self.listen(topics.EXERCISE, self._on_exercise)
        self.listen(topics.REPETITION, self._on_repetition, watched=False)
        self.listen(topics.REPETITION_PROGRESS, self._on_progress, watched=False)
        for topic, receive in (
            (topics.JOINTS, self._on_joints),
            (topics.JOINT_ANGLES, self._on_angles),
            (topics.FLOOR_PLANE, self._on_floor),
        ):
            self.listen(topic, receive, watched=False)
        self.create_timer(CHECK_PERIOD_S, self._check)

    def close(self) -> None:
        """Finish the files of a running session."""
        if launcher_ended():
            self._controller.suspend()  # the launcher was killed: the session goes on when it is started again
        else:
            self._controller.stop("the node was stopped")
        self._action.close()
        super().close()

    def before_report(self) -> None:
        """Show the session's id and recording on /diagnostics."""
        session = self._controller.session
        self.health.facts["session"] = session.session_id
        self.health.facts["recording"] = session.recording_path if session.running else ""

    def _on_settings(self, settings: SessionSettings) -> None:
        self._controller.settings = settings

    def _on_exercise(self, message: Message, arrived_s: float) -> None:
        result, present = classification_from_message(message), bool(message.body_id)
        self._check_label(result.label)
        self._session_services.stamp_ns = result.stamp_ns
        self._session_services.frame_id = result.frame_id
        self._controller.observe(
            result.stamp_ns,
            arrived_s,
            present=present,
            confidence=result.confidence,
            unknown_movement=result.out_of_distribution,
        )
        self._session_services.person(arrived_s, present=present)
        self._action.on_label(result.label)
        self.health.done(arrived_s, present=present)

    def _on_repetition(self, message: Message, _arrived_s: float) -> None:
        repetition = repetition_from_message(message)
        self._check_label(repetition.label)
        if self._controller.receive(repetition, self._session_services.stamp_ns):
            self._action.on_repetition(repetition)
        else:
            self.health.drop(NOT_NEW)

    def _check(self) -> None:
        self._controller.check(stage_running=self.count_publishers(topics.EXERCISE.name) > 0)

    def _on_progress(self, message: Message, _arrived_s: float) -> None:
        progress = progress_from_message(message)
        if progress is not None:
            self._check_label(progress.label)
        if self._controller.session.running:
            self._controller.movements.progress(progress)
        self._action.on_progress(progress)

    def _on_joints(self, message: Message, _arrived_s: float) -> None:
        if self._controller.session.running:
            self._controller.movements.joints(joints_from_message(message))

    def _on_angles(self, message: Message, _arrived_s: float) -> None:
        if self._controller.session.running:
            self._controller.movements.angles(angles_from_message(message))

    def _on_floor(self, message: Message, _arrived_s: float) -> None:
        self._controller.movements.floor(floor_plane_from_message(message))

    def _check_label(self, label: str) -> None:
        """Raise an InputError for a label that the running recogniser does not know; before its list came all pass."""
        labels = self._exercises.labels
        if labels is not None and label not in labels:
            msg = (
                f"label: expected one of the list on {topics.EXERCISE_LIST.name}, got {label!r}; its publisher is wrong"
            )
            raise InputError(msg)


def main() -> int:
    """Run the node; only the owner can read what it writes."""
    os.umask(OWNER_ONLY)
    return run_node(SessionNode)


if __name__ == "__main__":
    sys.exit(main())
