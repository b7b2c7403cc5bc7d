"""Subscriptions that exist only while a node's outputs have subscribers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.ros.runtime.on_demand import OnDemandInputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.messages.topics import Topic


class FakeNode:
    """The parts of a StageNode that the class uses."""

    spec = node_spec("parts")

    def __init__(self) -> None:
        self.subscribers: set[Topic] = set()
        self.listening: list[Topic] = []
        self.check: Callable[[], None] = lambda: None

    def has_subscribers(self, topic: Topic) -> bool:
        return topic in self.subscribers

    def create_timer(self, _period_s: float, callback: Callable[[], None]) -> None:
        self.check = callback

    def stop_listening(self, topic: Topic) -> None:
        self.listening.remove(topic)

    def subscribe(self) -> None:
        self.listening += [topics.SILHOUETTE, topics.JOINTS]


def test_inputs_are_subscribed_once_while_an_output_has_subscribers() -> None:
    node = FakeNode()
    inputs = (topics.SILHOUETTE, topics.JOINTS)
    OnDemandInputs(cast("Any", node), node.subscribe)
    assert node.listening == []
    for subscribers, expected in (
        ({topics.KEYPOINTS}, []),
        ({topics.PARTS}, [*inputs]),
        ({topics.PARTS}, [*inputs]),
        (set(), []),
        (set(), []),
        ({topics.PARTS}, [*inputs]),
    ):
        node.subscribers = subscribers
        node.check()
        assert node.listening == expected
