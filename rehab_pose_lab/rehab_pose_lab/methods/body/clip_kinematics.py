"""Joints of a whole clip, and the way back: from a gradient by joints to a gradient by body parameters.

The chain is `skinning`'s. With f_j = dE/dp_j, F_k and M_k the sums of f_j and p_j x f_j over k and all joints below:

    dE/dtranslation = F_0,   dE/dtheta_k = J_l(theta_k)^T R_parent(k)^T (M_k - p_k x F_k),
    dE/dJ_k (at rest) = R_parent(k)^T F_k - sum over children c of R_k^T F_c

where J_l is SO(3)'s left Jacobian (Sola et al. 2018, Eq 145) and R_parent of the root is the identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rehab_pose.body.start import start_posture
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import BodyParameters

__all__ = ["BodyClip", "PosedClip", "clip_of", "pose_clip", "pull_back", "start_clip"]

SMALL_ANGLE_SQUARED = 1e-6
"""Below this squared angle the series of the left Jacobian's factors are used [rad^2]."""


class BodyClip(NamedTuple):
    """Parameters of one person over T frames; also the gradient of a number by them."""

    betas: NDArray[np.float64]
    """(n) shape coefficients, the same in all frames."""
    rotations_rad: NDArray[np.float64]
    """(T, 24, 3) axis-angle relative to the parent [rad]."""
    translation_m: NDArray[np.float64]
    """(T, 3) [m]."""


class PosedClip(NamedTuple):
    """The joints of a clip."""

    positions_m: NDArray[np.float64]
    """(T, 24, 3) [m]."""
    rotations: NDArray[np.float64]
    """(T, 24, 3, 3) global rotations."""


def clip_of(frames: Sequence[BodyParameters]) -> BodyClip:
    """Return frames of one person as a clip with the mean of their shapes."""
    return BodyClip(
        np.mean([frame.betas for frame in frames], axis=0),
        np.array([frame.rotations_rad for frame in frames]),
        np.array([frame.translation_m for frame in frames]),
    )


def start_clip(model: BodyModel, target_m: NDArray[np.float64], joint_weight: NDArray[np.float64]) -> BodyClip:
    """Return the closed-form start of every frame: trunk by Kabsch, limbs by their directions, mean shape."""
    betas = np.zeros(model.shape_count)
    rest = model.joints(betas)
    rotations, translations = [], []
    for measured in np.where(joint_weight[..., None] > 0.0, target_m, np.nan):
        root, translation, turns = start_posture(rest, measured)
        turns[0] = axis_angles_from_matrices(root)
        rotations.append(turns)
        translations.append(translation)
    return BodyClip(betas, np.array(rotations), np.array(translations))


def pose_clip(model: BodyModel, clip: BodyClip) -> PosedClip:
    """Return the joints of every frame."""
    rest = model.joints(clip.betas)
    local = matrices_from_axis_angles(clip.rotations_rad)
    positions, rotations = np.empty(clip.rotations_rad.shape), np.empty_like(local)
    for joint, parent in enumerate(SMPL_24.parents):
        if parent < 0:
            positions[:, joint], rotations[:, joint] = rest[joint] + clip.translation_m, local[:, joint]
        else:
            positions[:, joint] = positions[:, parent] + rotations[:, parent] @ (rest[joint] - rest[parent])
            rotations[:, joint] = rotations[:, parent] @ local[:, joint]
    return PosedClip(positions, rotations)


def pull_back(model: BodyModel, clip: BodyClip, posed: PosedClip, by_joints: NDArray[np.float64]) -> BodyClip:
    """Return the gradient by body parameters of a number whose gradient by the posed joints is (T, 24, 3)."""
    force, moment = by_joints.copy(), np.cross(posed.positions_m, by_joints)
    parents = SMPL_24.parents
    for joint in range(len(parents) - 1, 0, -1):
        force[:, parents[joint]] += force[:, joint]
        moment[:, parents[joint]] += moment[:, joint]
    torque = moment - np.cross(posed.positions_m, force)
    by_rest = np.zeros((len(parents), 3))
    local_torque = np.empty_like(torque)
    local_torque[:, 0] = torque[:, 0]
    by_rest[0] += force[:, 0].sum(axis=0)
    for joint in range(1, len(parents)):
        turn = posed.rotations[:, parents[joint]]
        local_torque[:, joint] = np.einsum("tab,ta->tb", turn, torque[:, joint])
        local_force = np.einsum("tab,ta->b", turn, force[:, joint])
        by_rest[joint] += local_force
        by_rest[parents[joint]] -= local_force
    by_betas = np.einsum("jcb,jc->b", model.joint_shapedirs[..., : len(clip.betas)], by_rest)
    return BodyClip(by_betas, _times_left_jacobian(clip.rotations_rad, local_torque), force[:, 0])


def _times_left_jacobian(vectors_rad: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return J_l(theta)^T g for every theta (..., 3) [rad] and g (..., 3)."""
    square = np.sum(vectors_rad**2, axis=-1, keepdims=True)
    small = square < SMALL_ANGLE_SQUARED
    safe = np.where(small, 1.0, square)
    angle = np.sqrt(safe)
    first = np.where(small, 0.5 - square / 24.0 + square**2 / 720.0, 2.0 * np.sin(0.5 * angle) ** 2 / safe)
    series = 1.0 / 6.0 - square / 120.0 + square**2 / 5040.0
    second = np.where(small, series, (angle - np.sin(angle)) / (safe * angle))
    turned = np.cross(vectors_rad, rows)
    product: NDArray[np.float64] = rows - first * turned + second * np.cross(vectors_rad, turned)
    return product
