"""Where the points of a chain are, and how they move with the unknowns (compiled).

p = p_j + R_j o        dp/dx_k = share_k a_k x (p - p_joint(k)),  a_k the freedom's axis in the world
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.geometry.kernels import product, rotation_matrix, rotation_vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import ChainArrays

__all__ = ["forward", "logarithm", "point_jacobian"]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def logarithm(base: NDArray[np.float64], other: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write the axis-angle vector (3) [rad] of base^T other, its angle in [0, pi]."""
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
    """Write the joints (J, 3) [m], their rotations (J, 3, 3) and the freedoms' axes in the world (K, 3)."""
    local, turned = np.empty((3, 3)), np.empty((3, 3))
    for joint in range(chain.parents.shape[0]):
        parent = chain.parents[joint]
        if parent < 0:
            positions[joint] = unknowns[:3]
            rotation_matrix(unknowns[3], unknowns[4], unknowns[5], local)
            product(base, local, turned)
            product(turned, chain.rest[joint], rotations[joint])
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
            angle = chain.share[k] * unknowns[chain.unknown[k]]
            rotation_matrix(axis[0] * angle, axis[1] * angle, axis[2] * angle, local)
            turned[:] = rotations[joint]
            product(turned, local, rotations[joint])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def point_jacobian(  # noqa: PLR0917  (the chain's state and the result)
    chain: ChainArrays,
    joint: int,
    point: NDArray[np.float64],
    base: NDArray[np.float64],
    positions: NDArray[np.float64],
    axes: NDArray[np.float64],
    jacobian: NDArray[np.float64],
) -> None:
    """Write d point / d unknowns (3, N) of a point on a joint's segment, at a zero turn of the root."""
    jacobian[:] = 0.0
    for i in range(3):
        jacobian[i, i] = 1.0
    above = joint
    while above >= 0:
        x, y, z = point[0] - positions[above, 0], point[1] - positions[above, 1], point[2] - positions[above, 2]
        for k in range(chain.freedom_start[above], chain.freedom_start[above + 1]):
            share, column = chain.share[k], chain.unknown[k]
            jacobian[0, column] += share * (axes[k, 1] * z - axes[k, 2] * y)
            jacobian[1, column] += share * (axes[k, 2] * x - axes[k, 0] * z)
            jacobian[2, column] += share * (axes[k, 0] * y - axes[k, 1] * x)
        if chain.parents[above] < 0:
            for i in range(3):
                jacobian[0, 3 + i] = base[1, i] * z - base[2, i] * y
                jacobian[1, 3 + i] = base[2, i] * x - base[0, i] * z
                jacobian[2, 3 + i] = base[0, i] * y - base[1, i] * x
        above = chain.parents[above]
