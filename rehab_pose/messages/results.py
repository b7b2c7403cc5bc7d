"""The messages of one frame's results, for the nodes and for result bags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_message, bones_message, joint_state_message
from rehab_pose.messages.body import body_message, topology_message, vertices_message
from rehab_pose.messages.exercise import (
    classification_message,
    exercise_list_message,
    label_message,
    progress_message,
    repetition_message,
)
from rehab_pose.messages.frames import no_silhouette_message, silhouette_message
from rehab_pose.messages.image_joints import image_joints_message
from rehab_pose.messages.joints import joints_message
from rehab_pose.messages.keypoints import keypoints_message, parts_message

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rehab_pose.datatypes import Body, ExerciseUpdate, RgbdFrame
    from rehab_pose.messages.body import MeshModel
    from rehab_pose.messages.factory import Message, MessageFactory
    from rehab_pose.messages.floor import FloorPlaneChanges
    from rehab_pose.messages.topics import Topic
    from rehab_pose.pipeline import BodyResult, LabelResult, PipelineResult

__all__ = ["body_messages", "exercise_messages", "label_messages", "latched_messages", "result_messages"]


def latched_messages(
    factory: MessageFactory, model: MeshModel, labels: Sequence[str]
) -> Iterator[tuple[Topic, Message]]:
    """Yield the latched messages, which are sent once before the first frame.

    Args:
        factory: Makes the messages.
        model: The body model that is fitted.
        labels: Names of the exercises that are recognised, `none` first.
    """
    yield topics.EXERCISE_LIST, exercise_list_message(factory, labels)
    yield topics.TOPOLOGY, topology_message(factory, model)


def result_messages(
    factory: MessageFactory,
    frame: RgbdFrame,
    result: PipelineResult,
    floor: FloorPlaneChanges,
    *,
    images: bool = True,
    mesh: bool = True,
) -> Iterator[tuple[Topic, Message]]:
    """Yield the messages of one frame.

    Args:
        factory: Makes the messages.
        frame: The frame that the result was computed from.
        result: The result.
        floor: Holds the floor plane that was sent last.
        images: Include the silhouette, which contains images of the person.
        mesh: Include the vertices.
    """
    yield from label_messages(factory, frame, result, floor, without=() if images else {topics.SILHOUETTE})
    yield from body_messages(factory, frame, result.body, result, without=() if mesh else {topics.VERTICES})


def exercise_messages(factory: MessageFactory, update: ExerciseUpdate | None) -> Iterator[tuple[Topic, Message]]:
    """Yield the messages of an exercise update; the label comes first, because a robot may react to it."""
    if update is None:
        return
    classification = update.classification
    yield topics.EXERCISE, classification_message(factory, classification)
    yield topics.EXERCISE_LABEL, label_message(factory, classification)
    yield (
        topics.REPETITION_PROGRESS,
        progress_message(factory, classification.stamp_ns, classification.frame_id, update.progress),
    )
    if update.repetition is not None:
        yield topics.REPETITION, repetition_message(factory, update.repetition)


def label_messages(
    factory: MessageFactory,
    frame: RgbdFrame,
    result: LabelResult,
    floor: FloorPlaneChanges,
    *,
    without: Collection[Topic] = (),
) -> Iterator[tuple[Topic, Message]]:
    """Yield the messages of the stages that lead to the label.

    Args:
        factory: Makes the messages.
        frame: The frame that the result was computed from.
        result: The result.
        floor: Holds the floor plane that was sent last.
        without: Topics among joints, body, image joints and silhouette whose messages are not made.
    """
    for message in floor.messages(factory, frame, result.floor_plane):
        yield topics.FLOOR_PLANE, message
    yield from exercise_messages(factory, result.exercise)
    stamp, frame_id = frame.stamp_ns, frame.frame_id
    if topics.JOINTS not in without:
        yield topics.JOINTS, joints_message(factory, stamp, frame_id, result.joints)
    if topics.BODY not in without:
        yield topics.BODY, body_message(factory, stamp, frame_id, result.body)
    if topics.IMAGE_JOINTS not in without:
        yield topics.IMAGE_JOINTS, image_joints_message(factory, stamp, frame_id, result.image_joints)
    if topics.SILHOUETTE not in without:
        silhouette = result.silhouette
        message = silhouette_message(factory, silhouette) if silhouette else no_silhouette_message(factory, frame)
        yield topics.SILHOUETTE, message


def body_messages(
    factory: MessageFactory, frame: RgbdFrame, body: Body | None, result: BodyResult, *, without: Collection[Topic] = ()
) -> Iterator[tuple[Topic, Message]]:
    """Yield the messages of the stages that follow from the person's joints and body, the mesh first.

    Args:
        factory: Makes the messages.
        frame: The frame that the result was computed from.
        body: The fitted body; None when no person is in view.
        result: The result.
        without: Topics whose messages are not made: making them takes longer than computing some of the results.
    """
    stamp, frame_id = frame.stamp_ns, frame.frame_id
    if topics.VERTICES not in without:
        yield topics.VERTICES, vertices_message(factory, stamp, frame_id, body)
    if topics.JOINT_ANGLES not in without:
        yield topics.JOINT_ANGLES, angles_message(factory, stamp, frame_id, result.joint_angles)
    if result.joint_angles is not None and topics.JOINT_STATES not in without:
        yield topics.JOINT_STATES, joint_state_message(factory, stamp, frame_id, result.joint_angles)
    if topics.BONES not in without:
        yield topics.BONES, bones_message(factory, stamp, frame_id, result.bones)
    if topics.KEYPOINTS not in without:
        yield topics.KEYPOINTS, keypoints_message(factory, stamp, frame_id, result.keypoints)
    if topics.PARTS not in without:
        yield topics.PARTS, parts_message(factory, stamp, frame_id, result.parts)
