"""Guarded callbacks over real DDS: an error in any of them is counted and reported, and the node goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter

from rehab_pose.errors import InputError
from rehab_pose.graph import NodeSpec
from rehab_pose.messages import topics
from rehab_pose.ros.io.message_factory import message_class
from rehab_pose.ros.runtime.settings import NodeSettings
from rehab_pose.ros.runtime.stage_node import StageNode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMEOUT_S = 10.0
SENT = 3
LABEL = (topics.EXERCISE_LABEL,)


@pytest.fixture
def node(ros: Callable[..., Any]) -> Iterator[StageNode]:
    ros()
    stage_node = StageNode(NodeSpec("guarded", "", (), LABEL, LABEL, ()))
    yield stage_node
    stage_node.close()
    stage_node.destroy_node()


def spin_until(node: StageNode, condition: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> bool:
    """Spin a node as `run_node` does, where an error that escapes a callback would end it."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    end_s = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < end_s:
        executor.spin_once(timeout_sec=0.02)
    executor.remove_node(node)
    executor.shutdown()
    return condition()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InputError("expected a side, got 7"), "InputError on exercise/label"),
        (KeyError("mistake"), "internal error on exercise/label"),
    ],
    ids=["input", "mistake"],
)
def test_an_error_on_the_receiving_thread_is_a_drop_with_its_reason(
    node: StageNode, error: Exception, reason: str
) -> None:
    def receive(_message: object, _arrived_s: float) -> None:
        raise error

    node.listen(topics.EXERCISE_LABEL, receive)
    assert spin_until(node, lambda: node.publishers_by_topic[topics.EXERCISE_LABEL].get_subscription_count() > 0)
    for _ in range(SENT):
        node.publish(topics.EXERCISE_LABEL, message_class("std_msgs/msg/String")(data="squat"))
    assert spin_until(node, lambda: node.health.dropped[reason] == SENT)
    assert str(error).strip("'") in node.health.report().message


def test_an_error_in_a_timer_is_counted_and_the_timer_goes_on(node: StageNode) -> None:
    def tick() -> None:
        raise ZeroDivisionError

    node.create_timer(0.01, tick)
    assert spin_until(node, lambda: node.health.dropped["internal error on timer"] >= SENT)


def test_an_error_before_the_report_does_not_hide_it(node: StageNode, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise KeyError

    monkeypatch.setattr(node, "before_report", fail)
    received: list[Any] = []
    node.create_subscription(message_class("diagnostic_msgs/msg/DiagnosticArray"), "/diagnostics", received.append, 10)
    reason = "dropped: internal error on report"
    assert spin_until(node, lambda: any(v.key == reason for m in received for v in m.status[0].values))


def test_an_error_in_a_service_is_answered_with_a_sentence(node: StageNode) -> None:
    def serve(_request: object, _response: object) -> object:
        msg = "expected a disk, got none"
        raise InputError(msg)

    kind = message_class("rehab_pose_msgs/srv/StopSession")
    node.create_service(kind, "broken", serve)
    client = node.create_client(kind, "broken")
    future = client.call_async(kind.Request())
    assert spin_until(node, future.done)
    assert (future.result().success, future.result().message) == (False, "expected a disk, got none")
    assert node.health.dropped["InputError on broken"] == 1


def test_an_error_after_a_change_of_parameters_is_reported(node: StageNode) -> None:
    def fail(_settings: NodeSettings) -> None:
        raise KeyError

    node.on_settings(NodeSettings, fail)
    node.set_parameters([Parameter("node.active", value=False)])
    assert node.health.dropped["internal error on parameters"] == 1
