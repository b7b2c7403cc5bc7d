"""Record topics, undecoded, into an MCAP bag."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from rehab_pose.ros.io.message_factory import message_class
from rehab_pose.ros.runtime.stopping import until_stop_signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rclpy.subscription import Subscription
    from rclpy.topic_endpoint_info import TopicEndpointInfo

    from rehab_pose.bags.writer import BagWriter

__all__ = ["TopicRecorder", "record"]

LOOK_PERIOD_S = 0.25
"""Period of looking for new publishers [s]."""
QUEUE_LENGTH = 100
"""Messages that may wait while the file is written."""


class TopicRecorder:
    """Subscribes to each wanted topic once it has a publisher, with the publisher's QoS."""

    def __init__(self, node: Node, bag: BagWriter, topics: Sequence[str]) -> None:
        """Start recording.

        Args:
            node: Whose executor receives.
            bag: Where to.
            topics: Names, absolute or relative to the node's namespace.
        """
        self._node, self._bag = node, bag
        self._wanted = {node.resolve_topic_name(name) for name in topics}
        self._recording: dict[str, Subscription[Any]] = {}
        self._timer = node.create_timer(LOOK_PERIOD_S, self._look)
        self._look()

    @property
    def missing(self) -> list[str]:
        """Topics without a publisher so far."""
        return sorted(self._wanted - self._recording.keys())

    def stop(self) -> None:
        """Stop listening; the bag stays open."""
        self._node.destroy_timer(self._timer)
        for subscription in self._recording.values():
            self._node.destroy_subscription(subscription)
        self._wanted = set()

    def _look(self) -> None:
        for name in self._wanted - self._recording.keys():
            publishers = self._node.get_publishers_info_by_topic(name)
            if publishers:
                self._subscribe(name, publishers)

    def _subscribe(self, name: str, publishers: list[TopicEndpointInfo]) -> None:
        type_name = publishers[0].topic_type
        offered = [publisher.qos_profile for publisher in publishers]
        latched = all(quality.durability == DurabilityPolicy.TRANSIENT_LOCAL for quality in offered)
        reliable = all(quality.reliability == ReliabilityPolicy.RELIABLE for quality in offered)
        profile = QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=QUEUE_LENGTH,
            reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        )
        self._bag.add_topic(name, type_name, latched=latched, reliable=reliable)

        def write(data: bytes) -> None:
            if self._wanted:  # what was received before the end and handed over after it is no longer wanted
                self._bag.write_serialized(name, type_name, time.time_ns(), data, latched=latched)

        self._recording[name] = self._node.create_subscription(message_class(type_name), name, write, profile, raw=True)
        self._node.get_logger().info(f"recording {name}")


def record(bag: BagWriter, topics: Sequence[str], *, namespace: str = "", duration_s: float = 0.0) -> list[str]:
    """Record until Ctrl-C, SIGTERM or the end of the duration; return the topics that had no publisher.

    Args:
        bag: Where to.
        topics: Names, absolute or relative to the namespace.
        namespace: Of the nodes.
        duration_s: 0 = no end [s].
    """
    recorder = None
    arguments = ["--ros-args", "-r", f"__ns:=/{namespace.strip('/')}"] if namespace else None
    with until_stop_signal(arguments):
        node = Node("bag_recorder")
        recorder = TopicRecorder(node, bag, topics)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        end_s = time.monotonic() + duration_s if duration_s > 0 else float("inf")
        while rclpy.ok() and time.monotonic() < end_s:
            executor.spin_once(timeout_sec=LOOK_PERIOD_S)
    return recorder.missing if recorder is not None else list(topics)
