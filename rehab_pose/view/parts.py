"""Parts of the state that pages show, made of the records of a frame. Angles in degrees, everything else in metres."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rehab_pose.biomechanics.display_names import angle_display_name
from rehab_pose.datatypes import RepetitionPhase
from rehab_pose.exercise.catalogue import NONE
from rehab_pose.exercise.display_names import exercise_display_name, side_display_name
from rehab_pose.view.hub import Part, Payload
from rehab_pose.view.tracking_words import tracking_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.datatypes import (
        Bones,
        ExerciseClassification,
        JointAngles,
        Joints,
        Repetition,
        RepetitionProgress,
    )
    from rehab_pose.geometry.camera import CameraIntrinsics
    from rehab_pose.skeletons.skeleton import Skeleton

__all__ = [
    "MESH_STEPS_PER_M",
    "angle_names_part",
    "angles_part",
    "bones_part",
    "exercise_part",
    "exercises_part",
    "image_part",
    "joints_part",
    "mesh_part",
    "number",
    "progress_part",
    "repetition_part",
    "skeleton_part",
    "topology_part",
]

MESH_STEPS_PER_M = 10_000
"""Vertices are sent as 16-bit numbers of tenths of a millimetre from the body's centre [1/m]."""
PHASES = {
    RepetitionPhase.UNKNOWN: "waiting",
    RepetitionPhase.REST: "at the start",
    RepetitionPhase.OUT: "going",
    RepetitionPhase.BACK: "coming back",
}
"""Phases of a repetition in words."""
SURE, FAIRLY_SURE = 0.8, 0.5
"""Confidence of the label from which it is called certain and likely; chosen by hand."""


def number(value: float, places: int) -> float | None:
    """Return a number rounded to decimal places, None where it is missing, as JSON needs it."""
    return round(float(value), places) if math.isfinite(value) else None


def _numbers(values: NDArray[Any], places: int) -> list[Any]:
    """Return an array (N) or (N, K) as lists; missing numbers are None."""
    rounded = np.round(np.asarray(values, dtype=np.float64), places)
    known: NDArray[np.object_] = rounded.astype(object)
    known[~np.isfinite(rounded)] = None
    return list(known.tolist())


def image_part(color: NDArray[np.uint8], quality: int) -> Part:
    """Return a camera image (H, W, 3) RGB as JPEG of a quality (10 to 100), encoded when a page takes it."""

    def encode() -> bytes:
        _, data = cv2.imencode(".jpg", cv2.cvtColor(color, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
        return bytes(data)

    height, width = color.shape[:2]
    return Part({"width": width, "height": height}, Payload(encode))


def skeleton_part(skeleton: Skeleton) -> Part:
    """Return names and bones of a skeleton."""
    return Part({"names": list(skeleton.joint_names), "bones": [list(bone) for bone in skeleton.bones]})


def joints_part(stamp_ns: int, joints: Joints | None, intrinsics: CameraIntrinsics | None) -> Part:
    """Return the joints of a frame in space and in the image, and the tracking quality in words.

    Args:
        stamp_ns: Stamp of the frame [ns].
        joints: None = no person in view.
        intrinsics: Camera of the image; None = not known yet, joints then have no place in the image.
    """
    level, words = tracking_words(joints)
    content: dict[str, object] = {"stamp_ms": stamp_ns // 1_000_000, "tracking": level, "tracking_words": words}
    if joints is not None:
        content["positions_m"] = _numbers(joints.positions_m, 4)
        content["confidence"] = _numbers(joints.confidence, 2)
        if intrinsics is not None:
            content["pixels"] = _numbers(intrinsics.project(joints.positions_m), 1)
            content["image_px"] = [intrinsics.width_px, intrinsics.height_px]
    return Part(content)


def topology_part(faces: NDArray[Any]) -> Part:
    """Return the triangles (F, 3) of the mesh."""
    data = np.ascontiguousarray(faces, dtype="<u4")
    return Part({"triangles": len(data)}, Payload(data.tobytes))


def mesh_part(vertices_m: NDArray[np.float32]) -> Part:
    """Return the vertices (V, 3) of the mesh in the camera's frame [m]; V = 0 where no person is in view."""
    if not len(vertices_m):
        return Part({"vertices": 0})
    centre_m = (vertices_m.min(axis=0) + vertices_m.max(axis=0)) / 2.0

    def encode() -> bytes:
        limits = np.iinfo(np.int16)
        steps = np.clip(np.rint((vertices_m - centre_m) * MESH_STEPS_PER_M), limits.min, limits.max)
        return bytes(steps.astype("<i2").tobytes())

    content = {"vertices": len(vertices_m), "centre_m": _numbers(centre_m, 5), "steps_per_m": MESH_STEPS_PER_M}
    return Part(content, Payload(encode))


def bones_part(bones: Bones | None) -> Part:
    """Return pose, length and radius of every bone: 18 numbers each, (4, 4) row by row, length [m] and radius [m]."""
    if bones is None:
        return Part({"names": []})

    def encode() -> bytes:
        poses = bones.camera_from_bone.reshape(-1, 16)
        return np.column_stack([poses, bones.length_m, bones.radius_m]).astype("<f4").tobytes()

    return Part({"names": list(bones.names)}, Payload(encode))


def angle_names_part(names: Sequence[str]) -> Part:
    """Return names of angles, in the code's words and in a clinician's."""
    return Part({"names": list(names), "displayed": [angle_display_name(name) for name in names]})


def angles_part(stamp_ns: int, angles: JointAngles | None) -> Part:
    """Return the joint angles of a frame [degrees]; none where no person is in view."""
    content: dict[str, object] = {"stamp_ms": stamp_ns // 1_000_000}
    if angles is not None:
        content["degrees"] = _numbers(np.degrees(angles.angles_rad), 1)
        content["confidence"] = _numbers(angles.confidence, 2)
    return Part(content)


def exercises_part(labels: Sequence[str]) -> Part:
    """Return the exercises that can be chosen, by their names for people; `none` is left out."""
    named = [[label, exercise_display_name(label)] for label in labels if label != NONE]
    return Part({"exercises": sorted(named, key=lambda entry: entry[1])})


def exercise_part(classification: ExerciseClassification) -> Part:
    """Return the label in words."""
    sure = classification.confidence
    words = "certain" if sure >= SURE else "likely" if sure >= FAIRLY_SURE else "uncertain"
    if classification.out_of_distribution:
        words = "unknown movement"
    return Part(
        {
            "label": classification.label,
            "displayed": exercise_display_name(classification.label),
            "words": words,
            "confidence": number(sure, 2),
        }
    )


def progress_part(progress: RepetitionProgress | None, held_s: float) -> Part:
    """Return the progress of the repetition in words.

    Args:
        progress: None = no exercise is counted.
        held_s: Time at the far point in this repetition [s].
    """
    if progress is None:
        return Part({"phase": "none", "words": "no exercise is counted"})
    return Part(
        {
            "phase": progress.phase.name.lower(),
            "words": PHASES[progress.phase],
            "count": progress.count,
            "displayed": exercise_display_name(progress.label),
            "held_s": number(held_s, 1),
        }
    )


def repetition_part(repetition: Repetition) -> Part:
    """Return a finished repetition: number, side, duration, reasons and quality."""
    return Part(
        {
            "displayed": exercise_display_name(repetition.label),
            "count": repetition.count,
            "side": side_display_name(repetition.side),
            "duration_s": number((repetition.end_ns - repetition.start_ns) / 1e9, 1),
            "quality": number(repetition.quality, 2),
            "withheld": repetition.quality_withheld,
            "reasons": list(repetition.reasons),
        }
    )
