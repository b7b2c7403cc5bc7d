"""Fates of the frames of a graph: a frame that a node swallows silently is uncounted, one counted twice is shown."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from rehab_pose.errors import InputError
from rehab_pose.graph import NodeSpec
from rehab_pose.messages import topics
from rehab_pose.ros.runtime.health import DROPPED_STAMPS, LOST_BETWEEN, Health

rclpy = pytest.importorskip("rclpy", reason="ROS is not installed")
pytest.importorskip("rehab_pose_msgs", reason="the message package is not built")

from rclpy.executors import SingleThreadedExecutor  # noqa: E402  (after the check for ROS)

from rehab_pose.messages.exercise import classification_message  # noqa: E402
from rehab_pose.messages.factory import header, stamp_ns  # noqa: E402
from rehab_pose.ros.runtime.stage_node import StageNode  # noqa: E402
from rehab_pose_sim.graph_watch import GraphRecord, GraphWatch  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMEOUT_S = 10.0
START_NS, STEP_NS, FRAMES = 100_000_000_000, 33_000_000, 10
STAMPS = [START_NS + index * STEP_NS for index in range(FRAMES)]


def fates(record: GraphRecord) -> tuple[int, int, int, int, int]:
    found = record.fates(STAMPS[0], STAMPS[-1])
    return found.answered, found.dropped, found.lost_in_transport, found.uncounted, found.counted_twice


def record_without(*missing: int) -> GraphRecord:
    """Return the record of a run in which some frames, by index, have no label."""
    answered = {stamp: stamp for index, stamp in enumerate(STAMPS) if index not in missing}
    return GraphRecord(camera_ns={stamp: stamp for stamp in STAMPS}, exercise_ns=answered)


def test_each_frame_has_one_fate() -> None:
    record = record_without(2, 4, 5, 7)
    assert fates(record) == (6, 0, 0, 4, 0)
    record.take_report("/silhouette", {DROPPED_STAMPS: f"{STAMPS[2]}"})
    record.take_report("/exercise", {LOST_BETWEEN + "joints": f"{STAMPS[3]}-{STAMPS[6]}:1"})
    assert fates(record) == (6, 1, 1, 2, 0)
    record.take_report("/exercise", {LOST_BETWEEN + "joints": f"{STAMPS[3]}-{STAMPS[6]}:2"})
    record.take_report("/keypoints", {DROPPED_STAMPS: f"{STAMPS[7]}"})  # not between the camera and the label
    record.take_report("/exercise", {LOST_BETWEEN + "body": f"{STAMPS[6]}-{STAMPS[8]}:1"})
    assert fates(record) == (6, 1, 2, 1, 0)


def test_a_drop_cannot_hide_another_loss_nor_a_frame_counted_twice() -> None:
    record = record_without(2, 4)
    record.take_report("/joints", {DROPPED_STAMPS: f"{STAMPS[1]} {STAMPS[2]}"})  # the first one has a label
    record.take_report("/exercise", {DROPPED_STAMPS: f"{STAMPS[2]}"})
    assert fates(record) == (8, 1, 0, 1, 2)


def test_a_label_lost_on_its_way_to_the_watch_is_counted_as_lost_in_transport() -> None:
    record, health = record_without(4), Health(time.monotonic)
    entry = health.add_input("exercise", "/exercise", watched=False)
    for number, stamp in enumerate(STAMPS):
        if number != 4:
            health.arrived(entry, b"one", number, stamp)
            record.take_losses("graph_watch exercise", entry)
    assert fates(record) == (9, 0, 1, 0, 0)


class Recogniser(StageNode):
    """Stands for the graph from the camera to the label; drops some frames, with or without a word."""

    def __init__(self, *, swallowed: set[int], refused: set[int], damaged: set[int]) -> None:
        spec = NodeSpec("exercise", "", (), (topics.CAMERA_INFO,), (topics.EXERCISE, topics.CAMERA_INFO), ())
        super().__init__(spec)
        self._swallowed, self._refused = swallowed, refused
        self._damaged = damaged
        self.input(topics.CAMERA_INFO, self._on_frame, capacity=FRAMES)

    def _on_frame(self, message: Any) -> bool:  # noqa: ANN401
        from rehab_pose.datatypes import ExerciseClassification  # noqa: PLC0415

        stamp = stamp_ns(message.header.stamp)
        if STAMPS.index(stamp) in self._refused:
            msg = "a damaged frame"
            raise InputError(msg)
        if STAMPS.index(stamp) not in self._swallowed:
            result = ExerciseClassification(stamp, "cam", 0, "none", 0.9, [0.1], False, "m")  # type: ignore[arg-type]
            answer = classification_message(self.factory, result)
            answer.confidence = -5.0 if STAMPS.index(stamp) in self._damaged else 0.9
            self.publish(topics.EXERCISE, answer)
        return True


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., GraphRecord]]:
    monkeypatch.setenv("ROS_DOMAIN_ID", "77")
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

    def start(*, namespace: str = "", **drops: set[int]) -> GraphRecord:
        rclpy.init(args=["--ros-args", "-r", f"__ns:=/{namespace}"] if namespace else [])
        node = Recogniser(**drops)
        executor = SingleThreadedExecutor()
        executor.add_node(node)

        def spin_until(condition: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> bool:
            end_s = time.monotonic() + timeout_s
            while not condition() and time.monotonic() < end_s:
                executor.spin_once(timeout_sec=0.02)
            return condition()

        with GraphWatch() as watch:
            record = watch.record
            publishers = node.publishers_by_topic
            if not namespace:
                assert spin_until(lambda: bool(record.diagnostics))
                assert spin_until(lambda: publishers[topics.CAMERA_INFO].get_subscription_count() == 2)
                assert spin_until(lambda: publishers[topics.EXERCISE].get_subscription_count() == 1)
            else:
                assert spin_until(lambda: publishers[topics.CAMERA_INFO].get_subscription_count() == 1)
                assert spin_until(lambda: node.count_subscribers("/diagnostics") == 1)
            for stamp in STAMPS:
                info = node.factory.make("sensor_msgs/msg/CameraInfo", header=header(node.factory, stamp, "cam"))
                node.publish(topics.CAMERA_INFO, info)
                spin_until(lambda: False, 0.03)
            spin_until(lambda: False, 1.5)
        node.close()
        executor.shutdown()
        node.destroy_node()
        return record

    yield start
    rclpy.try_shutdown()


def test_frames_that_a_node_swallows_silently_are_uncounted(run: Callable[..., GraphRecord]) -> None:
    assert fates(run(swallowed={3, 6}, refused={4}, damaged=set())) == (7, 1, 0, 2, 0)


def test_a_damaged_label_is_no_answer_and_the_watch_goes_on(run: Callable[..., GraphRecord]) -> None:
    record = run(swallowed=set(), refused=set(), damaged={4})
    assert fates(record) == (9, 0, 0, 1, 0)
    assert any("ExerciseClassification.confidence: expected" in warning for warning in record.warnings)


def test_drops_of_another_namespace_explain_nothing(run: Callable[..., GraphRecord]) -> None:
    record = run(namespace="other", swallowed=set(), refused={4}, damaged=set())
    assert not record.diagnostics
    assert not record.dropped_by
