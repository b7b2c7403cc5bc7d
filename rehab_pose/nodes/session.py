"""The node `session`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.messages.exercise import progress_from_message, repetition_from_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.ros.adapters.exercise_action import ExerciseAction
from rehab_pose.ros.adapters.session_services import SessionServices
from rehab_pose.ros.io.exercise_list_input import ExerciseListInput
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode
from rehab_pose.session.settings import SessionSettings

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["SessionNode", "main"]


class SessionNode(StageNode):
    """Serves the services and the action of sessions, records them and writes their reports."""

    def __init__(self) -> None:
        super().__init__(node_spec("session"))
        exercises = ExerciseListInput(self)
        self._session_services = SessionServices(self, self.settings(SessionSettings), exercises)
        self._controller = self._session_services.controller
        self._action = ExerciseAction(self, self._controller, lambda: self._session_services.stamp_ns, exercises)
        self.on_settings(SessionSettings, self._on_settings)
        # All callbacks run on the receiving thread: they are short, and share the session with services and action.
        self.listen(topics.EXERCISE, self._on_exercise)
        self.listen(topics.REPETITION, self._on_repetition, watched=False)
        self.listen(topics.REPETITION_PROGRESS, self._on_progress, watched=False)

    def close(self) -> None:
        """Finish the files of a running session."""
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
        self._session_services.stamp_ns = stamp_ns(message.header.stamp)
        self._session_services.frame_id = message.header.frame_id
        self._action.on_label(message.label)
        self.health.done(arrived_s, present=bool(message.body_id))

    def _on_repetition(self, message: Message, _arrived_s: float) -> None:
        repetition = repetition_from_message(message)
        self._controller.count(repetition)
        self._action.on_repetition(repetition)

    def _on_progress(self, message: Message, _arrived_s: float) -> None:
        self._action.on_progress(progress_from_message(message))


def main() -> int:
    """Run the node."""
    return run_node(SessionNode)


if __name__ == "__main__":
    sys.exit(main())
