"""Starts and stops sessions of a running graph for a node, without waiting: answers come as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rclpy.action import ActionClient

from rehab_pose.ros.io.message_factory import message_class

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.task import Future

    from rehab_pose.ros.runtime.stage_node import StageNode
    from rehab_pose.view.commands import StartCommand

__all__ = ["SessionCommands"]

DISCOVERY_S = 2.0
"""Longest wait for the session node at the first command [s]; on this machine it is found within one."""
NO_SESSION_NODE = "No session node is running; start the graph with `rehab-pose run`."
REFUSED = (
    "The session node refused this: another exercise is running (stop it first), it does not know the exercise, or the "
    "running session has another person's code. Its log has the reason."
)


class SessionCommands:
    """Sends goals of the action run_exercise and calls the service stop_session.

    All methods and answers run on the thread of the node's executor.
    """

    def __init__(self, node: StageNode, report: Callable[[str], None]) -> None:
        """Create no client yet: the first command does, so that a page without sessions costs nothing.

        Args:
            node: Its executor waits for the answers.
            report: Receives a sentence about each command's outcome; '' = it was accepted.
        """
        self._node, self._report = node, report
        self._goal_type = message_class("rehab_pose_msgs/action/RunExercise")
        self._stop_type = message_class("rehab_pose_msgs/srv/StopSession")
        self._goals: ActionClient[Any, Any, Any] | None = None
        self._stops: Any = None

    def start(self, command: StartCommand) -> None:
        """Start counting an exercise, in a session of its own unless one is running."""
        if self._goals is None:
            self._goals = ActionClient(self._node, self._goal_type, "run_exercise")
        if not self._goals.wait_for_server(DISCOVERY_S):
            self._report(NO_SESSION_NODE)
            return
        goal = self._goal_type.Goal(
            exercise=command.exercise,
            repetitions=command.repetitions,
            side=int(command.side),
            subject_code=command.subject_code,
        )
        self._goals.send_goal_async(goal).add_done_callback(self._on_answer)

    def stop(self) -> None:
        """End the running session."""
        if self._stops is None:
            self._stops = self._node.create_client(self._stop_type, "stop_session")
        if not self._stops.wait_for_service(DISCOVERY_S):
            self._report(NO_SESSION_NODE)
            return
        self._stops.call_async(self._stop_type.Request()).add_done_callback(self._on_stopped)

    def _on_answer(self, future: Future[Any]) -> None:
        handle = future.result()
        self._report("" if handle is not None and handle.accepted else REFUSED)

    def _on_stopped(self, future: Future[Any]) -> None:
        answer = future.result()
        self._report("" if answer is not None and answer.success else "No session was running.")
