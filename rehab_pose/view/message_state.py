"""Parts of the state from messages: of a running graph, or of a bag of results."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_from_message, bones_from_message
from rehab_pose.messages.body import vertices_from_message
from rehab_pose.messages.camera_info import intrinsics_from_message
from rehab_pose.messages.exercise import (
    classification_from_message,
    labels_from_message,
    progress_from_message,
    repetition_from_message,
)
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.images import color_from_message
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.session.state import SessionStage
from rehab_pose.view.exercise_state import session_part
from rehab_pose.view.parts import (
    angle_names_part,
    angles_part,
    bones_part,
    exercises_part,
    image_part,
    joints_part,
    mesh_part,
    skeleton_part,
    topology_part,
)

if TYPE_CHECKING:
    from rehab_pose.datatypes import Repetition
    from rehab_pose.geometry.camera import CameraIntrinsics
    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.topics import Topic
    from rehab_pose.skeletons.skeleton import Skeleton
    from rehab_pose.view.exercise_state import ExerciseState
    from rehab_pose.view.hub import Part

__all__ = ["WAITING_IMAGES", "MessageState"]

WAITING_IMAGES = 8
"""Images that wait for their joints, which come later by the graph's delay: a quarter of a second at 30 Hz."""


class MessageState:
    """Collects the parts that messages change, until they are taken.

    Attributes:
        labels: Names of the exercises, `none` first; empty until their list was received.
        repetitions: Repetitions that were received since `take`.
    """

    def __init__(self, exercise: ExerciseState, jpeg_quality: int) -> None:
        """Begin without messages.

        Args:
            exercise: Makes the parts of exercise and progress.
            jpeg_quality: Of the camera's image, 10 to 100.
        """
        self._exercise, self._jpeg_quality = exercise, jpeg_quality
        self._pending: dict[str, Part] = {}
        self._images: deque[Message] = deque(maxlen=WAITING_IMAGES)
        self._intrinsics: CameraIntrinsics | None = None
        self._skeleton: Skeleton | None = None
        self._angle_names: tuple[str, ...] = ()
        self.labels: tuple[str, ...] = ()
        self.repetitions: list[Repetition] = []
        self._handlers = {
            topics.COLOR: self._images.append,
            topics.CAMERA_INFO: self._on_camera_info,
            topics.JOINTS: self._on_joints,
            topics.TOPOLOGY: self._on_topology,
            topics.VERTICES: self._on_vertices,
            topics.JOINT_ANGLES: self._on_angles,
            topics.BONES: self._on_bones,
            topics.EXERCISE: self._on_exercise,
            topics.EXERCISE_LIST: self._on_list,
            topics.REPETITION: self._on_repetition,
            topics.REPETITION_PROGRESS: self._on_progress,
            topics.SESSION_STATE: self._on_session,
            topics.FEEDBACK: self._on_feedback,
        }

    def receive(self, topic: Topic, message: Message) -> None:
        """Take a message of one of the topics that a page shows.

        Raises:
            InputError: The message cannot be used.
        """
        self._handlers[topic](message)

    def take(self) -> dict[str, Part]:
        """Return the parts that were changed since the last call."""
        taken, self._pending = self._pending, {}
        return taken

    def forget_images(self) -> None:
        """Drop the images that wait for their joints."""
        self._images.clear()

    def _on_camera_info(self, message: Message) -> None:
        self._intrinsics = intrinsics_from_message(message)

    def _on_joints(self, message: Message) -> None:
        joints, stamp = joints_from_message(message), stamp_ns(message.header.stamp)
        if joints is not None and joints.skeleton is not self._skeleton:
            self._skeleton = joints.skeleton
            self._pending["skeleton"] = skeleton_part(joints.skeleton)
        self._pending["joints"] = joints_part(stamp, joints, self._intrinsics)
        image = self._image_of(stamp)
        if image is not None:
            self._pending["image"] = image_part(color_from_message(image), self._jpeg_quality)

    def _image_of(self, stamp: int) -> Message | None:
        """Return the image of a stamp [ns], or the newest one before it; older ones are dropped."""
        found = None
        while self._images and stamp_ns(self._images[0].header.stamp) <= stamp:
            found = self._images.popleft()
        return found

    def _on_angles(self, message: Message) -> None:
        angles = angles_from_message(message)
        if angles is not None and angles.names != self._angle_names:
            self._angle_names = angles.names
            self._pending["angle_names"] = angle_names_part(angles.names)
        self._pending["angles"] = angles_part(stamp_ns(message.header.stamp), angles)

    def _on_vertices(self, message: Message) -> None:
        self._pending["mesh"] = mesh_part(vertices_from_message(message))

    def _on_bones(self, message: Message) -> None:
        self._pending["bones"] = bones_part(bones_from_message(message))

    def _on_exercise(self, message: Message) -> None:
        self._pending |= self._exercise.classification(classification_from_message(message))

    def _on_progress(self, message: Message) -> None:
        self._pending |= self._exercise.progress(progress_from_message(message))

    def _on_repetition(self, message: Message) -> None:
        repetition = repetition_from_message(message)
        self.repetitions.append(repetition)
        self._pending |= self._exercise.repetition(repetition)

    def _on_topology(self, message: Message) -> None:
        self._pending["topology"] = topology_part(np.asarray(message.triangles, np.uint32).reshape(-1, 3))

    def _on_list(self, message: Message) -> None:
        self.labels = labels_from_message(message)
        self._pending["exercises"] = exercises_part(self.labels)

    def _on_session(self, message: Message) -> None:
        self._pending["session"] = session_part(
            running=message.state == SessionStage.RUNNING,
            exercise=message.exercise,
            count=message.repetitions,
            target=message.target_repetitions,
            message=message.message,
        )

    def _on_feedback(self, message: Message) -> None:
        self._pending |= self._exercise.cue(message.data)
