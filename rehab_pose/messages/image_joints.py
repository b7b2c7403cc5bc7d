"""Conversion of the landmarks in the colour image to their message and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import ImageJoints
from rehab_pose.messages.checks import between, near_camera, whole_message
from rehab_pose.messages.factory import BODY_ID, NO_BODY_ID, header, numbers, stamp_ns
from rehab_pose.skeletons.blazepose33 import BLAZEPOSE_33

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = ["image_joints_from_message", "image_joints_message"]

FARTHEST_PX = 1e6
"""Largest coordinate of a landmark, extrapolated beyond the image [px]."""


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


@whole_message("ImageJoints")
def image_joints_from_message(message: Message) -> ImageJoints | None:
    """Return the landmarks of a rehab_pose_msgs/ImageJoints, without the mask; None when no person is followed.

    Raises:
        InputError: An array has another length than there are landmarks, or a number is out of its range.
    """
    if message.body_id == NO_BODY_ID:
        return None
    return ImageJoints(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        pixels=between("ImageJoints.pixels", message.pixels, -FARTHEST_PX, FARTHEST_PX).reshape(-1, 2),
        visibility=between("ImageJoints.visibility", message.visibility, 0.0, 1.0),
        relative_m=near_camera("ImageJoints.relative", message.relative).reshape(-1, 3),
        score=float(between("ImageJoints.score", message.score, 0.0, 1.0)),
    )
