"""CameraInput over real DDS: frames carry the direction that an inertial sensor measured."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.messages import topics
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.images import image_message

if TYPE_CHECKING:
    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.ros.runtime.stage_node import StageNode

CAMERA = CameraIntrinsics(width_px=8, height_px=6, fx=10.0, fy=10.0, cx=3.5, cy=2.5)
TIMEOUT_S = 15.0


def image_depths(node: StageNode) -> set[int]:
    """Return the depths of the QoS of a node's subscriptions to the camera's images."""
    from rehab_pose.ros.io.resolved_names import resolved_name  # noqa: PLC0415

    names = {resolved_name(node, topic.name) for topic in (topics.COLOR, topics.DEPTH)}
    return {entry.qos_profile.depth for entry in node.subscriptions if entry.topic_name in names}


def test_as_many_images_may_wait_in_dds_as_in_the_node(ros: Any) -> None:  # noqa: ANN401
    from rclpy.parameter import Parameter  # noqa: PLC0415

    from rehab_pose.graph import node_spec  # noqa: PLC0415
    from rehab_pose.ros.io.camera_input import CameraInput  # noqa: PLC0415
    from rehab_pose.ros.runtime.stage_node import StageNode  # noqa: PLC0415

    assert ros is not None
    node = StageNode(node_spec("rgbd_sync"))
    node.set_parameters([Parameter("node.queue_length", value=30)])
    CameraInput(node, lambda _frame: True)
    try:
        assert image_depths(node) == {30}
    finally:
        node.close()
        node.destroy_node()


@pytest.mark.parametrize("best_effort", [True, False])
def test_frames_carry_the_direction_of_an_imu(ros: Any, best_effort: bool) -> None:  # noqa: ANN401
    from rclpy.executors import SingleThreadedExecutor  # noqa: PLC0415
    from rclpy.node import Node  # noqa: PLC0415

    from rehab_pose.graph import node_spec  # noqa: PLC0415
    from rehab_pose.ros.io.camera_input import MIN_WAITING, CameraInput  # noqa: PLC0415
    from rehab_pose.ros.io.message_factory import RosMessageFactory, message_class  # noqa: PLC0415
    from rehab_pose.ros.io.qos import qos  # noqa: PLC0415
    from rehab_pose.ros.runtime.stage_node import StageNode  # noqa: PLC0415

    assert ros is not None
    frames: list[RgbdFrame] = []

    def keep(frame: RgbdFrame) -> bool:
        frames.append(frame)
        return True

    node, driver, factory = StageNode(node_spec("rgbd_sync")), Node("driver"), RosMessageFactory()
    camera = CameraInput(node, keep)
    assert image_depths(node) == {MIN_WAITING}
    publishers = {
        topic: driver.create_publisher(
            message_class(topic.type_name),
            topic.name,
            qos(topic.delivery, best_effort=best_effort and topic is topics.IMU),
        )
        for topic in (*topics.CAMERA_TOPICS, topics.IMU)
    }
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    executor.add_node(driver)
    deadline_s = time.monotonic() + TIMEOUT_S
    try:
        while not (frames and np.isfinite(frames[-1].up).all()) and time.monotonic() < deadline_s:
            stamp = header(factory, driver.get_clock().now().nanoseconds, "camera_imu_frame")
            imu = message_class(topics.IMU.type_name)(header=stamp)
            # Body axes of a camera that is turned left: minus y, its right side, points up.
            imu.linear_acceleration.y = -9.81
            publishers[topics.IMU].publish(imu)
            publishers[topics.CAMERA_INFO].publish(camera_info_message(factory, stamp, CAMERA))
            publishers[topics.COLOR].publish(image_message(factory, stamp, "rgb8", np.zeros((6, 8, 3), np.uint8)))
            publishers[topics.DEPTH].publish(image_message(factory, stamp, "16UC1", np.full((6, 8), 1500, np.uint16)))
            until_s = time.monotonic() + 0.03
            while time.monotonic() < until_s:
                executor.spin_once(timeout_sec=0.005)
        camera.before_report()
    finally:
        node.close()
        node.destroy_node()
        driver.destroy_node()
    assert frames
    np.testing.assert_allclose(frames[-1].up, [1.0, 0.0, 0.0], atol=1e-9)
