"""A subscription of which only the newest messages are taken, when they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from rehab_pose.ros.io.polled_input import NeverReady, poll

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.subscription import Subscription

    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.topics import Topic
    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["NewestInput"]


class NewestInput:
    """Subscribes to a topic of a node on demand.

    Best effort: it matches every publisher, and a reliable one never waits for it.
    """

    def __init__(self, node: StageNode, topic: Topic, receive: Callable[[Message], None], depth: int = 1) -> None:
        """Prepare; nothing is subscribed to yet.

        Args:
            node: One of its inputs is the topic.
            topic: Name and type.
            receive: Called by `poll` with each message that was not replaced by newer ones.
            depth: Number of messages that are kept.
        """
        self._node, self._topic, self._receive = node, topic, receive
        self._profile = QoSProfile(
            history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=ReliabilityPolicy.BEST_EFFORT
        )
        self._subscription: Subscription[Any] | None = None

    def subscribe(self, *, wanted: bool) -> None:
        """Subscribe, or end the subscription."""
        if wanted and self._subscription is None:
            self._subscription = self._node.listen(
                self._topic,
                lambda message, _: self._receive(message),
                watched=False,
                profile=self._profile,
                group=NeverReady(),
            )
        elif not wanted and self._subscription is not None:
            self._subscription = None
            self._node.stop_listening(self._topic)

    def poll(self) -> None:
        """Pass on the messages that have arrived since the last call."""
        if self._subscription is not None:
            poll(self._subscription)
