"""A client of the session node of a running graph: start and stop a session, its state, and the exercises."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from rehab_pose.errors import InputError
from rehab_pose.exercise.catalogue import NONE
from rehab_pose.messages import topics
from rehab_pose.messages.exercise import labels_from_message
from rehab_pose.messages.topic_names import nodes_namespace
from rehab_pose.ros.io.message_factory import message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.session.request import SessionReport, SessionRequest, StoppedSession
from rehab_pose.session.state import Recording, SessionStage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from rehab_pose.messages.factory import Message

__all__ = ["SessionClient"]

DISCOVERY_S = 4.0
"""Longest wait for the services of a graph [s]; on this machine they are found within one second."""
ANSWER_S = 20.0
"""Longest wait for an answer [s]; a busy graph writes the files of a session first."""


class SessionClient:
    """Asks the session node; used as a context manager, in a program that has not set up ROS."""

    def __init__(self, namespace: str = "") -> None:
        """Use `with`, which sets up ROS.

        Args:
            namespace: Namespace above that of the nodes; '' = none.
        """
        self._namespace = nodes_namespace(namespace)
        self._context = rclpy.Context()
        self._state: Message | None = None
        self._labels: tuple[str, ...] | None = None

    def __enter__(self) -> Self:
        """Set up ROS and wait for the session node.

        Raises:
            InputError: No graph is running.
        """
        self._context.init()
        self._node = Node("rehab_pose_session_client", namespace=self._namespace, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        for topic, keep in ((topics.SESSION_STATE, self._keep), (topics.EXERCISE_LIST, self._keep_list)):
            self._node.create_subscription(message_class(topic.type_name), topic.name, keep, qos(topic.delivery))
        self._clients = {
            kind: self._node.create_client(message_class(f"rehab_pose_msgs/srv/{kind}"), name)
            for kind, name in (
                ("StartSession", "start_session"),
                ("StopSession", "stop_session"),
                ("ListExercises", "list_exercises"),
            )
        }
        found = self._wait(
            lambda: self._state is not None and all(client.service_is_ready() for client in self._clients.values()),
            DISCOVERY_S,
        )
        if not found:
            self._close()
            place = f" in the namespace {self._namespace}"
            msg = f"no graph with a session node is running{place}; start one in another terminal: `rehab-pose run`"
            raise InputError(msg)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Leave the graph."""
        self._close()

    def exercises(self, *, wait: bool = False) -> list[str]:
        """Return the labels of the exercises that the running recogniser knows, without `none`.

        Args:
            wait: Wait for a recogniser that is still starting; without one the session node names the shipped five.

        Raises:
            InputError: The session node does not answer.
        """
        if wait:
            self._wait(lambda: self._labels is not None, ANSWER_S)
        labels = self._call("ListExercises").labels if self._labels is None else self._labels
        return [label for label in labels if label != NONE]

    @property
    def recogniser_known(self) -> bool:
        """True if the recogniser has sent its list of exercises."""
        return self._labels is not None

    def state(self) -> SessionReport:
        """Return the state of the running or the last session."""
        message = self._state
        assert message is not None  # noqa: S101  (`__enter__` waits for it)
        return SessionReport(
            session_id=message.session_id,
            subject_code=message.subject_code,
            stage=SessionStage(message.state),
            exercise=message.exercise,
            repetitions=message.repetitions,
            target=message.target_repetitions,
            recording=Recording(message.recording),
            message=message.message,
        )

    def start(self, request: SessionRequest) -> SessionReport:
        """Start a session, which ends a running one; return its state.

        Raises:
            InputError: The node refuses, with its reason, or does not answer.
        """
        before = self._state
        answer = self._call(
            "StartSession",
            subject_code=request.subject_code,
            exercise=request.exercise,
            target_repetitions=request.repetitions,
            side=int(request.side),
            recording=int(request.recording),
        )
        if not answer.success:
            raise InputError(answer.message)
        if not self._wait(lambda: self._state is not before and self.state().running, ANSWER_S):
            msg = f"the session has not started within {ANSWER_S:.0f} s; look at `rehab-pose doctor`"
            raise InputError(msg)
        return self.state()

    def changes(self) -> Iterator[SessionReport]:
        """Yield each change of the running session; the last one is its end."""
        while self.state().running:
            before = self._state
            if self._wait(lambda: self._state is not before, ANSWER_S):  # noqa: B023  (called before the next turn)
                yield self.state()

    def stop(self) -> StoppedSession | None:
        """End the running session; return what it left, None if none is running.

        Raises:
            InputError: The session node does not answer.
        """
        state = self.state()
        answer = self._call("StopSession")
        if not answer.success:
            return None
        return StoppedSession(
            folder_name=state.folder_name,
            repetitions=answer.repetitions,
            target=state.target,
            report_path=answer.report_path,
            recording_path=answer.recording_path,
            message=answer.message,
        )

    def _call(self, kind: str, **fields: object) -> Any:  # noqa: ANN401  (an answer of any service)
        request = message_class(f"rehab_pose_msgs/srv/{kind}").Request(**fields)
        return self._answer(self._clients[kind].call_async(request))

    def _answer(self, future: Any) -> Any:  # noqa: ANN401  (rclpy is not typed everywhere)
        if not self._wait(future.done, ANSWER_S):
            msg = f"the session node has not answered for {ANSWER_S:.0f} s; look at `rehab-pose doctor`"
            raise InputError(msg)
        return future.result()

    def _keep(self, message: Message) -> None:
        self._state = message

    def _keep_list(self, message: Message) -> None:
        self._labels = labels_from_message(message)

    def _wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        end_s = time.monotonic() + timeout_s
        while not condition() and time.monotonic() < end_s:
            self._executor.spin_once(timeout_sec=0.05)
        return condition()

    def _close(self) -> None:
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()
