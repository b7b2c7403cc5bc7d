"""Conversion of RGB-D frames and silhouettes to messages and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import RgbdFrame, Silhouette, unknown_direction
from rehab_pose.messages.camera_info import EMPTY_BOX, box_from_roi, camera_info_message, intrinsics_from_message
from rehab_pose.messages.checks import between, direction, whole_message
from rehab_pose.messages.factory import header, stamp_ns
from rehab_pose.messages.images import color_from_message, depth_from_message, image_message

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = [
    "frame_from_message",
    "frame_message",
    "full_mask_message",
    "no_silhouette_message",
    "silhouette_from_message",
    "silhouette_message",
]

PERSON = 255
"""Value of the person's pixels in a mono8 mask."""


def frame_message(factory: MessageFactory, frame: RgbdFrame) -> Message:
    """Return rehab_pose_msgs/RgbdFrame."""
    stamp = header(factory, frame.stamp_ns, frame.frame_id)
    return factory.make(
        "rehab_pose_msgs/msg/RgbdFrame",
        header=stamp,
        camera_info=camera_info_message(factory, stamp, frame.intrinsics),
        color=image_message(factory, stamp, "rgb8", frame.color),
        depth=image_message(factory, stamp, "32FC1", frame.depth_m),
        up=np.array(frame.up),
    )


@whole_message("RgbdFrame")
def frame_from_message(message: Message) -> RgbdFrame:
    """Return the frame of a rehab_pose_msgs/RgbdFrame.

    Raises:
        InputError: An image has the wrong encoding, the camera is not calibrated, or the sizes differ from its size.
    """
    return RgbdFrame(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        intrinsics=intrinsics_from_message(message.camera_info),
        color=color_from_message(message.color),
        depth_m=depth_from_message(message.depth),
        up=direction("RgbdFrame.up", message.up),
    )


def silhouette_message(factory: MessageFactory, silhouette: Silhouette) -> Message:
    """Return rehab_pose_msgs/Silhouette."""
    stamp = header(factory, silhouette.stamp_ns, silhouette.frame_id)
    mask = silhouette.inside.view(np.uint8) * np.uint8(PERSON)
    return factory.make(
        "rehab_pose_msgs/msg/Silhouette",
        header=stamp,
        camera_info=camera_info_message(factory, stamp, silhouette.intrinsics, silhouette.box_px),
        mask=image_message(factory, stamp, "mono8", mask),
        color=image_message(factory, stamp, "rgb8", silhouette.color),
        depth=image_message(factory, stamp, "32FC1", silhouette.depth_m),
        confidence=float(silhouette.confidence),
        up=np.array(silhouette.up),
    )


def no_silhouette_message(factory: MessageFactory, frame: RgbdFrame) -> Message:
    """Return the rehab_pose_msgs/Silhouette of a frame without a person."""
    stamp = header(factory, frame.stamp_ns, frame.frame_id)
    return factory.make(
        "rehab_pose_msgs/msg/Silhouette",
        header=stamp,
        camera_info=camera_info_message(factory, stamp, frame.intrinsics, EMPTY_BOX),
        mask=image_message(factory, stamp, "mono8", np.empty((0, 0), np.uint8)),
        color=image_message(factory, stamp, "rgb8", np.empty((0, 0, 3), np.uint8)),
        depth=image_message(factory, stamp, "32FC1", np.empty((0, 0), np.float32)),
        confidence=float("nan"),
        up=unknown_direction(),
    )


def full_mask_message(factory: MessageFactory, frame: RgbdFrame, silhouette: Silhouette | None) -> Message:
    """Return sensor_msgs/Image mono8 over the whole image: 255 on the person."""
    size = (frame.intrinsics.height_px, frame.intrinsics.width_px)
    mask = silhouette.full_mask() if silhouette else np.zeros(size, np.bool_)
    stamp = header(factory, frame.stamp_ns, frame.frame_id)
    return image_message(factory, stamp, "mono8", mask.view(np.uint8) * np.uint8(PERSON))


@whole_message("Silhouette")
def silhouette_from_message(message: Message) -> Silhouette | None:
    """Return the silhouette of a rehab_pose_msgs/Silhouette, None when no person is in view.

    Raises:
        InputError: An image has the wrong encoding, the camera is not calibrated, or the sizes differ from the box.
    """
    box_px = box_from_roi(message.camera_info.roi)
    if box_px[2:] == (0, 0):
        return None
    return Silhouette(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        intrinsics=intrinsics_from_message(message.camera_info, whole_image=True),
        box_px=box_px,
        inside=color_from_message(message.mask)[..., 0] > 0,
        color=color_from_message(message.color),
        depth_m=depth_from_message(message.depth),
        confidence=float(between("Silhouette.confidence", message.confidence, 0.0, 1.0)),
        up=direction("Silhouette.up", message.up),
    )
