"""Publish the serialised messages of a recording on their topics, with the QoS of the recording."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from rehab_pose.errors import InputError, MissingDependencyError
from rehab_pose.messages.factory import time_message
from rehab_pose.ros.io.message_factory import RosMessageFactory, message_class
from rehab_pose.ros.runtime.stopping import until_stop_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rclpy.publisher import Publisher

    from rehab_pose.bags.reader import BagReader, RecordedTopic

__all__ = ["BagPlayer", "play_bag"]

QUEUE_LENGTH = 10
"""Depth of the QoS of topics that are not latched [messages]."""
SLICE_S = 0.05
"""Longest sleep between two checks for a stop signal [s]."""
SETTLE_S = 0.3
"""Time between the discovery of the subscribers here and the discovery of this publisher by them [s]."""
ACKNOWLEDGE_S = 2.0
"""Longest wait at the end for the last messages to arrive [s]."""


def _recorded_qos(topic: RecordedTopic) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=topic.depth if topic.latched else QUEUE_LENGTH,
        reliability=ReliabilityPolicy.RELIABLE if topic.reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if topic.latched else DurabilityPolicy.VOLATILE,
    )


def _recorded_name(name: str, _type_name: str) -> str:
    return name


def _class_of(topic: RecordedTopic) -> type[Any] | None:
    """Return the class of a topic's messages; None if it is not installed, or its name is damaged."""
    try:
        return message_class(topic.type_name)
    except (MissingDependencyError, ValueError, AttributeError):
        return None


class BagPlayer(Node):  # type: ignore[misc]  # rclpy is not typed everywhere
    """Publishes the messages of one bag."""

    def __init__(
        self, bag: BagReader, *, rate: float, clock: bool, names: Callable[[str, str], str] = _recorded_name
    ) -> None:
        """Create a publisher for each of the bag's topics.

        Args:
            bag: The recording.
            rate: Speed relative to the recording; 2.0 plays twice as fast.
            clock: Also publish /clock, for nodes with use_sim_time.
            names: Returns the name on which a topic is published, for its name and type.

        Raises:
            InputError: The rate is not positive, or no topic can be played.
        """
        super().__init__("bag_player")
        if not rate > 0:
            msg = f"play: expected a rate above 0, got {rate}"
            raise InputError(msg)
        self._bag = bag
        self._rate = rate
        self._factory = RosMessageFactory()
        self._publishers_by_topic: dict[str, Publisher[Any]] = {}
        for topic in bag.topics.values():
            kind = _class_of(topic)
            if kind is None:
                self.get_logger().warning(f"{topic.name} is not played: its type {topic.type_name} is not installed")
            else:
                self._publishers_by_topic[topic.name] = self.create_publisher(
                    kind, names(topic.name, topic.type_name), _recorded_qos(topic)
                )
        if not self._publishers_by_topic:
            msg = f"play: expected topics of installed types, {bag.path} has none"
            raise InputError(msg)
        clock_type = message_class("rosgraph_msgs/msg/Clock")
        self._clock_publisher = self.create_publisher(clock_type, "/clock", QUEUE_LENGTH) if clock else None

    def wait_for_subscribers(self, timeout_s: float) -> bool:
        """Wait until each image topic has a subscriber, so that the first images arrive; return whether all have."""
        played = self._publishers_by_topic
        images = [name for name in played if self._bag.topics[name].type_name.endswith("Image")]
        awaited = images or list(self._publishers_by_topic)
        end_s = time.monotonic() + timeout_s
        while rclpy.ok() and time.monotonic() < end_s:
            if all(self._publishers_by_topic[name].get_subscription_count() for name in awaited):
                time.sleep(SETTLE_S)
                return True
            time.sleep(SLICE_S)
        return False

    def play(self) -> int:
        """Play the bag once; return how many messages were published (fewer than recorded after a stop signal)."""
        count = 0
        start_s: float | None = None
        first_ns = 0
        for message in self._bag.serialized():
            if message.topic.name not in self._publishers_by_topic:
                continue
            if start_s is None:
                start_s, first_ns = time.monotonic(), message.time_ns
            if not self._sleep_until(start_s + (message.time_ns - first_ns) * 1e-9 / self._rate):
                break
            if self._clock_publisher is not None:
                stamp = time_message(self._factory, message.time_ns)
                self._clock_publisher.publish(self._factory.make("rosgraph_msgs/msg/Clock", clock=stamp))
            self._publishers_by_topic[message.topic.name].publish(message.data)
            count += 1
        if rclpy.ok():
            for publisher in self._publishers_by_topic.values():
                publisher.wait_for_all_acked(Duration(seconds=ACKNOWLEDGE_S))
        return count

    @staticmethod
    def _sleep_until(due_s: float) -> bool:
        """Sleep until a time of the monotonic clock [s]; return False if a stop signal arrived."""
        while rclpy.ok():
            left_s = due_s - time.monotonic()
            if left_s <= 0:
                return True
            time.sleep(min(left_s, SLICE_S))
        return False


def play_bag(
    bag: BagReader,
    *,
    rate: float,
    clock: bool,
    loop: bool,
    wait_s: float,
    names: Callable[[str, str], str] = _recorded_name,
) -> Iterator[int]:
    """Play a bag once or in a loop, until its end or a stop signal; yield the number of messages of each round.

    Args:
        bag: The recording.
        rate: Speed relative to the recording; 2.0 plays twice as fast.
        clock: Also publish /clock.
        loop: Start again at the end.
        wait_s: Longest wait for subscribers of all images before the first round [s].
        names: Returns the name on which a topic is published, for its name and type.
    """
    with until_stop_signal():
        player = BagPlayer(bag, rate=rate, clock=clock, names=names)
        if not player.wait_for_subscribers(wait_s):
            player.get_logger().warning(f"the images have no subscriber after {wait_s:g} s; playing anyway")
        while rclpy.ok():
            yield player.play()
            if not loop:
                break
        player.destroy_node()
