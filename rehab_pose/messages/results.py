"""The messages of one frame's results, for the nodes and for result bags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

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
    results = (
        (topics.JOINTS, joints_message, result.joints),
        (topics.BODY, body_message, result.body),
        (topics.IMAGE_JOINTS, image_joints_message, result.image_joints),
    )
    yield from _messages_of_frame(factory, frame, results, without)
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
    angles = result.joint_angles
    results = (
        (topics.VERTICES, vertices_message, body),
        (topics.JOINT_ANGLES, angles_message, angles),
        *(() if angles is None else ((topics.JOINT_STATES, joint_state_message, angles),)),
        (topics.BONES, bones_message, result.bones),
        (topics.KEYPOINTS, keypoints_message, result.keypoints),
        (topics.PARTS, parts_message, result.parts),
    )
    yield from _messages_of_frame(factory, frame, results, without)


def _messages_of_frame(
    factory: MessageFactory,
    frame: RgbdFrame,
    results: Iterable[tuple[Topic, Callable[[MessageFactory, int, str, Any], Message], object]],
    without: Collection[Topic],
) -> Iterator[tuple[Topic, Message]]:
    """Yield the messages of results, given as topic, function that makes the message, and result."""
    for topic, make, result in results:
        if topic not in without:
            yield topic, make(factory, frame.stamp_ns, frame.frame_id, result)
