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

from rehab_pose.errors import InputError
from rehab_pose.messages import topics
from rehab_pose.messages.exercise import classification_from_message, repetition_from_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.topic_names import nodes_namespace
from rehab_pose.ros.io.message_factory import message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.ros.io.resolved_names import resolved_name
from rehab_pose.ros.runtime.diagnostics import DIAGNOSTICS_TOPIC, PUBLISHERS
from rehab_pose.ros.runtime.distributions import callbacks_get_info, publication
from rehab_pose.ros.runtime.health import DROPPED_STAMPS, LOST_BETWEEN, Health
from rehab_pose.ros.runtime.stopping import ignore_shutdown_errors
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from rehab_pose.datatypes import ExerciseClassification, Repetition
    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.topics import Topic
    from rehab_pose.ros.runtime.health import InputHealth

__all__ = ["FrameFates", "GraphRecord", "GraphWatch"]

FRAME_INPUTS = {
    "rgbd_sync": (topics.COLOR, topics.DEPTH),
    "silhouette": (topics.RGBD,),
    "joints": (topics.SILHOUETTE, topics.IMAGE_JOINTS),
    "exercise": (topics.JOINTS,),
    "pipeline": (topics.COLOR, topics.DEPTH),
}
"""Nodes between the camera and the label, and the inputs with one message a frame: a frame that is lost between them
must be counted by one of them."""


@dataclass(frozen=True)
class FrameFates:
    """Number of camera frames by what became of them."""

    answered: int
    dropped: int
    """Not answered; a node reports the stamp as dropped."""
    lost_in_transport: int
    """Not answered; a node reports messages lost between the stamps before and after, or the label was lost."""
    uncounted: int
    """Not answered, and no node reports it."""
    counted_twice: int
    """Answered and reported as dropped too, or dropped by several nodes."""


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
    """Last values of each node of the watched namespace, including its level and message."""
    dropped_by: dict[int, set[str]] = field(default_factory=dict)
    """Nodes that reported a frame as dropped, by its stamp."""
    lost_between: dict[tuple[str, int, int], int] = field(default_factory=dict)
    """Number of messages lost between two stamps, by receiving node and input, and stamps."""
    warnings: list[str] = field(default_factory=list)
    """Each new WARN or ERROR message, as `node: message`, and each result that is no record."""

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

    def fates(self, first_ns: int, last_ns: int) -> FrameFates:
        """Return what became of the camera's frames between two stamps."""
        sent = sorted(stamp for stamp in self.camera_ns if first_ns <= stamp <= last_ns)
        nodes = {stamp: len(self.dropped_by.get(stamp, ())) for stamp in sent}
        answered = [stamp for stamp in sent if stamp in self.exercise_ns]
        dropped = [stamp for stamp in sent if stamp not in self.exercise_ns and nodes[stamp]]
        open_ones = [stamp for stamp in sent if stamp not in self.exercise_ns and not nodes[stamp]]
        in_transport = 0
        for (_, after_ns, before_ns), number in sorted(self.lost_between.items()):
            found = [stamp for stamp in open_ones if after_ns < stamp < before_ns][:number]
            in_transport += len(found)
            open_ones = [stamp for stamp in open_ones if stamp not in found]
        twice = sum(nodes[stamp] for stamp in answered) + sum(nodes[stamp] - 1 for stamp in dropped)
        return FrameFates(len(answered), len(dropped), in_transport, len(open_ones), twice)

    def take_report(self, node: str, values: dict[str, str]) -> None:
        """Take the frames that a node reports as dropped or lost; nodes that are not on their path are ignored."""
        name = node.strip("/").split("/")[-1]
        if name not in FRAME_INPUTS:
            return
        for stamp in values.get(DROPPED_STAMPS, "").split():
            self.dropped_by.setdefault(int(stamp), set()).add(node)
        for topic in FRAME_INPUTS[name]:
            for loss in values.get(LOST_BETWEEN + topic.name, "").split():
                stamps, _, number = loss.partition(":")
                after, _, before = stamps.partition("-")
                self.lost_between[f"{node} {topic.name}", int(after), int(before)] = int(number)

    def take_losses(self, receiver: str, entry: InputHealth) -> None:
        """Take the messages that a receiver, by its name, has found to be lost before the last one."""
        while entry.lost_between:
            _, after, before, number = entry.lost_between.popleft()
            self.lost_between[receiver, after, before] = number


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
        self._health = Health(time.monotonic)
        self._context = rclpy.Context()
        self._thread = threading.Thread(target=self._spin, name="graph_watch", daemon=True)

    def __enter__(self) -> GraphWatch:  # noqa: PYI034  (Self came with Python 3.11)
        self._context.init()
        self._node = Node("graph_watch", namespace=nodes_namespace(), context=self._context)
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
        name = resolved_name(self._node, topic.name)
        entry = self._health.add_input(topic.name, name, watched=False)

        def checked(message: Message) -> None:
            try:
                receive(message)
            except InputError as error:
                self.record.warnings.append(f"graph_watch: {topic.name}: {error}")

        def numbered(message: Message, info: dict[str, Any]) -> None:
            checked(message)
            if topic == topics.EXERCISE:  # the label itself may be lost on its way to this node
                stamp = message.header.stamp
                self._health.arrived(entry, *publication(info), stamp.sec * NS_PER_S + stamp.nanosec)
                self.record.take_losses(f"graph_watch {topic.name}", entry)

        callback = numbered if callbacks_get_info() else checked
        self._node.create_subscription(message_class(topic.type_name), name, callback, qos(topic.delivery))

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
        namespace = self._node.get_namespace().rstrip("/")
        for status in message.status:
            if status.name.rpartition("/")[0] != namespace:
                continue  # another graph, which has its own frames
            values = {entry.key: entry.value for entry in status.values}
            level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
            previous = self.record.diagnostics.get(status.name, {}).get("message", "")
            self.record.take_report(status.name, values)
            self.record.diagnostics[status.name] = {**values, "level": str(level), "message": status.message}
            if level > 0 and status.message != previous:
                self.record.warnings.append(f"{status.name}: {status.message}")
