"""FindingsInput: streams are subscribed to while they are used, taken up after a label, and counted elsewhere."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.bags.message_types import BagMessageFactory
from rehab_pose.datatypes import BodyParts
from rehab_pose.exercise.fused_features import VERTEX_COUNT
from rehab_pose.exercise.fused_history import LATE, FindingsHistory
from rehab_pose.exercise.joint_history import JointHistory
from rehab_pose.messages import topics
from rehab_pose.messages.body import body_message, vertices_message
from rehab_pose.messages.keypoints import keypoints_message, parts_message

pytest.importorskip("rclpy", reason="ROS is not installed")

from rehab_pose.ros.io.findings_input import CAPACITY, UNUSED, FindingsInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.messages.topics import Topic

STREAMS = {topics.KEYPOINTS, topics.PARTS, topics.BODY, topics.VERTICES}
NS = 33_000_000


class FakeNode:
    def __init__(self) -> None:
        self.listening: dict[Topic, Callable[[Any, float], None]] = {}
        self.dropped: Counter[str] = Counter()
        self.health = SimpleNamespace(drop=self._drop)
        self.errors: list[str] = []

    def _drop(self, reason: str, count: int = 1) -> None:
        self.dropped[reason] += count

    def listen(self, topic: Topic, receive: Callable[[Any, float], None], *, watched: bool) -> None:
        assert not watched, "silence of these topics is no fault of the label's"
        self.listening[topic] = receive

    def stop_listening(self, topic: Topic) -> None:
        del self.listening[topic]

    def report_error(self, message: str) -> None:
        self.errors.append(message)


def history() -> FindingsHistory:
    return FindingsHistory(np.arange(VERTEX_COUNT), "body-1")


def parts(factory: BagMessageFactory, stamp_ns: int) -> Any:  # noqa: ANN401
    contours = np.full((20, 8, 2), 7.0, np.float32)
    found = BodyParts(stamp_ns, "cam", (0, 0, 10, 20), np.zeros((20, 10), np.uint8), contours)
    return parts_message(factory, stamp_ns, "cam", found)


def test_streams_are_subscribed_to_only_while_they_are_used() -> None:
    node: Any = FakeNode()
    streams = FindingsInput(node, use=False)
    assert not node.listening
    streams.change(use=True)
    streams.change(use=True)
    assert set(node.listening) == STREAMS
    streams.change(use=False)
    assert not node.listening
    assert set(FindingsInput(node, use=True)._node.listening) == STREAMS


def test_messages_wait_until_a_label_was_published() -> None:
    node: Any = FakeNode()
    factory, findings, joints = BagMessageFactory(), history(), JointHistory(1.0)
    streams = FindingsInput(node, use=True)
    node.listening[topics.PARTS](parts(factory, NS), 0.0)
    node.listening[topics.KEYPOINTS](keypoints_message(factory, NS, "cam", None), 0.0)
    node.listening[topics.BODY](body_message(factory, NS, "cam", None), 0.0)
    node.listening[topics.VERTICES](vertices_message(factory, NS, "cam", None), 0.0)
    times_ns = np.array([NS])
    assert np.isnan(findings.window(times_ns, joints).contours_px).all()
    streams.deliver(None)
    streams.deliver(findings)
    assert (findings.window(times_ns, joints).contours_px == 7.0).all()
    assert not node.dropped


def test_messages_that_no_label_follows_and_those_that_the_history_drops_are_counted() -> None:
    node: Any = FakeNode()
    factory, findings = BagMessageFactory(), history()
    streams = FindingsInput(node, use=True)
    for index in range(CAPACITY + 3):
        node.listening[topics.PARTS](parts(factory, (index + 1) * NS), 0.0)
    assert node.dropped == {UNUSED: 3}
    node.listening[topics.PARTS](parts(factory, CAPACITY * NS), 0.0)
    streams.deliver(findings)
    streams.deliver(findings)
    assert node.dropped == {UNUSED: 4, LATE: 2}  # a message of parts is a box and contours


def test_a_damaged_message_is_reported_and_the_next_one_is_taken_up() -> None:
    node: Any = FakeNode()
    factory, findings = BagMessageFactory(), history()
    streams = FindingsInput(node, use=True)
    damaged = parts(factory, NS)
    damaged.labels.encoding = "32FC1"
    node.listening[topics.PARTS](damaged, 0.0)
    node.listening[topics.PARTS](parts(factory, 2 * NS), 0.0)
    streams.deliver(findings)
    assert len(node.errors) == 1
    assert node.dropped == {"InputError": 1}
    assert np.isfinite(findings.window(np.array([2 * NS]), JointHistory(1.0)).contours_px).all()
