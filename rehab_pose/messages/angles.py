"""Conversion of joint angles (JointAngles, sensor_msgs/JointState) and bones (Bones) to messages and back."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import Bones, JointAngles
from rehab_pose.geometry.rotations import matrices_from_quaternions, quaternions_from_matrices
from rehab_pose.messages.checks import between, near_camera, not_negative, whole_message
from rehab_pose.messages.factory import BODY_ID, NO_BODY_ID, header, numbers, stamp_ns

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = ["angles_from_message", "angles_message", "bones_from_message", "bones_message", "joint_state_message"]

LARGEST_ANGLE_RAD = 4.0 * np.pi
"""Two turns [rad]."""
LARGEST_SPEED = 1e5
"""Beyond the speed of any joint, also with the noise of one frame [rad/s]."""
LONGEST_BONE_M = 2.0
"""Beyond any bone [m]."""


def angles_message(factory: MessageFactory, stamp: int, frame_id: str, angles: JointAngles | None) -> Message:
    """Return rehab_pose_msgs/JointAngles; None gives the message of a frame without a person."""
    none = np.empty(0)
    return factory.make(
        "rehab_pose_msgs/msg/JointAngles",
        header=header(factory, stamp, frame_id),
        body_id=BODY_ID if angles else NO_BODY_ID,
        names=list(angles.names) if angles else [],
        angles=numbers(factory, angles.angles_rad if angles else none, np.float32),
        velocities=numbers(factory, angles.velocities_rad_s if angles else none, np.float32),
        confidence=numbers(factory, angles.confidence if angles else none, np.float32),
        sigma=numbers(factory, angles.sigma_rad if angles else none, np.float32),
        side_differences=numbers(factory, angles.side_differences_rad if angles else none, np.float32),
    )


@lru_cache(maxsize=16)
def _kept_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first tuple of these names, so that histories of many frames keep them once."""
    return names


@whole_message("JointAngles")
def angles_from_message(message: Message) -> JointAngles | None:
    """Return the angles of a rehab_pose_msgs/JointAngles, None when no person is in view.

    Raises:
        InputError: Lengths differ, or a number is out of its range.
    """
    if message.body_id == NO_BODY_ID:
        return None
    return JointAngles(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        names=_kept_names(tuple(message.names)),
        angles_rad=between("JointAngles.angles", message.angles, -LARGEST_ANGLE_RAD, LARGEST_ANGLE_RAD),
        velocities_rad_s=between("JointAngles.velocities", message.velocities, -LARGEST_SPEED, LARGEST_SPEED),
        confidence=between("JointAngles.confidence", message.confidence, 0.0, 1.0),
        sigma_rad=not_negative("JointAngles.sigma", message.sigma),
    )


def joint_state_message(factory: MessageFactory, stamp: int, frame_id: str, angles: JointAngles) -> Message:
    """Return sensor_msgs/JointState with the measured angles [rad].

    Readers of this type expect finite numbers: angles that were not measured are left out, and the velocities [rad/s]
    are empty unless all are known.
    """
    measured = np.flatnonzero(np.isfinite(angles.angles_rad))
    velocities = angles.velocities_rad_s[measured]
    return factory.make(
        "sensor_msgs/msg/JointState",
        header=header(factory, stamp, frame_id),
        name=[angles.names[index] for index in measured],
        position=numbers(factory, angles.angles_rad[measured], np.float64),
        velocity=numbers(factory, velocities if np.isfinite(velocities).all() else np.empty(0), np.float64),
        effort=numbers(factory, np.empty(0), np.float64),
    )


def bones_message(factory: MessageFactory, stamp: int, frame_id: str, bones: Bones | None) -> Message:
    """Return rehab_pose_msgs/Bones; None gives the message of a frame without a person."""
    poses = bones.camera_from_bone if bones else np.empty((0, 4, 4))
    none = np.empty(0)
    return factory.make(
        "rehab_pose_msgs/msg/Bones",
        header=header(factory, stamp, frame_id),
        body_id=BODY_ID if bones else NO_BODY_ID,
        names=list(bones.names) if bones else [],
        positions=numbers(factory, poses[:, :3, 3], np.float32),
        orientations=numbers(factory, quaternions_from_matrices(poses[:, :3, :3]), np.float32),
        lengths=numbers(factory, bones.length_m if bones else none, np.float32),
        radii=numbers(factory, bones.radius_m if bones else none, np.float32),
    )


@whole_message("Bones")
def bones_from_message(message: Message) -> Bones | None:
    """Return the bones of a rehab_pose_msgs/Bones, None when no person is in view.

    Raises:
        InputError: Lengths differ, or a number is out of its range.
    """
    if message.body_id == NO_BODY_ID:
        return None
    count = len(message.names)
    poses = np.zeros((count, 4, 4))
    poses[:, :3, :3] = matrices_from_quaternions(np.asarray(message.orientations).reshape(count, 4))
    poses[:, :3, 3] = near_camera("Bones.positions", message.positions).reshape(count, 3)
    poses[:, 3, 3] = 1.0
    return Bones(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        names=tuple(message.names),
        camera_from_bone=poses,
        length_m=between("Bones.lengths", message.lengths, 0.0, LONGEST_BONE_M),
        radius_m=between("Bones.radii", message.radii, 0.0, LONGEST_BONE_M),
    )
