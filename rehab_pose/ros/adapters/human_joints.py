"""A fitted body as the 20 joints of ROS4HRI's human_description, for its robot_state_publisher.

The URDF is upright with hanging arms, x forward, y left, z up. Its joints turn, from the torso outwards:
shoulder z, x, z; elbow -y; hip -z, x, -y; knee -y; waist y; head x, z, -y; the axes of shoulders and of the hips' x are
mirrored on the right (human_description, urdf/human-tpl.xacro). Its limits are narrower than exercises are: the angles
are published as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.messages.factory import BODY_ID, header, numbers, words
from rehab_pose.ros.adapters.links import BODY_AXES
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Body
    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = ["human_joint_state", "human_joints", "turn_about"]

HANGING = 1e-3
"""Below this sine of its angle a segment is taken as straight: about which axis it is bent does not show."""
SIDES = (("l", "left", 1.0), ("r", "right", -1.0))


def turn_about(axis: int, angle_rad: float) -> NDArray[np.float64]:
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
    places = (body.joint_positions_m - body.joint_positions_m[0]) @ camera_from["pelvis"]
    place = dict(zip(SMPL_24.joint_names, places, strict=True))
    forward = body_from["spine3"][:, 0]
    waist = float(np.arctan2(-forward[2], forward[0]))
    torso = turn_about(1, waist)
    angles = {"waist": waist, **_head(torso.T @ body_from["head"])}
    for short, side, sign in SIDES:
        upper = torso.T @ (place[f"{side}_elbow"] - place[f"{side}_shoulder"])
        fore = torso.T @ (place[f"{side}_wrist"] - place[f"{side}_elbow"])
        found = {**_arm(upper, fore, sign), **_leg(body_from[f"{side}_hip"], body_from[f"{side}_knee"], sign)}
        angles |= {f"{short}_{name}": angle for name, angle in found.items()}
    return angles


def _head(turn: NDArray[np.float64]) -> dict[str, float]:
    """Split Rx(r) Rz(y) Ry(-p)."""
    return {
        "r_head": float(np.arctan2(turn[2, 1], turn[1, 1])),
        "y_head": float(np.arcsin(np.clip(-turn[0, 1], -1.0, 1.0))),
        "p_head": float(-np.arctan2(turn[0, 2], turn[0, 0])),
    }


def _arm(upper: NDArray[np.float64], fore: NDArray[np.float64], sign: float) -> dict[str, float]:
    """Split Rz(-sign y) Rx(sign p) Rz(sign r), then Ry(-elbow), by the directions of upper arm and forearm."""
    upper, fore = upper / np.linalg.norm(upper), fore / np.linalg.norm(fore)
    pitch = float(np.arccos(np.clip(-upper[2], -1.0, 1.0)))
    heading = float(np.arctan2(-sign * upper[0], sign * upper[1])) if np.sin(pitch) > HANGING else 0.0
    shoulder = turn_about(2, heading) @ turn_about(0, sign * pitch)
    bent = shoulder.T @ fore
    elbow = float(np.arccos(np.clip(-bent[2], -1.0, 1.0)))
    roll = float(np.arctan2(bent[1], bent[0])) if np.sin(elbow) > HANGING else 0.0
    return {"y_shoulder": -sign * heading, "p_shoulder": pitch, "r_shoulder": sign * roll, "elbow": elbow}


def _leg(hip: NDArray[np.float64], knee: NDArray[np.float64], sign: float) -> dict[str, float]:
    """Split Rz(-y) Rx(sign p) Ry(-r), then Ry(-knee), by the turns of thigh and shank."""
    bent = hip.T @ knee
    return {
        "y_hip": float(np.arctan2(hip[0, 1], hip[1, 1])),
        "p_hip": float(sign * np.arcsin(np.clip(hip[2, 1], -1.0, 1.0))),
        "r_hip": float(np.arctan2(hip[2, 0], hip[2, 2])),
        "knee": float(-np.arctan2(bent[0, 2], bent[0, 0])),
    }


def human_joint_state(factory: MessageFactory, body: Body, body_id: str = BODY_ID) -> Message:
    """Return sensor_msgs/JointVisibility with the names that REP-155 gives them."""
    angles = human_joints(body)
    none = np.empty(0)
    return factory.make(
        "sensor_msgs/msg/JointState",
        header=header(factory, body.stamp_ns, body.frame_id),
        name=words([f"{name}_{body_id}" for name in angles]),
        position=numbers(factory, np.array(list(angles.values())), np.float64),
        velocity=numbers(factory, none, np.float64),
        effort=numbers(factory, none, np.float64),
    )
