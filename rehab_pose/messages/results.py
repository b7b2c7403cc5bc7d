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
    from rehab_pose.messages.carrier import Carrier, Message
    from rehab_pose.messages.topics import Topic
    from rehab_pose.pipeline import PipelineResult

__all__ = ["latched_messages", "result_messages"]


def latched_messages(carrier: Carrier, model: MeshModel) -> Iterator[tuple[Topic, Message]]:
    """Yield what is said once, before the first frame."""
    yield topics.EXERCISE_LIST, exercise_list_message(carrier)
    yield topics.TOPOLOGY, topology_message(carrier, model)


def result_messages(
    carrier: Carrier, frame: RgbdFrame, result: PipelineResult, *, images: bool = True, mesh: bool = True
) -> Iterator[tuple[Topic, Message]]:
    """Yield the messages of one frame, in the order of the stages.

    Args:
        carrier: Makes the messages.
        frame: What the result was computed from.
        result: Of this frame.
        images: Also the silhouette, which shows the person.
        mesh: Also the vertices.
    """
    stamp, frame_id = result.stamp_ns, result.frame_id
    if images:
        silhouette = result.silhouette
        made = silhouette_message(carrier, silhouette) if silhouette else nobody_silhouette_message(carrier, frame)
        yield topics.SILHOUETTE, made
    yield topics.KEYPOINTS, keypoints_message(carrier, stamp, frame_id, result.keypoints)
    yield topics.JOINTS, joints_message(carrier, stamp, frame_id, result.joints)
    yield topics.PARTS, parts_message(carrier, stamp, frame_id, result.parts)
    yield topics.BODY, body_message(carrier, stamp, frame_id, result.body)
    if mesh:
        yield topics.VERTICES, vertices_message(carrier, stamp, frame_id, result.body)
    yield topics.JOINT_ANGLES, angles_message(carrier, stamp, frame_id, result.joint_angles)
    yield topics.JOINT_STATES, joint_state_message(carrier, stamp, frame_id, result.joint_angles)
    yield topics.BONES, bones_message(carrier, stamp, frame_id, result.bones)
    yield topics.EXERCISE, recognition_message(carrier, result.exercise.recognition)
    yield topics.EXERCISE_LABEL, label_message(carrier, result.exercise.recognition)
    yield topics.REPETITION_PROGRESS, progress_message(carrier, stamp, frame_id, result.exercise.progress)
    if result.exercise.repetition is not None:
        yield topics.REPETITION, repetition_message(carrier, result.exercise.repetition)
