"""A subscription whose messages are taken when they are needed, instead of one callback for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rclpy.callback_groups import CallbackGroup
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from rehab_pose.ros.runtime.distributions import callbacks_get_info

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.subscription import Subscription

    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.topics import Topic
    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["NeverReady", "PolledInput", "poll"]

DEPTH = 100
"""Messages that wait for the next poll: a quarter of a second of an IMU with 400 Hz."""


class NeverReady(CallbackGroup):  # type: ignore[misc]  # rclpy is not typed everywhere
    """Keeps its subscriptions out of the executor, which takes about 0.5 ms a message for waking up."""

    def can_execute(self, _entity: object) -> bool:
        """Return False: the executor never takes a message."""
        return False

    def beginning_execution(self, _entity: object) -> bool:
        """Return False; never called."""
        return False

    def ending_execution(self, _entity: object) -> None:
        """Do nothing; never called."""


class PolledInput:
    """Takes the messages of a fast topic on demand, on the thread of the caller."""

    def __init__(self, node: StageNode, topic: Topic, receive: Callable[[Message], None]) -> None:
        """Subscribe with best effort, which matches every publisher; silence on the topic is no fault.

        Args:
            node: One of its inputs is the topic.
            topic: Name and type.
            receive: Called with each message by `poll`.
        """
        profile = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=DEPTH, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._subscription = node.listen(
            topic, lambda message, _: receive(message), watched=False, profile=profile, group=NeverReady()
        )

    def poll(self) -> None:
        """Count and pass on all messages that have arrived since the last call."""
        poll(self._subscription)


def poll(subscription: Subscription[Any]) -> None:
    """Pass the messages that have arrived on a subscription of a StageNode to its callback, which counts them."""
    with_info = callbacks_get_info()
    while True:
        with subscription.handle:
            taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
        if taken is None:
            return
        # rclpy gives the callback of `listen` one or two arguments.
        subscription.callback(*(taken if with_info else taken[:1]))
