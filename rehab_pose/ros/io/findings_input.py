"""Results of other stages for the exercise node, which its label does not wait for."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from rehab_pose.errors import ContractError, InputError
from rehab_pose.messages import topics
from rehab_pose.messages.body import body_from_message, vertices_from_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.keypoints import keypoints_from_message, parts_from_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.exercise.fused_history import FindingsHistory
    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.topics import Topic
    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["FindingsInput"]

CAPACITY = 40
"""Messages that may wait: ten frames of every topic."""
UNUSED = "findings that no label followed"
"""Reason under which waiting messages are dropped."""


class FindingsInput:
    """Keeps messages as they come; `deliver` converts them after a label was published."""

    def __init__(self, node: StageNode, *, use: bool) -> None:
        """Subscribe if the streams are used. The topics are not watched for silence: the label needs none of them."""
        self._node = node
        self._use = False
        self._received: deque[tuple[Callable[[FindingsHistory, Message], None], Message]] = deque()
        self._counted: dict[str, int] = {}
        self.change(use=use)

    def change(self, *, use: bool) -> None:
        """Subscribe or unsubscribe."""
        if use and not self._use:
            for topic, add in ADDERS.items():
                self._listen(topic, add)
        elif self._use and not use:
            for topic in ADDERS:
                self._node.stop_listening(topic)
            self._received.clear()
        self._use = use

    def deliver(self, findings: FindingsHistory | None) -> None:
        """Convert the messages that have come, and add them to the history.

        A damaged message is left out and reported; what the history drops is counted.
        """
        if findings is None:
            return
        while self._received:
            add, message = self._received.popleft()
            try:
                add(findings, message)
            except (InputError, ContractError) as error:
                self._node.health.drop(type(error).__name__)
                self._node.report_error(str(error))
        for reason, count in findings.dropped.items():
            if count > self._counted.get(reason, 0):
                self._node.health.drop(reason, count - self._counted.get(reason, 0))
            self._counted[reason] = count

    def _listen(self, topic: Topic, add: Callable[[FindingsHistory, Message], None]) -> None:
        def receive(message: Message, _arrived_s: float) -> None:
            if len(self._received) >= CAPACITY:
                self._received.popleft()
                self._node.health.drop(UNUSED)
            self._received.append((add, message))

        self._node.listen(topic, receive, watched=False)


def _add_keypoints(findings: FindingsHistory, message: Message) -> None:
    findings.add_keypoints(stamp_ns(message.header.stamp), keypoints_from_message(message))


def _add_parts(findings: FindingsHistory, message: Message) -> None:
    findings.add_parts(stamp_ns(message.header.stamp), parts_from_message(message))


def _add_body(findings: FindingsHistory, message: Message) -> None:
    findings.add_body(stamp_ns(message.header.stamp), body_from_message(message))


def _add_vertices(findings: FindingsHistory, message: Message) -> None:
    findings.add_vertices(stamp_ns(message.header.stamp), vertices_from_message(message), message.topology_id)


ADDERS = {
    topics.KEYPOINTS: _add_keypoints,
    topics.PARTS: _add_parts,
    topics.BODY: _add_body,
    topics.VERTICES: _add_vertices,
}
"""How the messages of each topic are added to the history. Subscribing makes other nodes compute them."""
