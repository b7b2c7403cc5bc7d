"""A session: what one person does between start and stop, on services and on the latched session_state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.messages.carrier import header
from rehab_pose.messages.exercise import exercise_list_message
from rehab_pose.ros.carrier import message_class

if TYPE_CHECKING:
    from rclpy.publisher import Publisher

    from rehab_pose.datatypes import ExerciseUpdate
    from rehab_pose.messages.carrier import Message
    from rehab_pose.ros.stage_node import StageNode

__all__ = ["Session", "SessionServices", "SessionStage"]

ANY_EXERCISE = 0
NS_PER_S = 1_000_000_000


class SessionStage(IntEnum):
    """The constants of SessionState.msg."""

    IDLE = 1
    RUNNING = 2
    DONE = 3


@dataclass
class Session:
    """Counts the repetitions of the running session."""

    session_id: str = ""
    stage: SessionStage = SessionStage.IDLE
    exercise_id: int = ANY_EXERCISE
    repetitions: int = 0
    target_repetitions: int = 0
    message: str = "no session yet"

    def start(self, session_id: str, exercise_id: int, target_repetitions: int) -> None:
        """Begin anew; one that runs is ended by it."""
        self.session_id, self.exercise_id, self.target_repetitions = session_id, exercise_id, target_repetitions
        self.stage, self.repetitions, self.message = SessionStage.RUNNING, 0, "started"

    def stop(self) -> bool:
        """End the session; return whether one was running."""
        running = self.stage is SessionStage.RUNNING
        if running:
            self.stage, self.message = SessionStage.DONE, "stopped"
        return running

    def count(self, label: str) -> bool:
        """Count a repetition if it belongs to the session; return whether it did."""
        wanted = self.exercise_id in {ANY_EXERCISE, LABELS.index(label)}
        if self.stage is not SessionStage.RUNNING or not wanted:
            return False
        self.repetitions += 1
        self.message = f"{label}: {self.repetitions}"
        if self.target_repetitions and self.repetitions >= self.target_repetitions:
            self.stage, self.message = SessionStage.DONE, f"all {self.repetitions} repetitions done"
        return True


class SessionServices:
    """The services start_session, stop_session and list_exercises of a node, and its session_state."""

    def __init__(self, node: StageNode, publisher: Publisher[Any]) -> None:
        self._node = node
        self._publisher = publisher
        self._session = Session()
        self._stamp_ns = 0
        self._frame_id = ""
        for name, handler in (
            ("StartSession", self._on_start),
            ("StopSession", self._on_stop),
            ("ListExercises", self._on_list),
        ):
            kind = message_class(f"rehab_pose_msgs/srv/{name}")
            node.create_service(kind, _SERVICE_NAMES[name], handler)
        self._publish()

    def on_update(self, stamp_ns: int, frame_id: str, update: ExerciseUpdate) -> None:
        """Take what the exercise stage said about a frame."""
        self._stamp_ns, self._frame_id = stamp_ns, frame_id
        if update.repetition is not None and self._session.count(update.repetition.label):
            self._publish()

    def _publish(self) -> None:
        session, carrier = self._session, self._node.carrier
        message = carrier.make(
            "rehab_pose_msgs/msg/SessionState",
            header=header(carrier, self._stamp_ns, self._frame_id),
            session_id=session.session_id,
            state=int(session.stage),
            exercise_id=session.exercise_id,
            repetitions=session.repetitions,
            target_repetitions=session.target_repetitions,
            message=session.message,
        )
        self._publisher.publish(message)

    def _on_start(self, request: Message, response: Message) -> Message:
        if request.exercise_id >= len(LABELS):
            response.success = False
            response.message = f"expected an exercise_id from 0 to {len(LABELS) - 1}, got {request.exercise_id}"
            response.session_id = self._session.session_id
            return response
        session_id = request.session_id or f"session_{self._stamp_ns // NS_PER_S}"
        self._session.start(session_id, request.exercise_id, request.target_repetitions)
        self._publish()
        response.success, response.message, response.session_id = True, "started", session_id
        return response

    def _on_stop(self, _request: Message, response: Message) -> Message:
        response.success = self._session.stop()
        response.message = "stopped" if response.success else "no session was running"
        response.repetitions = self._session.repetitions
        self._publish()
        return response

    def _on_list(self, _request: Message, response: Message) -> Message:
        listed = exercise_list_message(self._node.carrier)
        response.ids, response.labels = listed.ids, listed.labels
        return response


_SERVICE_NAMES = {
    "StartSession": "start_session",
    "StopSession": "stop_session",
    "ListExercises": "list_exercises",
}
