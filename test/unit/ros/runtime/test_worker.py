"""Two worker threads of one node: each resets its own stages, and frames are counted once."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from rehab_pose.graph import NodeSpec
from rehab_pose.units import NS_PER_S

rclpy = pytest.importorskip("rclpy", reason="ROS is not installed")
pytest.importorskip("rehab_pose_msgs", reason="the message package is not built")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rehab_pose.ros.runtime.stage_node import StageNode

TIMEOUT_S = 5.0


class ResetRecorder:
    """A stage that records the threads in which it was reset."""

    def __init__(self) -> None:
        self.reset_threads: list[str] = []

    def reset(self) -> None:
        """Record the current thread."""
        self.reset_threads.append(threading.current_thread().name)


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Iterator[StageNode]:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    from rehab_pose.ros.runtime.stage_node import StageNode  # noqa: PLC0415

    rclpy.init()
    stage_node = StageNode(NodeSpec("two_workers", "", (), (), (), ()))
    yield stage_node
    stage_node.close()
    stage_node.destroy_node()
    rclpy.try_shutdown()


def until(condition: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + TIMEOUT_S
    while not condition() and time.monotonic() < end_s:
        time.sleep(0.005)
    return condition()


def test_each_worker_resets_its_own_stages_and_frames_count_once(node: StageNode) -> None:
    node.start_worker(10)
    worker = node.second_worker("body")
    first, second = node.stage(ResetRecorder), node.stage(ResetRecorder, worker)
    done: list[int] = []

    def measure(stamp: int) -> bool:
        done.append(stamp)
        return True

    def forward(stamp: int) -> bool:
        worker.put(measure, stamp, stamp, 0.0)
        return True

    for count, seconds in enumerate((10, 11, 5), start=1):  # time jumps back at the third
        node.post(forward, seconds * NS_PER_S, seconds * NS_PER_S, 0.0)
        assert until(lambda count=count: len(done) == count)  # type: ignore[misc]
    assert first.get().reset_threads == ["two_workers_worker"]
    assert second.get().reset_threads == ["two_workers_body"]
    assert until(lambda: node.health.processed == 3)
    assert node.health.jumps_back == 1


def test_an_error_in_the_second_worker_is_counted_and_the_worker_continues(node: StageNode) -> None:
    node.start_worker()
    worker = node.second_worker("body")
    done: list[int] = []

    def measure(item: int) -> bool:
        if item == 0:
            msg = "a fault"
            raise ValueError(msg)
        done.append(item)
        return True

    worker.put(measure, 0, 1, 0.0)
    assert until(lambda: node.health.dropped["internal error"] == 1)
    worker.put(measure, 1, 2, 0.0)
    assert until(lambda: done == [1])


def test_a_camera_rendered_ahead_repeats_its_images_with_new_stamps(
    node: StageNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rehab_pose.messages.factory import stamp_ns  # noqa: PLC0415
    from rehab_pose_sim.nodes import sim_camera  # noqa: PLC0415

    assert node is not None
    rclpy.try_shutdown()
    values = {"width_px": 32, "height_px": 24, "exercise": "squat", "seconds_per_exercise": 3.0, "ahead_s": 60.0}
    arguments = [word for name, value in values.items() for word in ("-p", f"simulation.{name}:={value}")]
    rclpy.init(args=["--ros-args", *arguments])
    camera = sim_camera.SimCameraNode()
    camera.close()  # stop its own timer: frames are published only by the calls below
    try:
        length = camera._length
        monkeypatch.setattr(camera._simulation, "frame", None)  # rendering would fail
        assert camera._publish(3)
        assert camera._image(length + 3) is camera._image(3)
        assert stamp_ns(camera._image(3)[1].header.stamp) == camera._stamp_ns(3)
        assert camera._publish(length + 3)
        assert stamp_ns(camera._image(3)[2].header.stamp) == camera._stamp_ns(length + 3)
    finally:
        camera.destroy_node()
