"""Pairs the messages of two topics that were computed from the same frame: their stamps are equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.capture.pairing import StampPairer
from rehab_pose.messages.factory import stamp_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.topics import Topic
    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["ExactTimeInput"]

EXACT_S = 0.0
"""Largest difference of the stamps of a pair [s]."""
QUEUE_LENGTH = 10
"""Messages of each topic that may wait for their partner: a third of a second at 30 Hz."""


class ExactTimeInput:
    """Passes pairs of messages of the same stamp to a node's worker."""

    def __init__(
        self, node: StageNode, first: Topic, second: Topic, handler: Callable[[tuple[Message, Message]], bool]
    ) -> None:
        """Start the node's worker; `subscribe` begins to receive.

        Args:
            node: Receives the counts.
            first: Topic of the first message of each pair.
            second: Topic of the second message of each pair.
            handler: Called on the node's worker thread; returns whether a person was in view.
        """
        self._node, self._first, self._second, self._handler = node, first, second, handler
        self._pairer: StampPairer[Message, Message] = StampPairer(EXACT_S, QUEUE_LENGTH)
        node.start_worker()

    def subscribe(self) -> None:
        """Subscribe to both topics; messages that waited for a partner before are dropped."""
        self._pairer.clear()
        self._node.listen(self._first, self._on_first)
        self._node.listen(self._second, self._on_second)

    def before_report(self) -> None:
        """Add the messages without a partner to the node's health."""
        self._node.health.dropped[f"{self._first.name} without {self._second.name}"] = self._pairer.dropped_first
        self._node.health.dropped[f"{self._second.name} without {self._first.name}"] = self._pairer.dropped_second
        self._node.health.note_dropped(self._pairer.take_dropped())

    def _on_first(self, message: Message, arrived_s: float) -> None:
        self._post(self._pairer.add_first(stamp_ns(message.header.stamp), message), arrived_s)

    def _on_second(self, message: Message, arrived_s: float) -> None:
        self._post(self._pairer.add_second(stamp_ns(message.header.stamp), message), arrived_s)

    def _post(self, pairs: list[tuple[Message, Message]], arrived_s: float) -> None:
        for pair in pairs:
            self._node.post(self._handler, pair, stamp_ns(pair[0].header.stamp), arrived_s)
