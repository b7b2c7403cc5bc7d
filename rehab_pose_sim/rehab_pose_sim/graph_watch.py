"""Look on a running graph from outside: what came out, how late, and which frames were lost.

Used by the demo, the benchmark and the graph tests; not part of the graph.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from rehab_pose.messages import topics
from rehab_pose.messages.exercise import recognition_from_message, repetition_from_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.ros.io.message_factory import message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.ros.runtime.diagnostics import DIAGNOSTICS_TOPIC, PUBLISHERS
from rehab_pose.ros.runtime.stopping import quiet_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from rehab_pose.datatypes import ExerciseClassification, Repetition
    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.topics import Topic

__all__ = ["GraphRecord", "GraphWatch"]

FRAME_PATH = ("sim_camera", "rgbd_sync", "silhouette", "joints", "exercise", "pipeline")
"""Nodes that a frame passes on its way to a label: a frame lost on it must be counted by one of them."""


@dataclass
class GraphRecord:
    """What was seen; times are of the receiving machine's clock [ns since the epoch]."""

    camera_ns: dict[int, int] = field(default_factory=dict)
    """Stamp of each camera_info and when it came."""
    exercise_ns: dict[int, int] = field(default_factory=dict)
    """Stamp of each answer on `exercise` and when it came."""
    body_ns: dict[int, int] = field(default_factory=dict)
    """Stamp of each `body` and when it came."""
    recognitions: list[ExerciseClassification] = field(default_factory=list)
    repetitions: list[Repetition] = field(default_factory=list)
    diagnostics: dict[str, dict[str, str]] = field(default_factory=dict)
    """Last values of each node, its level and message among them."""
    complaints: list[str] = field(default_factory=list)
    """Each new WARN or ERROR message, as `node: message`."""

    def connected(self, nodes: Iterable[str]) -> bool:
        """Tell whether all these nodes report themselves and have found the publishers of all their inputs.

        The camera is left out: it may start later.
        """
        by_name = {name.strip("/").split("/")[-1]: values for name, values in self.diagnostics.items()}
        camera = {topic.name for topic in topics.CAMERA_TOPICS}
        return all(
            node in by_name
            and all(
                int(count) > 0
                for key, count in by_name[node].items()
                if key.startswith(PUBLISHERS) and not key.endswith(tuple(camera))
            )
            for node in nodes
        )

    def counted_losses(self) -> int:
        """Return how many frames on their way to a label the nodes say were dropped or lost."""
        return sum(
            int(value)
            for node, values in self.diagnostics.items()
            if node.strip("/").split("/")[-1] in FRAME_PATH
            for key, value in values.items()
            if key.startswith(("dropped:", "lost on the way:"))
        )

    def uncounted_losses(self, first_ns: int, last_ns: int) -> int:
        """Return how many camera frames between two stamps have neither an answer nor a count."""
        sent = [stamp for stamp in self.camera_ns if first_ns <= stamp <= last_ns]
        unanswered = sum(stamp not in self.exercise_ns for stamp in sent)
        return max(0, unanswered - self.counted_losses())


class GraphWatch:
    """Subscribes to a graph's results on a thread of its own, as a context manager."""

    def __init__(
        self,
        *,
        on_recognition: Callable[[ExerciseClassification], None] | None = None,
        on_repetition: Callable[[Repetition], None] | None = None,
    ) -> None:
        self.record = GraphRecord()
        self._on_recognition = on_recognition
        self._on_repetition = on_repetition
        self._context = rclpy.Context()
        self._thread = threading.Thread(target=self._spin, name="graph_watch", daemon=True)

    def __enter__(self) -> GraphWatch:  # noqa: PYI034  (Self came with Python 3.11)
        self._context.init()
        self._node = Node("graph_watch", context=self._context)
        self._listen(topics.CAMERA_INFO, self._camera)
        self._listen(topics.EXERCISE, self._exercise)
        self._listen(topics.BODY, self._body)
        self._listen(topics.REPETITION, self._repetition)
        array = message_class("diagnostic_msgs/msg/DiagnosticArray")
        self._node.create_subscription(array, DIAGNOSTICS_TOPIC, self._diagnostics, 50)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.try_shutdown()
        self._thread.join(timeout=5.0)

    def wait_for(self, condition: Callable[[GraphRecord], bool], timeout_s: float) -> bool:
        """Wait until a condition on the record holds; tell whether it did in time."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            if condition(self.record):
                return True
            time.sleep(0.02)
        return condition(self.record)

    def _spin(self) -> None:
        with quiet_end(self._context):
            self._executor.spin()

    def _listen(self, topic: Topic, receive: Callable[[Any], None]) -> None:
        self._node.create_subscription(message_class(topic.type_name), topic.name, receive, qos(topic.delivery))

    def _camera(self, message: Message) -> None:
        self.record.camera_ns[stamp_ns(message.header.stamp)] = time.time_ns()

    def _body(self, message: Message) -> None:
        self.record.body_ns[stamp_ns(message.header.stamp)] = time.time_ns()

    def _exercise(self, message: Message) -> None:
        recognition = recognition_from_message(message)
        self.record.exercise_ns[recognition.stamp_ns] = time.time_ns()
        self.record.recognitions.append(recognition)
        if self._on_recognition is not None:
            self._on_recognition(recognition)

    def _repetition(self, message: Message) -> None:
        repetition = repetition_from_message(message)
        self.record.repetitions.append(repetition)
        if self._on_repetition is not None:
            self._on_repetition(repetition)

    def _diagnostics(self, message: Message) -> None:
        for status in message.status:
            values = {entry.key: entry.value for entry in status.values}
            level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
            before = self.record.diagnostics.get(status.name, {}).get("message", "")
            self.record.diagnostics[status.name] = {**values, "level": str(level), "message": status.message}
            if level > 0 and status.message != before:
                self.record.complaints.append(f"{status.name}: {status.message}")
