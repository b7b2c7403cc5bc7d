"""Results of one kind over all frames of a recording, as arrays with one row a frame; NaN = missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.arrays import frozen, set_fields
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Body, ExerciseClassification, JointAngles, Joints

__all__ = ["AngleTrack", "BodyTrack", "JointTrack", "LabelTrack", "angle_track", "body_track", "joint_track"]

JOINT_COUNT = len(SMPL_24)


@dataclass(frozen=True, eq=False)
class JointTrack:
    """Joint centres of all frames."""

    stamps_ns: NDArray[np.int64]
    """(T) stamps of the frames [ns]."""
    names: tuple[str, ...]
    positions_m: NDArray[np.float32]
    """(T, J, 3) in the camera's optical frame [m]; NaN = missing."""
    confidence: NDArray[np.float32]
    """(T, J) 0-1; 0 where no person is in view."""
    sigma_m: NDArray[np.float32]
    """(T, J) standard deviation [m]; NaN = not estimated."""

    def __post_init__(self) -> None:
        """Check shapes."""
        frames, joints = len(self.stamps_ns), len(self.names)
        set_fields(
            self,
            stamps_ns=frozen("JointTrack.stamps_ns", self.stamps_ns, (frames,), np.int64),
            positions_m=frozen("JointTrack.positions_m", self.positions_m, (frames, joints, 3), np.float32),
            confidence=frozen("JointTrack.confidence", self.confidence, (frames, joints), np.float32),
            sigma_m=frozen("JointTrack.sigma_m", self.sigma_m, (frames, joints), np.float32),
        )


@dataclass(frozen=True, eq=False)
class AngleTrack:
    """Clinical joint angles of all frames."""

    stamps_ns: NDArray[np.int64]
    """(T) stamps of the frames [ns]."""
    names: tuple[str, ...]
    angles_rad: NDArray[np.float32]
    """(T, D) [rad]; NaN = missing."""
    velocities_rad_s: NDArray[np.float32]
    """(T, D) [rad/s]; NaN = unknown."""
    confidence: NDArray[np.float32]
    """(T, D) 0-1; 0 where no person is in view."""
    sigma_rad: NDArray[np.float32]
    """(T, D) standard deviation [rad]; NaN = unknown."""

    def __post_init__(self) -> None:
        """Check shapes."""
        frames, angles = len(self.stamps_ns), len(self.names)
        set_fields(self, stamps_ns=frozen("AngleTrack.stamps_ns", self.stamps_ns, (frames,), np.int64))
        for name in ("angles_rad", "velocities_rad_s", "confidence", "sigma_rad"):
            values = frozen(f"AngleTrack.{name}", getattr(self, name), (frames, angles), np.float32)
            set_fields(self, **{name: values})

    @property
    def angles_deg(self) -> NDArray[np.float32]:
        """(T, D) the angles in degrees."""
        return np.degrees(self.angles_rad)


@dataclass(frozen=True, eq=False)
class BodyTrack:
    """Parameters of the fitted body of all frames; NaN in frames without a body."""

    stamps_ns: NDArray[np.int64]
    """(T) stamps of the frames [ns]."""
    model_id: str
    """Name and hash of the body model; empty if no frame has a body."""
    betas: NDArray[np.float32]
    """(T, B) shape coefficients."""
    rotations_rad: NDArray[np.float32]
    """(T, 24, 3) axis-angle relative to the parent [rad]; row 0 is the root's rotation in the camera."""
    translation_m: NDArray[np.float32]
    """(T, 3) added after the root rotation [m], as in SMPL."""
    joint_positions_m: NDArray[np.float32]
    """(T, 24, 3) joints of the fitted body in the camera's optical frame [m]."""

    def __post_init__(self) -> None:
        """Check shapes."""
        frames = len(self.stamps_ns)
        set_fields(
            self,
            stamps_ns=frozen("BodyTrack.stamps_ns", self.stamps_ns, (frames,), np.int64),
            betas=frozen("BodyTrack.betas", self.betas, (frames, "B"), np.float32),
            rotations_rad=frozen("BodyTrack.rotations_rad", self.rotations_rad, (frames, JOINT_COUNT, 3), np.float32),
            translation_m=frozen("BodyTrack.translation_m", self.translation_m, (frames, 3), np.float32),
            joint_positions_m=frozen(
                "BodyTrack.joint_positions_m", self.joint_positions_m, (frames, JOINT_COUNT, 3), np.float32
            ),
        )

    @property
    def present(self) -> NDArray[np.bool_]:
        """(T) whether a body was fitted."""
        return np.asarray(np.isfinite(self.translation_m).all(axis=1))


