"""The bridges to tf2 and ROS4HRI over real DDS, where their message packages are installed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from rehab_pose.datatypes import Body, BodyParameters, Joints, JointVisibility
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.messages import topics
from rehab_pose.messages.body import body_message
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.joints import joints_message
from rehab_pose.messages.topic_names import NAMESPACE, full_name
from rehab_pose.ros.io.message_factory import RosMessageFactory, message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from rehab_pose.messages.topics import Topic
    from rehab_pose.ros.runtime.stage_node import StageNode

STAMP_NS = 1_700_000_000_000_000_000
CAMERA = CameraIntrinsics(width_px=640, height_px=480, fx=525.0, fy=525.0, cx=319.5, cy=239.5)
TIMEOUT_S = 10.0
POSITIONS_M = np.random.default_rng(0).normal((0.0, 0.0, 2.5), 0.3, (24, 3))


def body() -> Body:
    return Body(
        stamp_ns=STAMP_NS,
        frame_id="cam",
        model_id="m",
        parameters=BodyParameters(np.zeros(10), np.zeros((24, 3)), np.zeros(3)),
        vertices_m=np.empty((0, 3), np.float32),
        joint_positions_m=POSITIONS_M,
        joint_rotations=np.tile(np.diag([1.0, -1.0, -1.0]), (24, 1, 1)),
        residual_m=0.0,
        iterations=1,
        converged=True,
    )


def joints() -> Joints:
    visibility = np.full(24, JointVisibility.OBSERVED, np.uint8)
    return Joints(STAMP_NS, "cam", SMPL_24, POSITIONS_M, np.ones(24), np.ones(24), visibility)


def published_by(bridge: StageNode, given: dict[Topic, Any], outputs: tuple[Topic, ...]) -> dict[Topic, list[Any]]:
    """Send messages to a bridge until it has published on all `outputs`; return the received messages."""
    node, executor = Node("test_client", namespace=NAMESPACE), SingleThreadedExecutor()
    received: dict[Topic, list[Any]] = {topic: [] for topic in outputs}
    for topic, messages in received.items():
        node.create_subscription(message_class(topic.type_name), topic.name, messages.append, qos(topic.delivery))
    publishers = {
        topic: node.create_publisher(message_class(topic.type_name), full_name(topic.name), qos(topic.delivery))
        for topic in given
    }
    executor.add_node(bridge)
    executor.add_node(node)
    end_s = time.monotonic() + TIMEOUT_S
    while not all(received.values()) and time.monotonic() < end_s:
        for topic, message in given.items():
            publishers[topic].publish(message)
        for _ in range(5):
            executor.spin_once(timeout_sec=0.02)
    bridge.close()
    executor.shutdown()
    assert all(received.values()), {topic.name: len(messages) for topic, messages in received.items()}
    return received


def test_tf_contains_the_body_and_its_links(ros: Any) -> None:  # noqa: ANN401
    pytest.importorskip("tf2_msgs", reason="tf2_msgs is not installed")
    from rehab_pose.nodes.tf_bridge import TfBridgeNode  # noqa: PLC0415

    assert ros is not None
    message = body_message(RosMessageFactory(), STAMP_NS, "cam", body())
    [first, *_] = published_by(TfBridgeNode(), {topics.BODY: message}, (topics.TF,))[topics.TF]
    frames = {transform.child_frame_id: transform.header.frame_id for transform in first.transforms}
    assert frames.pop("body_aaaaa") == "cam"
    assert set(frames.values()) == {"body_aaaaa"}
    assert len(frames) == 24


def test_the_rep155_bridge_publishes_ids_skeleton_region_joints_and_tf(ros: Any) -> None:  # noqa: ANN401
    pytest.importorskip("hri_msgs", reason="hri_msgs is not installed")
    pytest.importorskip("tf2_msgs", reason="tf2_msgs is not installed")
    from rehab_pose.nodes.rep155_bridge import Rep155BridgeNode  # noqa: PLC0415

    assert ros is not None
    factory = RosMessageFactory()
    given = {
        topics.CAMERA_INFO: camera_info_message(factory, header(factory, STAMP_NS, "cam"), CAMERA),
        topics.JOINTS: joints_message(factory, STAMP_NS, "cam", joints()),
        topics.BODY: body_message(factory, STAMP_NS, "cam", body()),
    }
    outputs = (topics.HRI_TRACKED, topics.HRI_SKELETON, topics.HRI_REGION, topics.HRI_JOINT_STATES, topics.TF)
    received = published_by(Rep155BridgeNode(), given, outputs)
    assert list(received[topics.HRI_TRACKED][0].ids) == ["aaaaa"]
    assert len(received[topics.HRI_SKELETON][0].skeleton) == 18
    assert len(received[topics.HRI_JOINT_STATES][0].name) == 20
    assert [frame.child_frame_id for frame in received[topics.TF][0].transforms] == ["body_aaaaa"]
    assert 0.0 <= received[topics.HRI_REGION][0].xmin < received[topics.HRI_REGION][0].xmax <= 1.0


def test_without_a_person_the_list_of_bodies_is_empty(ros: Any) -> None:  # noqa: ANN401
    pytest.importorskip("hri_msgs", reason="hri_msgs is not installed")
    pytest.importorskip("tf2_msgs", reason="tf2_msgs is not installed")
    from rehab_pose.nodes.rep155_bridge import Rep155BridgeNode  # noqa: PLC0415

    assert ros is not None
    given = {topics.JOINTS: joints_message(RosMessageFactory(), STAMP_NS, "cam", None)}
    received = published_by(Rep155BridgeNode(), given, (topics.HRI_TRACKED,))
    assert list(received[topics.HRI_TRACKED][0].ids) == []


@pytest.mark.parametrize(("name", "package"), [("tf_bridge", "tf2_msgs"), ("rep155_bridge", "hri_msgs")])
def test_a_missing_message_package_is_named(
    ros: Any,  # noqa: ANN401
    name: str,
    package: str,
) -> None:
    import importlib  # noqa: PLC0415

    from rehab_pose.errors import MissingDependencyError  # noqa: PLC0415

    if importlib.util.find_spec(package) is not None:
        pytest.skip(f"{package} is installed")
    assert ros is not None
    module = importlib.import_module(f"rehab_pose.nodes.{name}")
    [kind] = [value for key, value in vars(module).items() if key.endswith("BridgeNode")]
    with pytest.raises(MissingDependencyError, match=f"expected the message package {package}"):
        kind()
