"""Forward kinematics of a chain whose joints rotate about any number of single axes (compiled).

SMPL's chain, with fixed parents and one rotation vector a joint, has a faster function in `geometry.joint_tree`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.geometry.kernels import product, rotation_matrix, rotation_vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import ChainArrays

__all__ = ["forward", "logarithm"]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def logarithm(base: NDArray[np.float64], other: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write the rotation vector (3) [rad] of base^T other, its angle in [0, pi]."""
    between = np.empty((3, 3))
    product(base.T, other, between)
    rotation_vector(between, out)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def forward(
    chain: ChainArrays,
    unknowns: NDArray[np.float64],
    base: NDArray[np.float64],
    positions: NDArray[np.float64],
    rotations: NDArray[np.float64],
    axes: NDArray[np.float64],
) -> None:
    """Write the joints and the axes of their freedoms in the world.

    Args:
        chain: The chain.
        unknowns: (N) as in `chain`.
        base: (3, 3) the root's rotation that the unknown rotation vector is applied to, on the right.
        positions: (J, 3) [m]; written.
        rotations: (J, 3, 3) world_from_joint; written.
        axes: (K, 3) unit vectors; written.
    """
    local, rotated = np.empty((3, 3)), np.empty((3, 3))
    for joint in range(chain.parents.shape[0]):
        parent = chain.parents[joint]
        if parent < 0:
            positions[joint] = unknowns[:3]
            rotation_matrix(unknowns[3], unknowns[4], unknowns[5], local)
            product(base, local, rotated)
            product(rotated, chain.rest[joint], rotations[joint])
        else:
            for i in range(3):
                positions[joint, i] = positions[parent, i]
                for j in range(3):
                    positions[joint, i] += rotations[parent, i, j] * chain.offsets_m[joint, j]
            product(rotations[parent], chain.rest[joint], rotations[joint])
        for k in range(chain.freedom_start[joint], chain.freedom_start[joint + 1]):
            axis = chain.axes[k]
            for i in range(3):
                axes[k, i] = (
                    rotations[joint, i, 0] * axis[0]
                    + rotations[joint, i, 1] * axis[1]
                    + rotations[joint, i, 2] * axis[2]
                )
            angle = chain.fraction[k] * unknowns[chain.unknown[k]]
            rotation_matrix(axis[0] * angle, axis[1] * angle, axis[2] * angle, local)
            rotated[:] = rotations[joint]
            product(rotated, local, rotations[joint])
