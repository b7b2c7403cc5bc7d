"""The services start_session, stop_session and list_exercises of a node, and its latched session_state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.errors import InputError, RehabPoseError
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.messages import topics
from rehab_pose.messages.exercise import exercise_list_message
from rehab_pose.messages.factory import header
from rehab_pose.ros.io.message_factory import message_class
from rehab_pose.ros.io.session_recording import SessionRecording
from rehab_pose.session.controller import SessionController
from rehab_pose.session.cues import SessionCues
from rehab_pose.session.state import Recording, Session, Tally, check_exercise, check_side

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message
    from rehab_pose.ros.io.exercise_list_input import ExerciseListInput
    from rehab_pose.ros.runtime.stage_node import StageNode
    from rehab_pose.session.settings import SessionSettings

__all__ = ["SessionServices"]


class SessionServices:
    """Serves the services and publishes each change of the session.

    Attributes:
        controller: Starts, counts and stops the session.
        stamp_ns: Stamp of the newest frame [ns]; set by the node.
        frame_id: Camera frame of the newest frame; set by the node.
    """

    def __init__(self, node: StageNode, settings: SessionSettings, exercises: ExerciseListInput) -> None:
        self._node, self._exercises = node, exercises
        self.stamp_ns = 0
        self.frame_id = ""
        self._cues = SessionCues()
        self.controller = SessionController(
            settings,
            lambda path, recording: SessionRecording.start(node, path, recording),
            self._publish,
            node.report_error,
            node=node.get_fully_qualified_name(),
        )
        handlers = {"StartSession": self._on_start, "StopSession": self._on_stop, "ListExercises": self._on_list}
        for name, kind in node.spec.services:
            node.create_service(message_class(f"rehab_pose_msgs/srv/{kind}"), name, handlers[kind])
        self.controller.continue_or_end()
        self._publish(self.controller.session)

    def _publish(self, session: Session) -> None:
        if not self._node.context.ok():
            return  # shutting down: the files are finished, and nothing can be published any more
        factory = self._node.factory
        message = factory.make(
            "rehab_pose_msgs/msg/SessionState",
            header=header(factory, self.stamp_ns, self.frame_id),
            session_id=session.session_id,
            subject_code=session.subject_code,
            state=int(session.stage),
            exercise_id=session.tally.exercise_id,
            exercise=session.tally.exercise,
            repetitions=len(session.tally.counted),
            target_repetitions=session.tally.target,
            recording=int(session.recording),
            recording_path=session.recording_path,
            message=session.message,
        )
        self._node.publish(topics.SESSION_STATE, message)
        self._say(self._cues.of_session(session))

    def person(self, now_s: float, *, present: bool) -> None:
        """Ask a person who left during a session to come back.

        Args:
            now_s: Time of the monotonic clock [s].
            present: Whether a person is in view.
        """
        self._say(self._cues.of_person(now_s, present=present))

    def _say(self, sentence: str) -> None:
        if sentence:
            self._node.publish(topics.FEEDBACK, self._node.factory.make("std_msgs/msg/String", data=sentence))

    def _on_start(self, request: Message, response: Message) -> Message:
        try:
            exercise = check_exercise(request.exercise_id, request.exercise, self._exercises.labels)
            tally = Tally(exercise, check_side(request.side), target=request.target_repetitions, since_ns=self.stamp_ns)
            session = self.controller.start(
                request.session_id, request.subject_code, tally, _tier(request.recording), self.stamp_ns
            )
        except RehabPoseError as error:
            response.success, response.message = False, str(error)
        else:
            response.success, response.message = True, "started"
            response.recording_path = session.recording_path
        running = self.controller.session
        response.session_id = running.session_id if running.running else ""
        return response

    def _on_stop(self, _request: Message, response: Message) -> Message:
        session = self.controller.session
        response.success = self.controller.stop("stopped")
        response.message = session.message if response.success else "no session was running"
        response.repetitions = len(session.tally.counted)
        response.recording_path, response.report_path = session.recording_path, session.report_path
        return response

    def _on_list(self, _request: Message, response: Message) -> Message:
        listed = exercise_list_message(self._node.factory, self._exercises.labels or LABELS)
        response.ids, response.labels = listed.ids, listed.labels
        return response


def _tier(number: int) -> Recording:
    if number not in set(Recording):
        tiers = ", ".join(f"{tier.value} ({tier.name.lower()})" for tier in Recording)
        msg = f"expected a recording of {tiers}, got {number}"
        raise InputError(msg)
    return Recording(number)
