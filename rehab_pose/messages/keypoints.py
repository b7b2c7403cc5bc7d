"""Conversion of keypoints and body parts to messages and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.datatypes import BodyParts, KeypointFamily, Keypoints
from rehab_pose.errors import InputError
from rehab_pose.messages.camera_info import EMPTY_BOX, box_from_roi, roi_message
from rehab_pose.messages.checks import whole_message
from rehab_pose.messages.factory import BODY_ID, NO_BODY_ID, header, numbers, stamp_ns
from rehab_pose.messages.images import color_from_message, image_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = ["keypoints_from_message", "keypoints_message", "parts_from_message", "parts_message"]

DETECTORS = (
    "unknown",
    "contour",
    "harris",
    "shi_tomasi",
    "orb",
    "brisk",
    "sift",
    "akaze",
    "skeleton_end",
    "skeleton_branch",
)
"""Detector names of the constants of Keypoints.msg, by their value."""
NO_DESCRIPTOR, BINARY, FLOAT32 = 0, 1, 2
"""Values of Keypoints.descriptor_type."""
PART_COUNT = 20
"""Number of LIP classes, the first axis of BodyParts.contours."""


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.empty(0, np.float32)


def _descriptor_type(family: KeypointFamily) -> int:
    if family.descriptors is None:
        return NO_DESCRIPTOR
    return BINARY if family.descriptors.dtype == np.uint8 else FLOAT32


def keypoints_message(factory: MessageFactory, stamp: int, frame_id: str, keypoints: Keypoints | None) -> Message:
    """Return rehab_pose_msgs/Keypoints; None gives the message of a frame without a person."""
    families = keypoints.families if keypoints else ()
    counts = [len(family.pixels) for family in families]
    described = [family.descriptors for family in families if family.descriptors is not None]
    row_bytes = [0 if family.descriptors is None else int(family.descriptors[:1].nbytes) for family in families]
    data = _joined([np.ascontiguousarray(rows).view(np.uint8).reshape(-1) for rows in described])
    return factory.make(
        "rehab_pose_msgs/msg/Keypoints",
        header=header(factory, stamp, frame_id),
        body_id=BODY_ID if keypoints else NO_BODY_ID,
        detector=numbers(factory, np.array([DETECTORS.index(family.detector) for family in families]), np.uint8),
        start=numbers(factory, np.cumsum([0, *counts]) if families else np.empty(0), np.uint32),
        u=numbers(factory, _joined([family.pixels[:, 0] for family in families]), np.float32),
        v=numbers(factory, _joined([family.pixels[:, 1] for family in families]), np.float32),
        size=numbers(factory, _joined([family.size_px for family in families]), np.float32),
        angle=numbers(factory, _joined([family.angle_rad for family in families]), np.float32),
        response=numbers(factory, _joined([family.response for family in families]), np.float32),
        depth=numbers(factory, _joined([family.depth_m for family in families]), np.float32),
        descriptor_type=numbers(factory, np.array([_descriptor_type(family) for family in families]), np.uint8),
        descriptor_bytes=numbers(factory, np.array(row_bytes), np.uint32),
        descriptors=numbers(factory, data, np.uint8),
    )


@whole_message("Keypoints")
def keypoints_from_message(message: Message) -> Keypoints | None:
    """Return the keypoints of a rehab_pose_msgs/Keypoints, None when no person is in view.

    Raises:
        InputError: A detector's number is unknown, or lengths differ.
    """
    if message.body_id == NO_BODY_ID:
        return None
    start = np.asarray(message.start, dtype=np.intp)
    points = {name: np.asarray(getattr(message, name), np.float32) for name in ("size", "angle", "response", "depth")}
    detectors, columns = np.asarray(message.detector), (message.u, message.v, *points.values())
    lengths = (len(start), len(message.descriptor_type), len(message.descriptor_bytes))
    borders = not len(detectors) or (start[0] == 0 and (np.diff(start) >= 0).all() and start[-1] == len(message.u))
    # `start` has one entry more than there are detectors, and is empty without detectors.
    expected = (len(detectors) + bool(len(detectors)), len(detectors), len(detectors))
    if lengths != expected or not borders or len({len(column) for column in columns}) != 1:
        msg = (
            f"keypoints: expected {len(detectors)} detectors with increasing starts and as many values of each kind as "
            f"points, got {start.tolist()[:8]} and {[len(column) for column in columns]}"
        )
        raise InputError(msg)
    pixels = np.stack([np.asarray(message.u, np.float32), np.asarray(message.v, np.float32)], axis=1)
    data = np.frombuffer(message.descriptors, np.uint8) if len(message.descriptors) else np.empty(0, np.uint8)
    families, used = [], 0
    for index, detector in enumerate(detectors):
        if detector >= len(DETECTORS):
            msg = f"keypoints: expected a detector below {len(DETECTORS)}, got {detector}; the message is newer"
            raise InputError(msg)
        rows = slice(start[index], start[index + 1])
        count, row_bytes = int(start[index + 1] - start[index]), int(message.descriptor_bytes[index])
        kind = int(message.descriptor_type[index])
        descriptors = None
        if kind != NO_DESCRIPTOR:
            block = data[used : used + count * row_bytes].reshape(count, row_bytes)
            descriptors = block if kind == BINARY else block.view(np.float32)
            used += count * row_bytes
        families.append(
            KeypointFamily(
                detector=DETECTORS[detector],
                pixels=pixels[rows],
                size_px=points["size"][rows],
                angle_rad=points["angle"][rows],
                response=points["response"][rows],
                depth_m=points["depth"][rows],
                descriptors=descriptors,
            )
        )
    return Keypoints(stamp_ns(message.header.stamp), message.header.frame_id, tuple(families))


def parts_message(factory: MessageFactory, stamp: int, frame_id: str, parts: BodyParts | None) -> Message:
    """Return rehab_pose_msgs/BodyParts; None gives the message of a frame without a person."""
    message_header = header(factory, stamp, frame_id)
    labels = parts.labels if parts else np.empty((0, 0), np.uint8)
    contours = parts.contours_px if parts else np.empty((PART_COUNT, 0, 2), np.float32)
    return factory.make(
        "rehab_pose_msgs/msg/BodyParts",
        header=message_header,
        body_id=BODY_ID if parts else NO_BODY_ID,
        roi=roi_message(factory, parts.box_px if parts else EMPTY_BOX),
        labels=image_message(factory, message_header, "mono8", labels),
        points_per_contour=contours.shape[1],
        contours=numbers(factory, contours, np.float32),
    )


@whole_message("BodyParts")
def parts_from_message(message: Message) -> BodyParts | None:
    """Return the parts of a rehab_pose_msgs/BodyParts, None when no person is in view.

    Raises:
        InputError: The image of labels or the contours have another size than announced.
    """
    if message.body_id == NO_BODY_ID:
        return None
    return BodyParts(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        box_px=box_from_roi(message.roi),
        labels=color_from_message(message.labels)[..., 0],
        contours_px=np.asarray(message.contours, np.float32).reshape(PART_COUNT, int(message.points_per_contour), 2),
    )
