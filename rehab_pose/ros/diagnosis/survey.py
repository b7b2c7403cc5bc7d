"""Listen to a camera and to a running graph for a while: rates, QoS, first messages, diagnostics."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message

from rehab_pose.ros.io.message_factory import message_class
from rehab_pose.ros.runtime.diagnostics import DIAGNOSTICS_TOPIC

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["GraphSurvey", "NodeStatus", "TopicSurvey", "survey"]

QUEUE_LENGTH = 10
"""Depth of the QoS of all subscriptions [messages]."""
DISCOVERY_S = 1.5
"""Time for discovering the publishers on this machine [s]."""


@dataclass
class TopicSurvey:
    """The messages received on a topic."""

    name: str
    type_name: str
    publishers: int = 0
    best_effort: bool = False
    """At least one publisher offers only best effort."""
    other_types: tuple[str, ...] = ()
    """Types on this topic that are not the expected one."""
    count: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    first: Any | None = None

    @property
    def rate_hz(self) -> float:
        """Rate of the received messages [Hz]; 0 if fewer than two were received."""
        return (self.count - 1) / (self.last_s - self.first_s) if self.count > 1 else 0.0


@dataclass
class NodeStatus:
    """The last status of a node on /diagnostics."""

    level: int
    message: str
    values: dict[str, str]


@dataclass
class GraphSurvey:
    """Topics, publishers and node states observed in the graph."""

    topics: dict[str, TopicSurvey]
    published: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Every topic of the graph with its types."""
    nodes: dict[str, NodeStatus] = field(default_factory=dict)


def survey(expected: Sequence[tuple[str, str]], listen_s: float) -> GraphSurvey:
    """Listen to topics and to /diagnostics for a while, and return what was received.

    Args:
        expected: Name and type of each topic.
        listen_s: Duration of listening, after DISCOVERY_S [s].
    """
    result = GraphSurvey({name: TopicSurvey(name, type_name) for name, type_name in expected})
    context = rclpy.Context()
    context.init()
    try:
        node = Node("rehab_pose_doctor", context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        array = message_class("diagnostic_msgs/msg/DiagnosticArray")
        node.create_subscription(array, DIAGNOSTICS_TOPIC, lambda message: _note(result, message), QUEUE_LENGTH)
        _spin(executor, DISCOVERY_S)
        result.published = {name: tuple(types) for name, types in node.get_topic_names_and_types()}
        for topic in result.topics.values():
            _listen(node, topic)
        _spin(executor, listen_s)
        executor.shutdown()
        node.destroy_node()
    finally:
        context.try_shutdown()
    return result


def _spin(executor: SingleThreadedExecutor, duration_s: float) -> None:
    end_s = time.monotonic() + duration_s
    while (left_s := end_s - time.monotonic()) > 0:
        executor.spin_once(timeout_sec=left_s)


def _listen(node: Node, topic: TopicSurvey) -> None:
    offers = node.get_publishers_info_by_topic(topic.name)
    topic.publishers = len(offers)
    topic.best_effort = any(offer.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT for offer in offers)
    topic.other_types = tuple(sorted({offer.topic_type for offer in offers} - {topic.type_name}))
    if topic.other_types:
        return
    kind = message_class(topic.type_name)

    def receive(data: bytes) -> None:
        topic.last_s = time.monotonic()
        topic.count += 1
        if topic.first is None:
            topic.first, topic.first_s = deserialize_message(data, kind), topic.last_s

    profile = QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=QUEUE_LENGTH,
        reliability=ReliabilityPolicy.BEST_EFFORT if topic.best_effort else ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.VOLATILE,
    )
    node.create_subscription(kind, topic.name, receive, profile, raw=True)


def _note(result: GraphSurvey, message: Any) -> None:  # noqa: ANN401  (a message)
    for status in message.status:
        level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
        values = {entry.key: entry.value for entry in status.values}
        result.nodes[status.name] = NodeStatus(level, status.message, values)
