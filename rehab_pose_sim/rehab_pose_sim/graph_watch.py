"""Observe a running graph from outside: its results, their latency, and lost frames.

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
from rehab_pose.messages.exercise import classification_from_message, repetition_from_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.ros.io.message_factory import message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.ros.runtime.diagnostics import DIAGNOSTICS_TOPIC, PUBLISHERS
from rehab_pose.ros.runtime.stopping import ignore_shutdown_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from rehab_pose.datatypes import ExerciseClassification, Repetition
    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.topics import Topic

__all__ = ["GraphRecord", "GraphWatch"]

FRAME_PATH = ("sim_camera", "rgbd_sync", "silhouette", "joints", "exercise", "pipeline")
"""Nodes between the camera and the label: a frame that is lost between them must be counted by one of them."""


@dataclass
class GraphRecord:
    """Received messages; times are of the receiving machine's clock [ns since the epoch]."""

    camera_ns: dict[int, int] = field(default_factory=dict)
    """Time of reception of each camera_info, by stamp."""
    exercise_ns: dict[int, int] = field(default_factory=dict)
    """Time of reception of each message on `exercise`, by stamp."""
    body_ns: dict[int, int] = field(default_factory=dict)
    """Time of reception of each `body`, by stamp."""
    classifications: list[ExerciseClassification] = field(default_factory=list)
    repetitions: list[Repetition] = field(default_factory=list)
    diagnostics: dict[str, dict[str, str]] = field(default_factory=dict)
    """Last values of each node, including its level and message."""
    warnings: list[str] = field(default_factory=list)
    """Each new WARN or ERROR message, as `node: message`."""

    def connected(self, nodes: Iterable[str]) -> bool:
        """Return whether all these nodes publish diagnostics and have discovered the publishers of all their inputs.

        The camera is ignored: it may start later.
        """
        by_name = {name.strip("/").split("/")[-1]: values for name, values in self.diagnostics.items()}
        camera = {topic.name for topic in (*topics.CAMERA_TOPICS, topics.IMU)}
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
        """Return the number of frames between camera and label that the nodes count as dropped or lost."""
        return sum(
            int(value)
            for node, values in self.diagnostics.items()
            if node.strip("/").split("/")[-1] in FRAME_PATH
            for key, value in values.items()
            if key.startswith(("dropped:", "lost in transport:"))
        )

    def uncounted_losses(self, first_ns: int, last_ns: int) -> int:
        """Return the number of camera frames between two stamps that have neither a result nor a count."""
        sent = [stamp for stamp in self.camera_ns if first_ns <= stamp <= last_ns]
        unanswered = sum(stamp not in self.exercise_ns for stamp in sent)
        return max(0, unanswered - self.counted_losses())


class GraphWatch:
    """Context manager that subscribes to a graph's results on a separate thread."""

    def __init__(
        self,
        *,
        on_classification: Callable[[ExerciseClassification], None] | None = None,
        on_repetition: Callable[[Repetition], None] | None = None,
    ) -> None:
        self.record = GraphRecord()
        self._on_classification = on_classification
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
        """Wait until a condition on the record holds; return whether it did within `timeout_s` [s]."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            if condition(self.record):
                return True
            time.sleep(0.02)
        return condition(self.record)

    def _spin(self) -> None:
        with ignore_shutdown_errors(self._context):
            self._executor.spin()

    def _listen(self, topic: Topic, receive: Callable[[Any], None]) -> None:
        self._node.create_subscription(message_class(topic.type_name), topic.name, receive, qos(topic.delivery))

    def _camera(self, message: Message) -> None:
        self.record.camera_ns[stamp_ns(message.header.stamp)] = time.time_ns()

    def _body(self, message: Message) -> None:
        self.record.body_ns[stamp_ns(message.header.stamp)] = time.time_ns()

    def _exercise(self, message: Message) -> None:
        classification = classification_from_message(message)
        self.record.exercise_ns[classification.stamp_ns] = time.time_ns()
        self.record.classifications.append(classification)
        if self._on_classification is not None:
            self._on_classification(classification)

    def _repetition(self, message: Message) -> None:
        repetition = repetition_from_message(message)
        self.record.repetitions.append(repetition)
        if self._on_repetition is not None:
            self._on_repetition(repetition)

    def _diagnostics(self, message: Message) -> None:
        for status in message.status:
            values = {entry.key: entry.value for entry in status.values}
            level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
            previous = self.record.diagnostics.get(status.name, {}).get("message", "")
            self.record.diagnostics[status.name] = {**values, "level": str(level), "message": status.message}
            if level > 0 and status.message != previous:
                self.record.warnings.append(f"{status.name}: {status.message}")
