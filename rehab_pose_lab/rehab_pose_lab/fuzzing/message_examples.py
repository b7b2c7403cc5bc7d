"""Valid messages, from which the fuzzer makes others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rehab_pose import datatypes as records
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.messages import angles as angle_messages
from rehab_pose.messages import body as body_messages
from rehab_pose.messages import exercise as exercise_messages
from rehab_pose.messages import floor as floor_messages
from rehab_pose.messages import frames as frame_messages
from rehab_pose.messages import image_joints as image_joint_messages
from rehab_pose.messages import joints as joint_messages
from rehab_pose.messages import keypoints as keypoint_messages
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.images import image_message
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehab_pose.bags.message_types import BagMessageFactory
    from rehab_pose.messages.factory import Message

__all__ = ["CAMERA", "FRAME_ID", "STAMP_NS"]

STAMP_NS = 1_700_000_000_123_456_789
FRAME_ID = "camera_color_optical_frame"
CAMERA = CameraIntrinsics(width_px=16, height_px=12, fx=20.0, fy=20.0, cx=7.5, cy=5.5)
BOX_PX = (3, 2, 6, 8)
Messages = tuple[Any, ...]


def _head(factory: BagMessageFactory) -> Message:
    return header(factory, STAMP_NS, FRAME_ID)


def camera_info(factory: BagMessageFactory) -> Messages:
    """Return sensor_msgs/CameraInfo, also with a lens."""
    plain = camera_info_message(factory, _head(factory), CAMERA)
    lens = camera_info_message(factory, _head(factory), CAMERA)
    lens.d[:] = (0.1, -0.2, 0.001, 0.0, 0.05)
    return plain, lens


def color(factory: BagMessageFactory) -> Messages:
    """Return colour images."""
    pixels = np.arange(12 * 16 * 3, dtype=np.uint8).reshape(12, 16, 3)
    return tuple(image_message(factory, _head(factory), name, pixels) for name in ("rgb8", "bgr8"))


def depth(factory: BagMessageFactory) -> Messages:
    """Return depth images in both units."""
    depth_m = np.full((12, 16), 2.0, np.float32)
    return (
        image_message(factory, _head(factory), "32FC1", depth_m),
        image_message(factory, _head(factory), "16UC1", (1000 * depth_m).astype(np.uint16)),
    )


def compressed(factory: BagMessageFactory) -> Messages:
    """Return sensor_msgs/CompressedImage of colour (PNG, JPEG) and depth."""
    rgb = np.arange(12 * 16 * 3, dtype=np.uint8).reshape(12, 16, 3)
    deep = np.full((12, 16), 2000, np.uint16)
    head = np.concatenate([np.zeros(1, np.int32).view(np.uint8), np.array([5.0, 0.1], np.float32).view(np.uint8)])
    contents: Sequence[tuple[str, Any]] = (
        ("rgb8; jpeg compressed bgr8", cv2.imencode(".jpg", rgb)[1]),
        ("bgr8; png compressed bgr8", cv2.imencode(".png", rgb)[1]),
        ("16UC1; compressedDepth png", np.concatenate([head, np.asarray(cv2.imencode(".png", deep)[1]).ravel()])),
        ("32FC1; compressedDepth png", np.concatenate([head, np.asarray(cv2.imencode(".png", deep)[1]).ravel()])),
    )
    return tuple(
        factory.make(
            "sensor_msgs/msg/CompressedImage", header=_head(factory), format=name, data=np.asarray(data).ravel()
        )
        for name, data in contents
    )


def imu(factory: BagMessageFactory) -> Messages:
    """Return sensor_msgs/Imu."""

    def vector(x: float, y: float, z: float) -> Message:
        return factory.make("geometry_msgs/msg/Vector3", x=x, y=y, z=z)

    return (
        factory.make(
            "sensor_msgs/msg/Imu",
            header=_head(factory),
            orientation=factory.make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=0.0, w=1.0),
            orientation_covariance=np.zeros(9),
            angular_velocity=vector(0.0, 0.1, 0.0),
            angular_velocity_covariance=np.zeros(9),
            linear_acceleration=vector(0.0, -9.8, 0.1),
            linear_acceleration_covariance=np.zeros(9),
        ),
    )


def _frame() -> records.RgbdFrame:
    rgb = np.zeros((12, 16, 3), np.uint8)
    up = np.array([0.0, -1.0, 0.0])
    return records.RgbdFrame(STAMP_NS, FRAME_ID, CAMERA, rgb, np.full((12, 16), 2.0, np.float32), up)


def frame(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/RgbdFrame."""
    return (frame_messages.frame_message(factory, _frame()),)


