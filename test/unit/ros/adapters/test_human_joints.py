"""The body as frames, as joints of human_description and as Skeleton2D, compared with the URDF and hri_msgs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from rehab_pose.bags.message_types import BagMessageFactory
from rehab_pose.datatypes import Body, BodyParameters, Joints, JointVisibility
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.geometry.rotations import matrices_from_quaternions
from rehab_pose.ros.adapters.human_joints import axis_rotation, human_joint_state, human_joints
from rehab_pose.ros.adapters.links import BODY_AXES, REP155_LINKS, body_frame, link_transforms
from rehab_pose.ros.adapters.rep155 import SKELETON_2D, ids_message, normalised_points, region_message, skeleton_message
from rehab_pose.skeletons.smpl24 import SMPL_24

HRI_MESSAGES = {
    "hri_msgs/msg/IdsList": "std_msgs/Header header\nstring[] ids\n",
    "hri_msgs/msg/NormalizedPointOfInterest2D": "float32 x\nfloat32 y\nfloat32 c\n",
    "hri_msgs/msg/Skeleton2D": "std_msgs/Header header\nhri_msgs/NormalizedPointOfInterest2D[18] skeleton\n",
    "hri_msgs/msg/NormalizedRegionOfInterest2D": (
        "std_msgs/Header header\nfloat32 xmin\nfloat32 ymin\nfloat32 xmax\nfloat32 ymax\nfloat32 c\n"
    ),
}
"""The definitions of hri_msgs (REP-155), without their comments."""
STAMP_NS = 1_700_000_000_123_456_789
CAMERA = CameraIntrinsics(width_px=640, height_px=480, fx=525.0, fy=525.0, cx=319.5, cy=239.5)
CAMERA_FROM_BODY = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]]) @ np.diag([-1.0, -1.0, 1.0])
"""Rotation of an upright person who faces the camera."""
UPPER_ARM_M, FOREARM_M, THIGH_M, SHANK_M = 0.3, 0.25, 0.4, 0.4


class Store(BagMessageFactory):
    """Makes rosbags messages, with those of hri_msgs."""

    def __init__(self) -> None:
        self.store = get_typestore(Stores.ROS2_KILTED)
        for name, text in HRI_MESSAGES.items():
            self.store.register(get_types_from_msg(text, name))

    def make(self, type_name: str, **fields: object) -> Any:  # noqa: ANN401
        message_type: Any = self.store.types[type_name]
        return message_type(**fields)

    def round_trip(self, message: Any, type_name: str) -> Any:  # noqa: ANN401
        """Return a message after serialisation, which checks the types of its fields against the definition."""
        return self.store.deserialize_cdr(self.store.serialize_cdr(message, type_name), type_name)


def urdf_body(angles: dict[str, float]) -> Body:
    """Return the body at joint angles [rad] by an independent implementation of human_description's kinematics."""
    rotation = {name: np.eye(3) for name in SMPL_24.joint_names}
    position_m = {name: np.zeros(3) for name in SMPL_24.joint_names}
    torso = axis_rotation(1, angles["waist"])
    for name in ("spine1", "spine2", "spine3", "neck", "left_collar", "right_collar"):
        rotation[name] = torso
        position_m[name] = torso @ np.array([0.0, 0.0, 0.5])
    head = axis_rotation(0, angles["r_head"]) @ axis_rotation(2, angles["y_head"]) @ axis_rotation(1, -angles["p_head"])
    rotation["head"], position_m["head"] = torso @ head, torso @ np.array([0.0, 0.0, 0.7])
    for short, side, sign in (("l", "left", 1.0), ("r", "right", -1.0)):
        side_angles = {name[2:]: angle for name, angle in angles.items() if name.startswith(f"{short}_")}
        shoulder = (
            torso
            @ axis_rotation(2, -sign * side_angles["y_shoulder"])
            @ axis_rotation(0, sign * side_angles["p_shoulder"])
            @ axis_rotation(2, sign * side_angles["r_shoulder"])
        )
        elbow = shoulder @ axis_rotation(1, -side_angles["elbow"])
        position_m[f"{side}_shoulder"] = torso @ np.array([0.0, sign * 0.2, 0.5])
        position_m[f"{side}_elbow"] = position_m[f"{side}_shoulder"] - UPPER_ARM_M * shoulder[:, 2]
        position_m[f"{side}_wrist"] = position_m[f"{side}_elbow"] - FOREARM_M * elbow[:, 2]
        hip = (
            axis_rotation(2, -side_angles["y_hip"])
            @ axis_rotation(0, sign * side_angles["p_hip"])
            @ axis_rotation(1, -side_angles["r_hip"])
        )
        rotation[f"{side}_hip"], rotation[f"{side}_knee"] = hip, hip @ axis_rotation(1, -side_angles["knee"])
        position_m[f"{side}_hip"] = np.array([0.0, sign * 0.1, 0.0])
        position_m[f"{side}_knee"] = position_m[f"{side}_hip"] - THIGH_M * hip[:, 2]
        position_m[f"{side}_ankle"] = position_m[f"{side}_knee"] - SHANK_M * rotation[f"{side}_knee"][:, 2]
    names = SMPL_24.joint_names
    rotations = np.array([CAMERA_FROM_BODY @ rotation[name] @ BODY_AXES.T for name in names])
    positions = np.array([CAMERA_FROM_BODY @ position_m[name] for name in names]) + np.array([0.1, -0.2, 2.5])
    return Body(
        stamp_ns=STAMP_NS,
        frame_id="cam",
        model_id="m",
        parameters=BodyParameters(np.zeros(10), np.zeros((24, 3)), np.zeros(3)),
        vertices_m=np.empty((0, 3), np.float32),
        joint_positions_m=positions,
        joint_rotations=rotations,
        residual_m=0.0,
        iterations=1,
        converged=True,
    )


