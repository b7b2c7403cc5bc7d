"""The node of the RViz markers over real DDS: joints, bones, angles and mesh of one picture have one stamp."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from rehab_pose.datatypes import Bones, JointAngles, Joints
from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_message, bones_message
from rehab_pose.messages.body import topology_message, vertices_message
from rehab_pose.messages.joints import joints_message
from rehab_pose.messages.topic_names import NAMESPACE
from rehab_pose.ros.io.message_factory import RosMessageFactory, message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.known_results import body_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehab_pose.messages.topics import Topic

TIMEOUT_S = 15.0
PERIOD_NS = 100_000_000
ANGLE = ("left_knee_flexion",)


class Triangle:
    """A body model of one triangle."""

    model_id = "triangle"
    faces = np.array([[0, 1, 2]], np.int32)


def x_m(frame: int) -> float:
    """Return where everything of a frame is, so that a picture of several frames is noticed [m]."""
    return 0.01 * frame


def frame_messages(factory: RosMessageFactory, frame: int) -> Iterator[tuple[Topic, Any]]:
    stamp_ns, ones = 1_000_000_000 + frame * PERIOD_NS, np.ones(24)
    positions_m = np.full((24, 3), x_m(frame))
    joints = Joints(stamp_ns, "cam", SMPL_24, positions_m, ones, ones, np.ones(24, np.uint8))
    yield topics.JOINTS, joints_message(factory, stamp_ns, "cam", joints)
    angle = np.array([np.radians(60.0 * (frame % 2))])
    angles = JointAngles(stamp_ns, "cam", ANGLE, angle, angle, np.ones(1), np.ones(1))
    yield topics.JOINT_ANGLES, angles_message(factory, stamp_ns, "cam", angles)
    pose = np.eye(4)[None].copy()
    pose[0, :3, 3] = x_m(frame)
    bones = Bones(stamp_ns, "cam", ("femur",), pose, np.full(1, 1e-6), np.full(1, 0.01))
    yield topics.BONES, bones_message(factory, stamp_ns, "cam", bones)
    body = body_at(0)
    vertices_m = np.full((3, 3), x_m(frame), np.float32)
    with_mesh = type(body)(**(vars(body) | {"vertices_m": vertices_m, "stamp_ns": stamp_ns}))
    yield topics.VERTICES, vertices_message(factory, stamp_ns, "cam", with_mesh)


def test_a_picture_has_one_stamp_and_one_place(ros: Any) -> None:  # noqa: ANN401
    ros()
    from rehab_pose.nodes.markers import MarkersNode  # noqa: PLC0415

    bridge, client, executor = MarkersNode(), Node("test_client", namespace=NAMESPACE), SingleThreadedExecutor()
    factory, found = RosMessageFactory(), {topics.MARKERS: list[Any](), topics.MESH_MARKER: list[Any]()}
    for topic, received in found.items():
        client.create_subscription(message_class(topic.type_name), topic.name, received.append, qos(topic.delivery))
    inputs = (*bridge.spec.on_demand, topics.EXERCISE_LABEL, topics.TOPOLOGY)
    publishers = {
        topic: client.create_publisher(message_class(topic.type_name), topic.name, qos(topic.delivery))
        for topic in inputs
    }
    executor.add_node(bridge)
    executor.add_node(client)
    publishers[topics.TOPOLOGY].publish(topology_message(factory, Triangle()))
    end_s, frame = time.monotonic() + TIMEOUT_S, 0
    while len(found[topics.MESH_MARKER]) < 5 and time.monotonic() < end_s:
        frame += 1
        publishers[topics.EXERCISE_LABEL].publish(factory.make("std_msgs/msg/String", data="squat"))
        # The mesh comes a frame later than the joints, as from another process.
        late = [entry for entry in frame_messages(factory, frame - 1) if entry[0] is topics.VERTICES]
        soon = [entry for entry in frame_messages(factory, frame) if entry[0] is not topics.VERTICES]
        for topic, message in (*soon, *late):
            publishers[topic].publish(message)
        for _ in range(5):
            executor.spin_once(timeout_sec=0.02)
    bridge.close()
    executor.shutdown()
    meshes = {stamp(mesh): mesh for mesh in found[topics.MESH_MARKER][1:]}
    assert len(meshes) >= 4
    pictures = [marker for array in found[topics.MARKERS] for marker in array.markers if stamp(marker) in meshes]
    assert {marker.ns for marker in pictures} == {"joints", "bones", "angles", "label"}
    for marker in pictures:
        place_m = x_m((stamp(marker) - 1_000_000_000) // PERIOD_NS)
        assert abs(meshes[stamp(marker)].points[0].x - place_m) < 1e-5
        if marker.ns == "joints" and marker.points:
            assert abs(marker.points[0].x - place_m) < 1e-5
        if marker.ns == "bones":
            assert abs(marker.pose.position.x - place_m) < 1e-5
        if marker.ns == "angles":
            assert marker.text in {"flexion:0", "flexion:60"}


def stamp(marker: Any) -> int:  # noqa: ANN401
    return int(marker.header.stamp.sec) * 1_000_000_000 + int(marker.header.stamp.nanosec)
