"""From body parameters to joints and vertices: SMPL's kinematic chain and linear blend skinning, one frame at a time.

The body is M(beta, theta) = W(T_P(beta, theta), J(beta), theta, w) (Loper et al. 2015, Eq 2-5):
R_k = R_parent(k) exp(theta_k), p_k = p_parent(k) + R_parent(k) (J_k - J_parent(k)), and a vertex at rest v goes to
sum_k w_k (R_k (v - J_k) + p_k).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.geometry.kernels import rotation_matrix
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import BodyParameters

__all__ = ["pose_joints", "pose_vertices", "pose_vertices_of_joints"]

PARENTS = np.array(SMPL_24.parents, dtype=np.int64)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def chain(
    rest_m: NDArray[np.float64],
    rotations_rad: NDArray[np.float64],
    translation_m: NDArray[np.float64],
    positions_m: NDArray[np.float64],
    rotations: NDArray[np.float64],
) -> None:
    """Write the posed joints (24, 3) [m] and their global rotations (24, 3, 3) into the last two arguments."""
    local = np.empty((3, 3))
    for joint in range(rest_m.shape[0]):
        rotation_matrix(rotations_rad[joint, 0], rotations_rad[joint, 1], rotations_rad[joint, 2], local)
        parent = PARENTS[joint]
        if parent < 0:
            for i in range(3):
                positions_m[joint, i] = rest_m[joint, i] + translation_m[i]
                for j in range(3):
                    rotations[joint, i, j] = local[i, j]
        else:
            turn = rotations[parent]
            for i in range(3):
                total = positions_m[parent, i]
                for j in range(3):
                    total += turn[i, j] * (rest_m[joint, j] - rest_m[parent, j])
                    rotations[joint, i, j] = (
                        turn[i, 0] * local[0, j] + turn[i, 1] * local[1, j] + turn[i, 2] * local[2, j]
                    )
                positions_m[joint, i] = total


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
    """Write the posed vertices (V, 3): motions (24, 3, 4) blended a vertex, applied to the shaped template."""
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

    Both are in the frame that the root's rotation and the translation lead to.
    """
    rest = model.joints(parameters.betas)
    positions, rotations = np.empty((24, 3)), np.empty((24, 3, 3))
    chain(rest, parameters.rotations_rad, parameters.translation_m, positions, rotations)
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
    """Return the posed surface (V, 3) [m] where `pose_joints` of the same parameters is known already."""
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