def random_angles(seed: int) -> dict[str, float]:
    random = np.random.default_rng(seed)
    ranges = {"y_shoulder": (-1.5, 1.5), "p_shoulder": (0.1, 3.0), "r_shoulder": (-1.5, 1.5), "elbow": (0.1, 2.4)}
    ranges |= {"y_hip": (-0.8, 0.8), "p_hip": (-0.4, 1.2), "r_hip": (-0.5, 2.0), "knee": (-2.4, 0.0)}
    middle = {"waist": (-0.3, 1.2), "r_head": (-0.9, 0.9), "y_head": (-1.3, 1.3), "p_head": (-1.0, 1.0)}
    sides = {f"{short}_{name}": bounds for short in "lr" for name, bounds in ranges.items()}
    return {name: float(random.uniform(*bounds)) for name, bounds in {**middle, **sides}.items()}


@pytest.mark.parametrize("seed", range(20))
def test_angles_of_a_body_posed_by_the_urdf_are_recovered(seed: int) -> None:
    given = random_angles(seed)
    recovered = human_joints(urdf_body(given))
    assert recovered.keys() == given.keys()
    for name, angle in given.items():
        assert recovered[name] == pytest.approx(angle, abs=1e-6), name


def test_hanging_arms_and_straight_legs_are_zero() -> None:
    angles = human_joints(urdf_body(dict.fromkeys(random_angles(0), 0.0)))
    assert all(abs(angle) < 1e-6 for angle in angles.values()), angles
    assert len(angles) == 20


def test_the_body_frame_is_between_the_hips_with_x_to_the_front() -> None:
    body = urdf_body(random_angles(1))
    frame = body_frame(body)
    hips = [body.joint_positions_m[SMPL_24.index(name)] for name in ("left_hip", "right_hip")]
    np.testing.assert_allclose(frame[:3, 3], np.mean(hips, axis=0))
    to_camera, to_left, to_head = frame[:3, 0], frame[:3, 1], frame[:3, 2]
    np.testing.assert_allclose(to_camera, (0.0, 0.0, -1.0), atol=1e-12)
    np.testing.assert_allclose(
        to_left, (1.0, 0.0, 0.0), atol=1e-12
    )  # the left of a person who faces the camera is at the right of the image
    np.testing.assert_allclose(to_head, (0.0, -1.0, 0.0), atol=1e-12)


