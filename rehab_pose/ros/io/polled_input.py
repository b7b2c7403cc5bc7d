"""A subscription whose messages are taken when they are needed, instead of one callback for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rclpy.callback_groups import CallbackGroup
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from rehab_pose.ros.runtime.distributions import callbacks_get_info

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.topics import Topic
    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["PolledInput"]

DEPTH = 100
"""Messages that wait for the next poll: a quarter of a second of an IMU with 400 Hz."""


class _NeverReady(CallbackGroup):  # type: ignore[misc]  # rclpy is not typed everywhere
    """Keeps its subscriptions out of the executor, which takes about 0.5 ms a message for waking up."""

    def can_execute(self, _entity: object) -> bool:
        return False

    def beginning_execution(self, _entity: object) -> bool:
        return False

    def ending_execution(self, _entity: object) -> None:
        return None


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
            topic, lambda message, _: receive(message), watched=False, profile=profile, group=_NeverReady()
        )

    def poll(self) -> None:
        """Count and pass on all messages that have arrived since the last call."""
        subscription, with_info = self._subscription, callbacks_get_info()
        while True:
            with subscription.handle:
                taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
            if taken is None:
                return
            # The callback of `listen` counts the message; rclpy gives it one or two arguments.
            subscription.callback(*(taken if with_info else taken[:1]))
