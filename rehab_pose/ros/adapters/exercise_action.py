"""Server of the action run_exercise: counts repetitions, sends feedback, and ends the goal.

A goal ends when its repetitions are done, when it is cancelled, or when its time is over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionServer, CancelResponse, GoalResponse

from rehab_pose.datatypes import RepetitionProgress, Side
from rehab_pose.errors import InputError, RehabPoseError
from rehab_pose.exercise.catalogue import NONE
from rehab_pose.ros.io.message_factory import message_class
from rehab_pose.ros.runtime.guard import guarded
from rehab_pose.session.state import Recording, Tally, check_code, check_exercise, check_side
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.action.server import ServerGoalHandle

    from rehab_pose.datatypes import Repetition
    from rehab_pose.messages.factory import Message
    from rehab_pose.ros.io.exercise_list_input import ExerciseListInput
    from rehab_pose.ros.runtime.stage_node import StageNode
    from rehab_pose.session.controller import SessionController

__all__ = ["ExerciseAction"]

CHECK_PERIOD_S = 0.1
"""Period of checking for cancellation and timeout [s]."""


class _PatientActionServer(ActionServer):  # type: ignore[misc]  # rclpy is not typed everywhere
    """Keeps an accepted goal in the state EXECUTING until `notify_execute` is called with a callback that ends it.

    rclpy's ActionServer expects a callback that runs until the goal ends. On a single thread that would block every
    other callback, and rclpy's executors poll a waiting coroutine without a pause.
    """

    def notify_execute(
        self, goal_handle: ServerGoalHandle[Any, Any, Any], execute_callback: Callable[[Any], Any] | None
    ) -> None:
        """Run the callback that ends the goal; without a callback the goal stays in execution."""
        if execute_callback is not None:
            super().notify_execute(goal_handle, execute_callback)


@dataclass
class _Goal:
    handle: ServerGoalHandle[Any, Any, Any]
    tally: Tally
    session_id: str
    own_session: bool
    """The session was started for this goal and ends with it."""
    deadline_ns: float


class ExerciseAction:
    """Serves the action run_exercise, one goal at a time."""

    def __init__(
        self,
        node: StageNode,
        controller: SessionController,
        newest_ns: Callable[[], int],
        exercises: ExerciseListInput,
    ) -> None:
        """Create the action server and the timer that checks for cancellation and timeout.

        Args:
            node: Serves the action and receives errors.
            controller: Starts and stops the session in which the repetitions of a goal are counted.
            newest_ns: Returns the stamp of the newest frame [ns].
            exercises: Keeps the names that the recogniser knows.
        """
        self._node, self._controller, self._newest_ns, self._exercises = node, controller, newest_ns, exercises
        [(self._name, kind)] = node.spec.actions
        self._action = message_class(f"rehab_pose_msgs/action/{kind}")
        self._closed = False
        self._goal: _Goal | None = None
        self._label = NONE
        self._last: Repetition | None = None
        self._server = _PatientActionServer(
            node,
            self._action,
            self._name,
            self._never_called,
            goal_callback=self._on_request,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=lambda _handle: CancelResponse.ACCEPT,
        )
        self._timer = node.create_timer(CHECK_PERIOD_S, self._check_goal)
        self._timer.cancel()

    def on_label(self, label: str) -> None:
        """Store the current label, which the feedback contains."""
        self._label = label

    def on_repetition(self, repetition: Repetition) -> None:
        """Count a repetition, after the session has counted it; end the goal when its number is reached."""
        goal = self._goal
        if goal is not None and goal.tally.count(repetition):
            self._last = repetition
            if goal.tally.done:
                self.on_progress(None)
                self._finish(f"all {len(goal.tally.counted)} repetitions done")

    def on_progress(self, progress: RepetitionProgress | None) -> None:
        """Send feedback on the progress of the exercise."""
        goal = self._goal
        if goal is None:
            return
        last = self._last
        feedback = self._action.Feedback(
            repetitions=len(goal.tally.counted),
            label=self._label,
            phase=int(progress.phase) if progress else 0,
            signal_name=progress.signal_name if progress else "",
            signal=float(progress.signal) if progress else math.nan,
            quality=float(last.quality) if last else math.nan,
            reasons=list(last.reasons) if last else [],
        )
        goal.handle.publish_feedback(feedback)

    def close(self) -> None:
        """Stop serving, unless the whole program ends: destroying the server can then take DDS seconds."""
        if self._node.context.ok() and not self._closed:
            self._closed = True
            self._server.destroy()

    def _on_request(self, request: Message) -> GoalResponse:
        answer = GoalResponse.REJECT
        with guarded(self._node, self._name):
            try:
                self._check(request)
            except RehabPoseError as error:
                # ROS sends no reason with a refused goal: it is logged and shown on /diagnostics.
                self._node.report_error(f"{self._name}: {error}")
            else:
                answer = GoalResponse.ACCEPT
        return answer

    def _check(self, request: Message) -> None:
        self._exercise_of(request)
        check_side(request.side)
        check_code("subject_code", request.subject_code)
        session = self._controller.session
        refusal = ""
        if request.repetitions < 1:
            refusal = "expected at least 1 repetition, got 0"
        elif not 0.0 <= request.timeout < math.inf:
            refusal = f"expected a timeout of 0 (none) or more seconds, got {request.timeout}"
        elif self._goal is not None:
            refusal = "expected no other goal, one is running; cancel it first"
        elif session.running and request.subject_code not in {"", session.subject_code}:
            refusal = (
                f"expected the subject_code {session.subject_code!r} of the running session, got "
                f"{request.subject_code!r}; stop that session first"
            )
        if refusal:
            raise InputError(refusal)

    def _exercise_of(self, request: Message) -> str:
        """Return the name of the exercise of a goal, '' = any.

        Raises:
            InputError: The name or the number is unknown.
        """
        return check_exercise(request.exercise_id, request.exercise, self._exercises.labels)

    def _on_accepted(self, handle: ServerGoalHandle[Any, Any, Any]) -> None:
        with guarded(self._node, self._name) as outcome:
            self._start_goal(handle)
        if outcome.error:
            self._goal = None
            result = self._action.Result(mean_quality=math.nan, message=outcome.error)
            with guarded(self._node, self._name):
                if handle.status == GoalStatus.STATUS_ACCEPTED:
                    handle.execute()
                self._server.notify_execute(handle, lambda ended: _end(ended, "abort", result))

    def _start_goal(self, handle: ServerGoalHandle[Any, Any, Any]) -> None:
        request = handle.request
        exercise = self._exercise_of(request)
        tally, of_session = (
            Tally(exercise, Side(request.side), request.repetitions, self._newest_ns()) for _ in range(2)
        )
        own_session = not self._controller.session.running
        continued = self._controller.continued_goal(tally)
        handle.execute()
        if own_session:
            recording = Recording[self._controller.settings.goal_recording.upper()]
            self._controller.start("", request.subject_code, of_session, recording, self._newest_ns(), goal=True)
        if continued is not None:  # sent again after this node was restarted
            tally.counted, own_session = continued, True
        deadline_ns = self._now_ns() + request.timeout * NS_PER_S if request.timeout else math.inf
        self._last = None
        self._goal = _Goal(handle, tally, self._controller.session.session_id, own_session, deadline_ns)
        self._timer.reset()

    def _check_goal(self) -> None:
        goal = self._goal
        if goal is None:
            self._timer.cancel()
        elif goal.handle.is_cancel_requested:
            self._finish("cancelled", "canceled")
        elif not (self._controller.session.running and self._controller.session.session_id == goal.session_id):
            self._finish("the session was ended", "abort")
        elif self._now_ns() > goal.deadline_ns:
            self._finish(f"the time ran out after {len(goal.tally.counted)} repetitions", "abort", timed_out=True)

    def _finish(self, message: str, final_state: str = "succeed", *, timed_out: bool = False) -> None:
        """End the goal, and its session if that was started for this goal."""
        goal, self._goal = self._goal, None
        if goal is None:
            return
        self._timer.cancel()
        kept = self._controller.session.session_id == goal.session_id  # else another one was started meanwhile
        if kept and goal.own_session:
            self._controller.stop(message)
        elif kept:
            self._controller.write_report()
        tally = goal.tally
        result = self._action.Result(
            repetitions=len(tally.counted),
            left=tally.of_side(Side.LEFT),
            right=tally.of_side(Side.RIGHT),
            other_exercises=tally.others,
            mean_quality=tally.mean_quality,
            timed_out=timed_out,
            report_path=self._controller.session.report_path if kept else "",
            message=message,
        )
        self._server.notify_execute(goal.handle, lambda handle: _end(handle, final_state, result))

    def _now_ns(self) -> int:
        nanoseconds: int = self._node.get_clock().now().nanoseconds
        return nanoseconds

    @staticmethod
    def _never_called(_handle: ServerGoalHandle[Any, Any, Any]) -> None:
        msg = "a goal is ended by the callback that is passed with it"
        raise NotImplementedError(msg)


def _end(handle: ServerGoalHandle[Any, Any, Any], final_state: str, result: Message) -> Message:
    """Set a goal's final state; a cancellation that arrived meanwhile has precedence."""
    getattr(handle, "canceled" if handle.is_cancel_requested else final_state)()
    return result
