"""Joints and vertices of one frame from body parameters: SMPL's kinematic chain and linear blend skinning.

The body is M(beta, theta) = W(T_P(beta, theta), J(beta), theta, w) (Loper et al. 2015, Eq 2-5): the chain is that of
`geometry.joint_tree`, and a vertex at rest v moves to sum_k w_k (R_k (v - J_k) + p_k).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.body.model import PARENTS
from rehab_pose.geometry.joint_tree import pose_vectors
from rehab_pose.geometry.rotations import matrices_from_axis_angles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import BodyParameters

__all__ = ["pose_joints", "pose_vertices", "pose_vertices_of_joints"]


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def _skin(  # noqa: PLR0917  (one argument an array of the model)
    v_template: NDArray[np.float32],
    shapedirs: NDArray[np.float32],
    betas: NDArray[np.float32],
    joints: NDArray[np.int64],
    weights: NDArray[np.float32],
    motions: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Write the posed vertices (V, 3) [m]: each joint's rigid motion (24, 3, 4), blended by the vertex' weights."""
    count, per_vertex = joints.shape
    shapes = betas.shape[0]
    for v in range(count):
        x, y, z = v_template[v, 0], v_template[v, 1], v_template[v, 2]
        for b in range(shapes):
            x += shapedirs[v, 0, b] * betas[b]
            y += shapedirs[v, 1, b] * betas[b]
            z += shapedirs[v, 2, b] * betas[b]
        ox = oy = oz = np.float32(0.0)
        for k in range(per_vertex):
            w = weights[v, k]
            if w == np.float32(0.0):
                break
            m = motions[joints[v, k]]
            ox += w * (m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3])
            oy += w * (m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3])
            oz += w * (m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3])
        out[v, 0], out[v, 1], out[v, 2] = ox, oy, oz


def pose_joints(model: BodyModel, parameters: BodyParameters) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the posed joints (24, 3) [m] and their global rotations (24, 3, 3).

    Both are in the frame of the root's rotation and the translation, in a fitted body the camera's.
    """
    rest = model.joints(parameters.betas)
    positions, rotations = np.empty((24, 3)), np.empty((24, 3, 3))
    pose_vectors(PARENTS, rest, parameters.rotations_rad, parameters.translation_m, positions, rotations)
    return positions, rotations


def pose_vertices(model: BodyModel, parameters: BodyParameters) -> NDArray[np.float32]:
    """Return the posed surface (V, 3) [m]."""
    positions, rotations = pose_joints(model, parameters)
    return pose_vertices_of_joints(model, parameters, positions, rotations)


def pose_vertices_of_joints(
    model: BodyModel,
    parameters: BodyParameters,
    positions_m: NDArray[np.float64],
    rotations: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return the posed surface (V, 3) [m] from the result of `pose_joints` for the same parameters."""
    betas = model.padded_betas(parameters.betas)
    motions = np.empty((24, 3, 4), dtype=np.float32)
    motions[:, :, :3] = rotations
    motions[:, :, 3] = positions_m - np.einsum("jab,jb->ja", rotations, model.joints(betas))
    template = model.v_template
    if model.posedirs is not None:
        # SMPL's pose correction B_P = sum_n (R_n(theta) - I) P_n, joints 1 to 23 row by row (Eq 9).
        features = (matrices_from_axis_angles(parameters.rotations_rad[1:]) - np.eye(3)).ravel().astype(np.float32)
        template = template + model.posedirs @ features
    joints, weights = model.skin
    vertices = np.empty(template.shape, dtype=np.float32)
    _skin(template, model.shapedirs, betas.astype(np.float32), joints, weights, motions, vertices)
    return vertices
