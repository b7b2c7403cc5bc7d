"""Record the serialised messages of topics into an MCAP bag."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from rehab_pose.errors import RecordingError, RehabPoseError
from rehab_pose.messages.topic_names import ALL_TOPICS, nodes_namespace
from rehab_pose.messages.topics import Delivery
from rehab_pose.ros.io.message_factory import message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.ros.io.resolved_names import resolved_name
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
FLUSH_PERIOD_S = 1.0
"""Period in which messages are passed to the system, so that they survive the end of this program [s]."""
EVENTS = tuple(f"/{topic.name}" for topic in ALL_TOPICS if topic.delivery is Delivery.EVENT)
"""Ends of the names of topics whose last messages are kept for late subscribers."""


class TopicRecorder:
    """Subscribes to each topic as soon as it has a publisher, with the publisher's QoS.

    Attributes:
        failure: Why nothing more is written, for example because the disk is full; '' = all is well.
    """

    def __init__(self, node: Node, bag: BagWriter, topics: Sequence[str]) -> None:
        """Start recording.

        Args:
            node: Owns the subscriptions; its executor receives the messages.
            bag: The open bag that the messages are written to.
            topics: Their names, absolute or as in `rehab_pose.graph`.
        """
        self._node, self._bag = node, bag
        self._names = {resolved_name(node, name) for name in topics}
        self._recording: dict[str, Subscription[Any]] = {}
        self._refused: set[str] = set()
        self.failure = ""
        self._timer = node.create_timer(CHECK_PERIOD_S, self._subscribe_to_new)
        self._subscribe_to_new()

    @property
    def missing(self) -> list[str]:
        """Names of the topics that have had no publisher so far."""
        return sorted(self._names - self._recording.keys())

    def flush(self) -> None:
        """Write what was received to the disk; an error becomes the failure."""
        if not self.failure:
            try:
                self._bag.flush(sync=True)
            except RehabPoseError as error:
                self.failure = str(error)

    def stop(self) -> None:
        """Stop listening; the bag stays open."""
        self._node.destroy_timer(self._timer)
        for subscription in self._recording.values():
            self._node.destroy_subscription(subscription)
        self._names = set()

    def _subscribe_to_new(self) -> None:
        for name in self._names - self._recording.keys():
            publishers = self._node.get_publishers_info_by_topic(name)
            if publishers and name not in self._refused and not self.failure:
                try:
                    self._subscribe(name, publishers)
                except RehabPoseError as error:  # a type that this program does not know, or a full disk
                    self._refused.add(name)
                    self._node.get_logger().error(f"{name} is not recorded: {error}")

    def _subscribe(self, name: str, publishers: list[TopicEndpointInfo]) -> None:
        type_name = publishers[0].topic_type
        offered = [publisher.qos_profile for publisher in publishers]
        latched = all(
            profile_of_publisher.durability == DurabilityPolicy.TRANSIENT_LOCAL for profile_of_publisher in offered
        )
        reliable = all(
            profile_of_publisher.reliability == ReliabilityPolicy.RELIABLE for profile_of_publisher in offered
        )
        is_event = name.endswith(EVENTS)
        profile = QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=QUEUE_LENGTH,
            reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
            # The last events before the recording belong to another session, perhaps of another person.
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched and not is_event else DurabilityPolicy.VOLATILE,
        )
        depth = qos(Delivery.EVENT).depth if is_event else 1
        kind = message_class(type_name)
        self._bag.add_topic(name, type_name, latched=latched, reliable=reliable, depth=depth)

        def write(data: bytes) -> None:
            if not self._names or self.failure:  # after `stop`, messages that are still delivered are not written
                return
            try:
                self._bag.write_serialized(name, type_name, time.time_ns(), data)
            except RehabPoseError as error:
                self.failure = str(error)

        self._recording[name] = self._node.create_subscription(kind, name, write, profile, raw=True)
        self._node.get_logger().info(f"recording {name}")


def record(
    bag: BagWriter, topics: Sequence[str], *, namespace: str = "", duration_s: float = 0.0, quiet: bool = False
) -> list[str]:
    """Record until Ctrl-C, SIGTERM or the end of the duration; return the topics that had no publisher.

    Args:
        bag: The open bag that the messages are written to.
        topics: Their names, absolute or as in `rehab_pose.graph`.
        namespace: Namespace above that of the nodes; '' = none.
        duration_s: Longest duration [s]; 0 = unlimited.
        quiet: Do not log which topics are recorded.

    Raises:
        RecordingError: The disk cannot be written; what was written before is readable.
    """
    recorder = None
    arguments = ["--ros-args", "--log-level", "warn"] if quiet else None
    with until_stop_signal(arguments):
        node = Node("bag_recorder", namespace=nodes_namespace(namespace))
        recorder = TopicRecorder(node, bag, topics)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        end_s = time.monotonic() + duration_s if duration_s > 0 else float("inf")
        node.create_timer(FLUSH_PERIOD_S, recorder.flush)
        while rclpy.ok() and time.monotonic() < end_s and not recorder.failure:
            executor.spin_once(timeout_sec=CHECK_PERIOD_S)
    if recorder is not None and recorder.failure:
        raise RecordingError(recorder.failure)
    return recorder.missing if recorder is not None else list(topics)
