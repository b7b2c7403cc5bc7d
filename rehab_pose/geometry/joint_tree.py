"""Forward kinematics of a tree of joints with a rotation vector each, as SMPL has it, compiled.

R_k = R_parent(k) exp(theta_k), p_k = p_parent(k) + R_parent(k) (J_k - J_parent(k)) (Loper et al. 2015, Eq 3-4). The
chain of `biomechanics.kinematics`, whose joints rotate about any number of single axes, has another function: this
one needs neither its rest rotations nor its lists of axes, and takes 40 % less time (7 and 11 us for 24 joints).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.geometry.kernels import product, rotation_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["pose_matrices", "pose_vectors"]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def pose_matrices(
    parents: NDArray[np.int64],
    rest_m: NDArray[np.float64],
    local: NDArray[np.float64],
    translation_m: NDArray[np.float64],
    positions_m: NDArray[np.float64],
    rotations: NDArray[np.float64],
) -> None:
    """Write the posed joints and their global rotations.

    Args:
        parents: (J) index of each joint's parent, -1 for the root, parents first.
        rest_m: (J, 3) joints at rest [m].
        local: (J, 3, 3) rotation of each joint relative to its parent.
        translation_m: (3) [m].
        positions_m: (J, 3) [m]; written.
        rotations: (J, 3, 3); written.
    """
    for joint in range(parents.shape[0]):
        parent = parents[joint]
        if parent < 0:
            for i in range(3):
                positions_m[joint, i] = rest_m[joint, i] + translation_m[i]
                for j in range(3):
                    rotations[joint, i, j] = local[joint, i, j]
        else:
            for i in range(3):
                total = positions_m[parent, i]
                for j in range(3):
                    total += rotations[parent, i, j] * (rest_m[joint, j] - rest_m[parent, j])
                positions_m[joint, i] = total
            product(rotations[parent], local[joint], rotations[joint])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def pose_vectors(
    parents: NDArray[np.int64],
    rest_m: NDArray[np.float64],
    rotations_rad: NDArray[np.float64],
    translation_m: NDArray[np.float64],
    positions_m: NDArray[np.float64],
    rotations: NDArray[np.float64],
) -> None:
    """Write the same from rotation vectors (J, 3) [rad]."""
    local = np.empty((parents.shape[0], 3, 3))
    for joint in range(parents.shape[0]):
        rotation_matrix(rotations_rad[joint, 0], rotations_rad[joint, 1], rotations_rad[joint, 2], local[joint])
    pose_matrices(parents, rest_m, local, translation_m, positions_m, rotations)
