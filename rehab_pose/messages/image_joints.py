"""Conversion of the landmarks in the colour image to their message and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import ImageJoints
from rehab_pose.messages.factory import BODY_ID, NO_BODY_ID, header, numbers, stamp_ns
from rehab_pose.skeletons.blazepose33 import BLAZEPOSE_33

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = ["image_joints_from_message", "image_joints_message"]


def image_joints_message(
    factory: MessageFactory, stamp: int, frame_id: str, image_joints: ImageJoints | None
) -> Message:
    """Return rehab_pose_msgs/ImageJoints; None gives the message of a frame without landmarks."""
    missing = np.full(len(BLAZEPOSE_33), np.nan)
    return factory.make(
        "rehab_pose_msgs/msg/ImageJoints",
        header=header(factory, stamp, frame_id),
        body_id=BODY_ID if image_joints else NO_BODY_ID,
        names=list(BLAZEPOSE_33),
        pixels=numbers(factory, image_joints.pixels if image_joints else np.repeat(missing, 2), np.float32),
        visibility=numbers(factory, image_joints.visibility if image_joints else missing, np.float32),
        relative=numbers(factory, image_joints.relative_m if image_joints else np.repeat(missing, 3), np.float32),
        score=float(image_joints.score) if image_joints else float("nan"),
    )


def image_joints_from_message(message: Message) -> ImageJoints | None:
    """Return the landmarks of a rehab_pose_msgs/ImageJoints, without the mask; None when no person is followed.

    Raises:
        ContractError: An array has another length than there are landmarks.
    """
    if message.body_id == NO_BODY_ID:
        return None
    return ImageJoints(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        pixels=np.asarray(message.pixels, np.float64).reshape(-1, 2),
        visibility=np.asarray(message.visibility, np.float64),
        relative_m=np.asarray(message.relative, np.float64).reshape(-1, 3),
        score=float(message.score),
    )
