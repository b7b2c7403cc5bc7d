"""Forward kinematics of SMPL's 24 joints, compiled: where joints are and how they are rotated.

R_k = R_parent(k) exp(theta_k), p_k = p_parent(k) + R_parent(k) (J_k - J_parent(k)) (Loper et al. 2015, Eq 3-4). The
general chain of `biomechanics.kinematics` has joints with any number of single-axis rotations; this one has three
rotations at every joint and fixed parents, which the compiler unrolls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.geometry.kernels import product, rotation_matrix
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["JOINT_COUNT", "PARENTS", "chain", "chain_of_matrices"]

PARENTS = np.array(SMPL_24.parents, dtype=np.int64)
JOINT_COUNT = len(PARENTS)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def chain_of_matrices(
    rest_m: NDArray[np.float64],
    local: NDArray[np.float64],
    translation_m: NDArray[np.float64],
    positions_m: NDArray[np.float64],
    rotations: NDArray[np.float64],
) -> None:
    """Write the posed joints and their global rotations.

    Args:
        rest_m: (24, 3) joints at rest [m].
        local: (24, 3, 3) rotation of each joint relative to its parent.
        translation_m: (3) [m].
        positions_m: (24, 3) [m]; written.
        rotations: (24, 3, 3); written.
    """
    for joint in range(JOINT_COUNT):
        parent = PARENTS[joint]
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
def chain(
    rest_m: NDArray[np.float64],
    rotations_rad: NDArray[np.float64],
    translation_m: NDArray[np.float64],
    positions_m: NDArray[np.float64],
    rotations: NDArray[np.float64],
) -> None:
    """Write the posed joints (24, 3) [m] and their global rotations (24, 3, 3) from rotation vectors (24, 3) [rad]."""
    local = np.empty((JOINT_COUNT, 3, 3))
    for joint in range(JOINT_COUNT):
        rotation_matrix(rotations_rad[joint, 0], rotations_rad[joint, 1], rotations_rad[joint, 2], local[joint])
    chain_of_matrices(rest_m, local, translation_m, positions_m, rotations)
