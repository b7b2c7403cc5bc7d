"""Joints of a clip, and the gradient by body parameters of a number whose gradient by the joints is known.

The chain is that of `geometry.joint_tree`.
With f_j = dE/dp_j, F_k and M_k the sums of f_j and p_j x f_j over k and all joints below:

    dE/dtranslation = F_0,   dE/dtheta_k = J_l(theta_k)^T R_parent(k)^T (M_k - p_k x F_k),
    dE/dJ_k (at rest) = R_parent(k)^T F_k - sum over children c of R_k^T F_c

where J_l is SO(3)'s left Jacobian (Sola et al. 2018, Eq 145) and R_parent of the root is the identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

from rehab_pose.body.initial_pose import initial_pose
from rehab_pose.body.model import PARENTS
from rehab_pose.geometry.joint_tree import pose_vectors
from rehab_pose.geometry.kernels import left_jacobian
from rehab_pose.geometry.rotations import axis_angles_from_matrices
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import BodyParameters

__all__ = ["BodyClip", "PosedClip", "clip_of", "pose_clip", "pull_back", "start_clip"]


class BodyClip(NamedTuple):
    """Parameters of one person over T frames, or the gradient of a number by them."""

    betas: NDArray[np.float64]
    """(n) shape coefficients, the same in all frames."""
    rotations_rad: NDArray[np.float64]
    """(T, 24, 3) rotation vectors relative to the parent [rad]."""
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
    """Return the closed-form pose of every frame with the mean shape.

    Args:
        model: The body model.
        target_m: (T, 24, 3) measured joints [m].
        joint_weight: (T, 24); joints with weight 0 are not read.
    """
    betas = np.zeros(model.shape_count)
    rest = model.joints(betas)
    rotations, translations = [], []
    for measured in np.where(joint_weight[..., None] > 0.0, target_m, np.nan):
        root, translation, rotations_rad = initial_pose(rest, measured)
        rotations_rad[0] = axis_angles_from_matrices(root)
        rotations.append(rotations_rad)
        translations.append(translation)
    return BodyClip(betas, np.array(rotations), np.array(translations))


def pose_clip(model: BodyModel, clip: BodyClip) -> PosedClip:
    """Return the joints of every frame."""
    rest = model.joints(clip.betas)
    positions = np.empty(clip.rotations_rad.shape)
    rotations = np.empty((*clip.rotations_rad.shape, 3))
    for t, (rotations_rad, translation_m) in enumerate(zip(clip.rotations_rad, clip.translation_m, strict=True)):
        pose_vectors(PARENTS, rest, rotations_rad, translation_m, positions[t], rotations[t])
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
        parent_rotation = posed.rotations[:, parents[joint]]
        local_torque[:, joint] = np.einsum("tab,ta->tb", parent_rotation, torque[:, joint])
        local_force = np.einsum("tab,ta->b", parent_rotation, force[:, joint])
        by_rest[joint] += local_force
        by_rest[parents[joint]] -= local_force
    by_betas = np.einsum("jcb,jc->b", model.joint_shapedirs[..., : len(clip.betas)], by_rest)
    return BodyClip(by_betas, _times_left_jacobian(clip.rotations_rad, local_torque), force[:, 0])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _times_left_jacobian(vectors_rad: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return J_l(theta)^T g (T, 24, 3) for every theta (T, 24, 3) [rad] and g (T, 24, 3)."""
    products, jacobian = np.zeros(rows.shape), np.empty((3, 3))
    for t in range(rows.shape[0]):
        for joint in range(rows.shape[1]):
            x, y, z = vectors_rad[t, joint]
            left_jacobian(x, y, z, jacobian)
            for i in range(3):
                for j in range(3):
                    products[t, joint, i] += jacobian[j, i] * rows[t, joint, j]
    return products
