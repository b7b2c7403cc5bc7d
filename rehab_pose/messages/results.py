"""All messages that one frame's results make, for the composed node and for result bags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_message, bones_message, joint_state_message
from rehab_pose.messages.body import body_message, topology_message, vertices_message
from rehab_pose.messages.exercise import (
    exercise_list_message,
    label_message,
    progress_message,
    recognition_message,
    repetition_message,
)
from rehab_pose.messages.frames import nobody_silhouette_message, silhouette_message
from rehab_pose.messages.joints import joints_message
from rehab_pose.messages.keypoints import keypoints_message, parts_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.messages.body import MeshModel
    from rehab_pose.messages.factory import Message, MessageFactory
    from rehab_pose.messages.topics import Topic
    from rehab_pose.pipeline import BodyFindings, LabelFindings, PipelineResult

__all__ = ["body_messages", "label_messages", "latched_messages", "result_messages"]


def latched_messages(factory: MessageFactory, model: MeshModel) -> Iterator[tuple[Topic, Message]]:
    """Yield what is said once, before the first frame."""
    yield topics.EXERCISE_LIST, exercise_list_message(factory)
    yield topics.TOPOLOGY, topology_message(factory, model)


def result_messages(
    factory: MessageFactory, frame: RgbdFrame, result: PipelineResult, *, images: bool = True, mesh: bool = True
) -> Iterator[tuple[Topic, Message]]:
    """Yield the messages of one frame.

    Args:
        factory: Makes the messages.
        frame: What the result was computed from.
        result: Of this frame.
        images: Also the silhouette, which shows the person.
        mesh: Also the vertices.
    """
    yield from label_messages(factory, frame, result, images=images)
    yield from body_messages(factory, frame, result, mesh=mesh)


def label_messages(
    factory: MessageFactory, frame: RgbdFrame, found: LabelFindings | PipelineResult, *, images: bool
) -> Iterator[tuple[Topic, Message]]:
    """Yield what the way to the label gave for a frame, the label first: somebody may act on it."""
    stamp, frame_id, silhouette = frame.stamp_ns, frame.frame_id, found.silhouette
    yield topics.EXERCISE, recognition_message(factory, found.exercise.recognition)
    yield topics.EXERCISE_LABEL, label_message(factory, found.exercise.recognition)
    yield topics.JOINTS, joints_message(factory, stamp, frame_id, found.joints)
    yield topics.REPETITION_PROGRESS, progress_message(factory, stamp, frame_id, found.exercise.progress)
    if found.exercise.repetition is not None:
        yield topics.REPETITION, repetition_message(factory, found.exercise.repetition)
    if images:
        made = silhouette_message(factory, silhouette) if silhouette else nobody_silhouette_message(factory, frame)
        yield topics.SILHOUETTE, made


def body_messages(
    factory: MessageFactory, frame: RgbdFrame, found: BodyFindings | PipelineResult, *, mesh: bool
) -> Iterator[tuple[Topic, Message]]:
    """Yield what was measured on the person of a frame, the body first."""
    stamp, frame_id = frame.stamp_ns, frame.frame_id
    yield topics.BODY, body_message(factory, stamp, frame_id, found.body)
    if mesh:
        yield topics.VERTICES, vertices_message(factory, stamp, frame_id, found.body)
    yield topics.JOINT_ANGLES, angles_message(factory, stamp, frame_id, found.joint_angles)
    yield topics.JOINT_STATES, joint_state_message(factory, stamp, frame_id, found.joint_angles)
    yield topics.BONES, bones_message(factory, stamp, frame_id, found.bones)
    yield topics.KEYPOINTS, keypoints_message(factory, stamp, frame_id, found.keypoints)
    yield topics.PARTS, parts_message(factory, stamp, frame_id, found.parts)
