"""Joints of random people, with which the benchmarks of the body solvers measure errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.initial_pose import FACING_CAMERA
from rehab_pose.body.skinning import pose_joints
from rehab_pose.datatypes import BodyParameters, Joints, JointVisibility
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose_lab.training.random_poses import PoseSampler

__all__ = ["observed_joints", "random_person_joints"]


def random_person_joints(
    model: BodyModel, poses: PoseSampler, random: np.random.Generator, translation_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the joints (24, 3) [m] of a random body in a random pose with a random heading, in the optical frame.

    Args:
        model: The body model.
        poses: Source of the pose.
        random: Generator of heading and shape.
        translation_m: (3) translation of the body [m].
    """
    rotations = poses.sample().rotations_rad.copy()
    heading = matrices_from_axis_angles(np.array([0.0, random.uniform(-np.pi, np.pi), 0.0]))
    rotations[0] = axis_angles_from_matrices(FACING_CAMERA @ heading @ matrices_from_axis_angles(rotations[0]))
    positions, _ = pose_joints(model, BodyParameters(random.normal(size=model.shape_count), rotations, translation_m))
    return positions


def observed_joints(positions_m: NDArray[np.float64], sigma_m: float, stamp_ns: int = 0) -> Joints:
    """Return positions (24, 3) [m] as observed joints with full confidence and a standard deviation [m]."""
    count = len(SMPL_24)
    return Joints(
        stamp_ns=stamp_ns,
        frame_id="camera",
        skeleton=SMPL_24,
        positions_m=positions_m,
        confidence=np.ones(count),
        sigma_m=np.full(count, sigma_m),
        visibility=np.full(count, JointVisibility.OBSERVED, dtype=np.uint8),
    )
