"""A fitted body as the 20 joints of ROS4HRI's human_description, for its robot_state_publisher.

In its zero pose the URDF stands upright with hanging arms, x forward, y left, z up. From the torso outwards its joints
rotate about:
shoulder z, x, z; elbow -y; hip -z, x, -y; knee -y; waist y; head x, z, -y; the axes of shoulders and of the hips' x are
mirrored on the right (human_description, urdf/human-tpl.xacro). Its joint limits are narrower than
the angles of some exercises; the angles are published without clipping.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.messages.factory import header, numbers
from rehab_pose.ros.adapters.links import BODY_AXES
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Body
    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = ["axis_rotation", "human_joint_state", "human_joints"]

STRAIGHT_SINE = 1e-3
"""Sine of a joint angle below which the segment counts as straight: its axis of rotation is then not observable."""
SIDES = (("l", "left", 1.0), ("r", "right", -1.0))
"""Prefix of the URDF's joints, prefix of SMPL's joints, and sign of the mirrored axes for each side."""


def axis_rotation(axis: int, angle_rad: float) -> NDArray[np.float64]:
    """Return the rotation by an angle [rad] about x (0), y (1) or z (2)."""
    first, second = ((1, 2), (2, 0), (0, 1))[axis]
    rotation = np.eye(3)
    rotation[first, first] = rotation[second, second] = np.cos(angle_rad)
    rotation[second, first] = np.sin(angle_rad)
    rotation[first, second] = -np.sin(angle_rad)
    return rotation


def human_joints(body: Body) -> dict[str, float]:
    """Return the angles [rad] of human_description's revolute joints, without the id at the end of their names."""
    camera_from = {name: body.joint_rotations[index] @ BODY_AXES for index, name in enumerate(SMPL_24.joint_names)}
    body_from = {name: camera_from["pelvis"].T @ rotation for name, rotation in camera_from.items()}
    positions_m = (body.joint_positions_m - body.joint_positions_m[0]) @ camera_from["pelvis"]
    position_m = dict(zip(SMPL_24.joint_names, positions_m, strict=True))
    forward = body_from["spine3"][:, 0]
    waist = float(np.arctan2(-forward[2], forward[0]))
    torso = axis_rotation(1, waist)
    angles = {"waist": waist, **_head(torso.T @ body_from["head"])}
    for short, side, sign in SIDES:
        upper = torso.T @ (position_m[f"{side}_elbow"] - position_m[f"{side}_shoulder"])
        fore = torso.T @ (position_m[f"{side}_wrist"] - position_m[f"{side}_elbow"])
        side_angles = {**_arm(upper, fore, sign), **_leg(body_from[f"{side}_hip"], body_from[f"{side}_knee"], sign)}
        angles |= {f"{short}_{name}": angle for name, angle in side_angles.items()}
    return angles


def _head(rotation: NDArray[np.float64]) -> dict[str, float]:
    """Return the head's angles r, y, p [rad], where `rotation` = Rx(r) Rz(y) Ry(-p)."""
    return {
        "r_head": float(np.arctan2(rotation[2, 1], rotation[1, 1])),
        "y_head": float(np.arcsin(np.clip(-rotation[0, 1], -1.0, 1.0))),
        "p_head": float(-np.arctan2(rotation[0, 2], rotation[0, 0])),
    }


def _arm(upper: NDArray[np.float64], fore: NDArray[np.float64], sign: float) -> dict[str, float]:
    """Return the arm's angles [rad] from the directions of upper arm and forearm in the torso's frame.

    The shoulder's rotation is Rz(-sign y) Rx(sign p) Rz(sign r), the elbow's Ry(-elbow).
    """
    upper, fore = upper / np.linalg.norm(upper), fore / np.linalg.norm(fore)
    pitch = float(np.arccos(np.clip(-upper[2], -1.0, 1.0)))
    heading = float(np.arctan2(-sign * upper[0], sign * upper[1])) if np.sin(pitch) > STRAIGHT_SINE else 0.0
    shoulder = axis_rotation(2, heading) @ axis_rotation(0, sign * pitch)
    bent = shoulder.T @ fore
    elbow = float(np.arccos(np.clip(-bent[2], -1.0, 1.0)))
    roll = float(np.arctan2(bent[1], bent[0])) if np.sin(elbow) > STRAIGHT_SINE else 0.0
    return {"y_shoulder": -sign * heading, "p_shoulder": pitch, "r_shoulder": sign * roll, "elbow": elbow}


def _leg(hip: NDArray[np.float64], knee: NDArray[np.float64], sign: float) -> dict[str, float]:
    """Return the leg's angles [rad] from the rotation matrices of hip and knee in the body's frame.

    The hip's rotation is Rz(-y) Rx(sign p) Ry(-r), the knee's Ry(-knee).
    """
    bent = hip.T @ knee
    return {
        "y_hip": float(np.arctan2(hip[0, 1], hip[1, 1])),
        "p_hip": float(sign * np.arcsin(np.clip(hip[2, 1], -1.0, 1.0))),
        "r_hip": float(np.arctan2(hip[2, 0], hip[2, 2])),
        "knee": float(-np.arctan2(bent[0, 2], bent[0, 0])),
    }


def human_joint_state(factory: MessageFactory, body: Body, body_id: str) -> Message:
    """Return sensor_msgs/JointState with the joint names of REP-155, which end with the body's id."""
    angles = human_joints(body)
    none = np.empty(0)
    return factory.make(
        "sensor_msgs/msg/JointState",
        header=header(factory, body.stamp_ns, body.frame_id),
        name=[f"{name}_{body_id}" for name in angles],
        position=numbers(factory, np.array(list(angles.values())), np.float64),
        velocity=numbers(factory, none, np.float64),
        effort=numbers(factory, none, np.float64),
    )