@dataclass(frozen=True, eq=False)
class LabelTrack:
    """Exercise of all frames."""

    stamps_ns: NDArray[np.int64]
    """(T) stamps of the frames [ns]."""
    labels: tuple[str, ...]
    """(T) names from the exercise catalogue, or `none`."""
    confidence: NDArray[np.float32]
    """(T) 0-1."""


def joint_track(stamps_ns: Sequence[int], found: Sequence[Joints | None]) -> JointTrack:
    """Return the joints of frames; None where no person was in view. The skeleton is that of the first person."""
    skeleton = next((joints.skeleton for joints in found if joints is not None), SMPL_24)
    shape = len(found), len(skeleton)
    positions, sigma = np.full((*shape, 3), np.nan, np.float32), np.full(shape, np.nan, np.float32)
    confidence = np.zeros(shape, np.float32)
    for row, joints in enumerate(found):
        if joints is not None and joints.skeleton is skeleton:
            positions[row], sigma[row], confidence[row] = joints.positions_m, joints.sigma_m, joints.confidence
    return JointTrack(np.array(stamps_ns, np.int64), skeleton.joint_names, positions, confidence, sigma)


def angle_track(stamps_ns: Sequence[int], found: Sequence[JointAngles | None]) -> AngleTrack:
    """Return the angles of frames; None where no person was in view. The names are those of the first person."""
    names = next((angles.names for angles in found if angles is not None), ())
    shape = len(found), len(names)
    angles_rad, velocities, sigma = (np.full(shape, np.nan, np.float32) for _ in range(3))
    confidence = np.zeros(shape, np.float32)
    for row, angles in enumerate(found):
        if angles is not None and angles.names == names:
            angles_rad[row], velocities[row] = angles.angles_rad, angles.velocities_rad_s
            confidence[row], sigma[row] = angles.confidence, angles.sigma_rad
    return AngleTrack(np.array(stamps_ns, np.int64), names, angles_rad, velocities, confidence, sigma)


def body_track(stamps_ns: Sequence[int], found: Sequence[Body | None]) -> BodyTrack:
    """Return the bodies of frames; None where none was fitted. The model is that of the first body."""
    first = next((body for body in found if body is not None), None)
    model_id, shapes = ("", 0) if first is None else (first.model_id, len(first.parameters.betas))
    betas = np.full((len(found), shapes), np.nan, np.float32)
    rotations, positions = (np.full((len(found), JOINT_COUNT, 3), np.nan, np.float32) for _ in range(2))
    translation = np.full((len(found), 3), np.nan, np.float32)
    for row, body in enumerate(found):
        if body is not None and body.model_id == model_id and len(body.parameters.betas) == shapes:
            betas[row], rotations[row] = body.parameters.betas, body.parameters.rotations_rad
            translation[row], positions[row] = body.parameters.translation_m, body.joint_positions_m
    return BodyTrack(np.array(stamps_ns, np.int64), model_id, betas, rotations, translation, positions)


def label_track(found: Sequence[ExerciseClassification]) -> LabelTrack:
    """Return the exercise of frames."""
    stamps = np.array([classification.stamp_ns for classification in found], np.int64)
    confidence = np.array([classification.confidence for classification in found], np.float32)
    return LabelTrack(stamps, tuple(classification.label for classification in found), confidence)