def silhouette(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/Silhouette with and without a person."""
    inside = np.ones((8, 6), np.bool_)
    rgb, deep = np.zeros((8, 6, 3), np.uint8), np.full((8, 6), 2.0, np.float32)
    up = np.array([0.0, -1.0, 0.0])
    person = records.Silhouette(STAMP_NS, FRAME_ID, CAMERA, BOX_PX, inside, rgb, deep, 0.75, up)
    return frame_messages.silhouette_message(factory, person), frame_messages.no_silhouette_message(factory, _frame())


def image_joints(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/ImageJoints."""
    found = records.ImageJoints(STAMP_NS, FRAME_ID, np.full((33, 2), 5.0), np.full(33, 0.9), np.zeros((33, 3)), 0.8)
    return (image_joint_messages.image_joints_message(factory, STAMP_NS, FRAME_ID, found),)


def keypoints(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/Keypoints with all kinds of descriptors."""

    def family(name: str, count: int, descriptors: Any) -> records.KeypointFamily:  # noqa: ANN401
        column = np.ones(count, np.float32)
        return records.KeypointFamily(
            name, np.ones((count, 2), np.float32), column, column, column, column, descriptors
        )

    found = (
        family("contour", 3, None),
        family("orb", 2, np.zeros((2, 32), np.uint8)),
        family("sift", 2, np.zeros((2, 16), np.float32)),
    )
    return (
        keypoint_messages.keypoints_message(factory, STAMP_NS, FRAME_ID, records.Keypoints(STAMP_NS, FRAME_ID, found)),
    )


def parts(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/BodyParts."""
    contours = np.full((20, 4, 2), np.nan, np.float32)
    found = records.BodyParts(STAMP_NS, FRAME_ID, BOX_PX, np.zeros((8, 6), np.uint8), contours)
    return (keypoint_messages.parts_message(factory, STAMP_NS, FRAME_ID, found),)


def joints(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/Joints."""
    positions_m = np.tile([0.1, -0.2, 2.0], (24, 1))
    found = records.Joints(
        STAMP_NS, FRAME_ID, SMPL_24, positions_m, np.full(24, 0.9), np.full(24, 0.02), np.ones(24, np.uint8)
    )
    return (joint_messages.joints_message(factory, STAMP_NS, FRAME_ID, found),)


def _body() -> records.Body:
    parameters = records.BodyParameters(np.zeros(10), np.zeros((24, 3)), np.array([0.0, 0.0, 2.0]))
    rotations = matrices_from_axis_angles(np.zeros((24, 3)))
    vertices = np.tile(np.array([0.1, 0.2, 2.0], np.float32), (6, 1))
    positions_m = np.tile([0.1, -0.2, 2.0], (24, 1))
    return records.Body(
        STAMP_NS, FRAME_ID, "m-1", parameters, vertices, positions_m, rotations, 0.01, 5, converged=True
    )


def body(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/Body."""
    return (body_messages.body_message(factory, STAMP_NS, FRAME_ID, _body()),)


def vertices(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/MeshVertices."""
    return (body_messages.vertices_message(factory, STAMP_NS, FRAME_ID, _body()),)


def angles(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/JointAngles."""
    names = ("left_knee_flexion", "right_knee_flexion", "trunk_flexion")
    found = records.JointAngles(STAMP_NS, FRAME_ID, names, np.zeros(3), np.zeros(3), np.ones(3), np.full(3, 0.1))
    return (angle_messages.angles_message(factory, STAMP_NS, FRAME_ID, found),)


def bones(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/Bones."""
    poses = np.tile(np.eye(4), (3, 1, 1))
    found = records.Bones(STAMP_NS, FRAME_ID, ("a", "b", "c"), poses, np.full(3, 0.3), np.full(3, 0.02))
    return (angle_messages.bones_message(factory, STAMP_NS, FRAME_ID, found),)


def floor(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/FloorPlane."""
    plane = records.FloorPlane(STAMP_NS, FRAME_ID, np.array([0.0, -1.0, 0.0, 1.0]))
    return (floor_messages.floor_plane_message(factory, plane),)


def classification(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/ExerciseClassification."""
    count = len(LABELS)
    found = records.ExerciseClassification(
        STAMP_NS,
        FRAME_ID,
        STAMP_NS - 10**9,
        LABELS[1],
        0.9,
        np.full(count, 1.0 / count),
        out_of_distribution=False,
        model_id="m",
    )
    return (exercise_messages.classification_message(factory, found),)


def exercise_list(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/ExerciseList."""
    return (exercise_messages.exercise_list_message(factory),)


def example_repetition() -> records.Repetition:
    """Return a repetition."""
    return records.Repetition(
        *(STAMP_NS, FRAME_ID, LABELS[1], 1, STAMP_NS - 3 * 10**9, STAMP_NS - 10**9, "trunk_m", 0.1, 0.4, 0.8),
        side=records.Side.LEFT,
        turn_ns=STAMP_NS - 2 * 10**9,
        smoothness=-2.0,
        asymmetry=0.1,
        reasons=("slow",),
        quality_low=0.7,
        quality_high=0.9,
    )


def repetition(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/Repetition."""
    return (exercise_messages.repetition_message(factory, example_repetition()),)


def progress(factory: BagMessageFactory) -> Messages:
    """Return rehab_pose_msgs/RepetitionProgress."""
    found = records.RepetitionProgress(
        STAMP_NS, FRAME_ID, LABELS[1], 2, records.RepetitionPhase.OUT, "trunk_m", 0.2, 0.8
    )
    return (exercise_messages.progress_message(factory, STAMP_NS, FRAME_ID, found),)
