"""Conversion of joints to their message and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import Joints, JointVisibility
from rehab_pose.errors import InputError
from rehab_pose.messages.checks import between, near_camera, not_negative, whole_message
from rehab_pose.messages.factory import BODY_ID, NO_BODY_ID, header, numbers, stamp_ns
from rehab_pose.skeletons.dkp24 import DKP_24
from rehab_pose.skeletons.kinect import KINECT_25
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = ["joints_from_message", "joints_message"]

FORMATS = (None, SMPL_24, DKP_24, KINECT_25)
"""The skeleton of each FORMAT constant of Joints.msg, by its value; 0 is unknown."""


def joints_message(factory: MessageFactory, stamp: int, frame_id: str, joints: Joints | None) -> Message:
    """Return rehab_pose_msgs/Joints; None gives the message of a frame without a person."""
    skeleton = joints.skeleton if joints else SMPL_24
    missing = np.full(len(skeleton), np.nan)
    no_visibility = np.full(len(skeleton), JointVisibility.MISSING, np.uint8)
    return factory.make(
        "rehab_pose_msgs/msg/Joints",
        header=header(factory, stamp, frame_id),
        body_id=BODY_ID if joints else NO_BODY_ID,
        format=FORMATS.index(skeleton),
        names=list(skeleton.joint_names),
        positions=numbers(factory, joints.positions_m if joints else np.repeat(missing, 3), np.float32),
        confidence=numbers(factory, joints.confidence if joints else np.zeros(len(skeleton)), np.float32),
        visibility=numbers(factory, joints.visibility if joints else no_visibility, np.uint8),
        sigma=numbers(factory, joints.sigma_m if joints else missing, np.float32),
    )


@whole_message("Joints")
def joints_from_message(message: Message) -> Joints | None:
    """Return the joints of a rehab_pose_msgs/Joints, None when no person is in view.

    Raises:
        InputError: The format is unknown, an array has another length than the skeleton, or a number is out of range.
    """
    if message.body_id == NO_BODY_ID:
        return None
    skeleton = FORMATS[message.format] if message.format < len(FORMATS) else None
    if skeleton is None:
        known = ", ".join(f"{index} ({entry.name})" for index, entry in enumerate(FORMATS) if entry is not None)
        msg = f"joints: expected the format {known}, got {message.format}"
        raise InputError(msg)
    visibility = np.asarray(message.visibility, np.uint8)
    if visibility.size and visibility.max() > max(JointVisibility):
        msg = f"joints: expected a visibility of at most {max(JointVisibility)}, got {visibility.max()}"
        raise InputError(msg)
    return Joints(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        skeleton=skeleton,
        positions_m=near_camera("Joints.positions", message.positions).reshape(-1, 3),
        confidence=between("Joints.confidence", message.confidence, 0.0, 1.0),
        sigma_m=not_negative("Joints.sigma", message.sigma),
        visibility=visibility,
    )
