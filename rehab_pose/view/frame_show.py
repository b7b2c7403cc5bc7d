"""The parts of a processed frame: what pages show of a recording that is played or processed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.skeletons.smpl24 import SMPL_24
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
    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.pipeline import Pipeline, PipelineResult
    from rehab_pose.view.exercise_state import ExerciseState
    from rehab_pose.view.hub import Part

__all__ = ["FrameShow"]

NO_VERTICES = np.empty((0, 3), dtype=np.float32)


class FrameShow:
    """Makes parts of frames and their results."""

    def __init__(self, exercise: ExerciseState, jpeg_quality: int) -> None:
        """Begin with a recording.

        Args:
            exercise: Makes the parts of exercise and progress.
            jpeg_quality: Of the camera's image, 10 to 100.
        """
        self._exercise, self._jpeg_quality = exercise, jpeg_quality
        self._named = False

    @staticmethod
    def constant_parts(pipeline: Pipeline) -> dict[str, Part]:
        """Return the parts that stay the same for all frames."""
        return {
            "skeleton": skeleton_part(SMPL_24),
            "topology": topology_part(pipeline.model.faces),
            "exercises": exercises_part(pipeline.exercise_labels),
        }

    def parts(self, frame: RgbdFrame, result: PipelineResult) -> dict[str, Part]:
        """Return the parts of a frame."""
        update = result.exercise
        parts = {
            "joints": joints_part(frame.stamp_ns, result.joints, frame.intrinsics),
            "angles": angles_part(frame.stamp_ns, result.joint_angles),
            # Encoded only when a page takes them; a page that connects while paused finds them too.
            "image": image_part(frame.color, self._jpeg_quality),
            "mesh": mesh_part(result.body.vertices_m if result.body is not None else NO_VERTICES),
            "bones": bones_part(result.bones),
            **self._exercise.classification(update.classification),
            **self._exercise.progress(update.progress),
        }
        if result.joint_angles is not None and not self._named:
            self._named = True
            parts["angle_names"] = angle_names_part(result.joint_angles.names)
        if update.repetition is not None:
            parts |= self._exercise.repetition(update.repetition)
        return parts