def test_every_link_has_the_pose_of_its_joint_and_the_body_as_parent() -> None:
    body, store = urdf_body(random_angles(2)), Store()
    message = store.round_trip(link_transforms(store, body, "r_aaaaa", prefix="robot1/"), "tf2_msgs/msg/TFMessage")
    first, *links = message.transforms
    assert (first.header.frame_id, first.child_frame_id) == ("cam", "robot1/body_r_aaaaa")
    assert {link.header.frame_id for link in links} == {"robot1/body_r_aaaaa"}
    names = [link.child_frame_id for link in links]
    assert len(set(names)) == 24
    assert {f"robot1/{name}_r_aaaaa" for name in REP155_LINKS} <= set(names)
    assert all(link.header.stamp.nanosec == STAMP_NS % 10**9 for link in message.transforms)
    frame = body_frame(body)
    for index, link in enumerate(links):
        move, quaternion = link.transform.translation, link.transform.rotation
        position_m = frame[:3, :3] @ (move.x, move.y, move.z) + frame[:3, 3]
        np.testing.assert_allclose(position_m, body.joint_positions_m[index], atol=1e-9)
        [local] = matrices_from_quaternions(np.array([[quaternion.x, quaternion.y, quaternion.z, quaternion.w]]))
        expected = body.joint_rotations[index] @ BODY_AXES
        np.testing.assert_allclose(frame[:3, :3] @ local, expected, atol=1e-9)


def joints() -> Joints:
    positions = np.tile([0.0, 0.0, 2.0], (24, 1))
    positions[SMPL_24.index("right_elbow")] = [1.0, 0.5, 2.0]
    positions[SMPL_24.index("left_wrist")] = np.nan
    positions[SMPL_24.index("left_ankle")] = [0.0, 9.0, 2.0]
    confidence = np.linspace(0.2, 0.9, 24)
    state = np.full(24, JointVisibility.OBSERVED, np.uint8)
    return Joints(STAMP_NS, "cam", SMPL_24, positions, confidence, np.ones(24), state)


def test_the_2d_skeleton_is_normalised_and_missing_points_have_confidence_zero() -> None:
    points = normalised_points(joints(), CAMERA)
    assert points.shape == (18, 3)
    assert points.min() >= 0.0
    assert points.max() <= 1.0
    right_elbow = points[3]
    np.testing.assert_allclose(right_elbow[:2], ((319.5 + 262.5) / 640, (239.5 + 131.25) / 480))
    assert right_elbow[2] == joints().confidence[SMPL_24.index("right_elbow")]
    missing = [index for index in range(18) if points[index, 2] == 0.0]
    # Nose, left wrist (NaN), left ankle (outside the image), eyes and ears.
    assert missing == [0, 7, 13, 14, 15, 16, 17]
    assert [SKELETON_2D[index] for index in (1, 2, 5, 8, 11)] == [
        "neck", "right_shoulder", "left_shoulder", "right_hip", "left_hip",
    ]  # fmt: skip


def test_the_messages_can_be_serialised_by_their_definitions() -> None:
    store = Store()
    skeleton = store.round_trip(skeleton_message(store, joints(), CAMERA), "hri_msgs/msg/Skeleton2D")
    assert len(skeleton.skeleton) == 18
    assert skeleton.header.frame_id == "cam"
    region = store.round_trip(region_message(store, joints(), CAMERA), "hri_msgs/msg/NormalizedRegionOfInterest2D")
    assert 0.0 <= region.xmin < region.xmax <= 1.0
    assert 0.0 <= region.ymin < region.ymax <= 1.0
    ids = store.round_trip(ids_message(store, STAMP_NS, "cam", ["aaaaa"]), "hri_msgs/msg/IdsList")
    assert ids.ids == ["aaaaa"]
    joint_state = human_joint_state(store, urdf_body(random_angles(3)), "r_aaaaa")
    joint_state = store.round_trip(joint_state, "sensor_msgs/msg/JointState")
    assert len(joint_state.name) == len(joint_state.position) == 20
    assert all(name.endswith("_r_aaaaa") for name in joint_state.name)
