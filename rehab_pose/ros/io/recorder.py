"""Record the serialised messages of topics into an MCAP bag."""

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

CHECK_PERIOD_S = 0.25
"""Period of checking for new publishers [s]."""
QUEUE_LENGTH = 100
"""Messages of each topic that may wait while the file is written."""


class TopicRecorder:
    """Subscribes to each topic as soon as it has a publisher, with the publisher's QoS."""

    def __init__(self, node: Node, bag: BagWriter, topics: Sequence[str]) -> None:
        """Start recording.

        Args:
            node: Owns the subscriptions; its executor receives the messages.
            bag: The open bag that the messages are written to.
            topics: Their names, absolute or relative to the node's namespace.
        """
        self._node, self._bag = node, bag
        self._names = {node.resolve_topic_name(name) for name in topics}
        self._recording: dict[str, Subscription[Any]] = {}
        self._timer = node.create_timer(CHECK_PERIOD_S, self._subscribe_to_new)
        self._subscribe_to_new()

    @property
    def missing(self) -> list[str]:
        """Names of the topics that have had no publisher so far."""
        return sorted(self._names - self._recording.keys())

    def stop(self) -> None:
        """Stop listening; the bag stays open."""
        self._node.destroy_timer(self._timer)
        for subscription in self._recording.values():
            self._node.destroy_subscription(subscription)
        self._names = set()

    def _subscribe_to_new(self) -> None:
        for name in self._names - self._recording.keys():
            publishers = self._node.get_publishers_info_by_topic(name)
            if publishers:
                self._subscribe(name, publishers)

    def _subscribe(self, name: str, publishers: list[TopicEndpointInfo]) -> None:
        type_name = publishers[0].topic_type
        offered = [publisher.qos_profile for publisher in publishers]
        latched = all(
            profile_of_publisher.durability == DurabilityPolicy.TRANSIENT_LOCAL for profile_of_publisher in offered
        )
        reliable = all(
            profile_of_publisher.reliability == ReliabilityPolicy.RELIABLE for profile_of_publisher in offered
        )
        profile = QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=QUEUE_LENGTH,
            reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        )
        self._bag.add_topic(name, type_name, latched=latched, reliable=reliable)

        def write(data: bytes) -> None:
            if self._names:  # empty after `stop`: messages that are still delivered then are not written
                self._bag.write_serialized(name, type_name, time.time_ns(), data, latched=latched)

        self._recording[name] = self._node.create_subscription(message_class(type_name), name, write, profile, raw=True)
        self._node.get_logger().info(f"recording {name}")


def record(bag: BagWriter, topics: Sequence[str], *, namespace: str = "", duration_s: float = 0.0) -> list[str]:
    """Record until Ctrl-C, SIGTERM or the end of the duration; return the topics that had no publisher.

    Args:
        bag: The open bag that the messages are written to.
        topics: Their names, absolute or relative to the namespace.
        namespace: Namespace of the recording node.
        duration_s: Longest duration [s]; 0 = unlimited.
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
            executor.spin_once(timeout_sec=CHECK_PERIOD_S)
    return recorder.missing if recorder is not None else list(topics)
