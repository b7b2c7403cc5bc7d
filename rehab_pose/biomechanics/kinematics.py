"""Where the points of a chain are, and how they move with the unknowns (compiled).

p = p_j + R_j o        dp/dx_k = share_k a_k x (p - p_joint(k)),  a_k the freedom's axis in the world
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import ChainArrays

__all__ = ["exponential", "forward", "logarithm", "point_jacobian", "product"]

SMALL_ANGLE = 1e-9


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def product(left: NDArray[np.float64], right: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write left @ right (3, 3)."""
    for i in range(3):
        for j in range(3):
            out[i, j] = left[i, 0] * right[0, j] + left[i, 1] * right[1, j] + left[i, 2] * right[2, j]


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def exponential(x: float, y: float, z: float, out: NDArray[np.float64]) -> None:
    """Write the rotation (3, 3) of the axis-angle vector [x, y, z] [rad] (Rodrigues)."""
    angle = np.sqrt(x * x + y * y + z * z)
    if angle < SMALL_ANGLE:
        first, second = 1.0, 0.5
    else:
        first, second = np.sin(angle) / angle, (1.0 - np.cos(angle)) / (angle * angle)
    out[0, 0] = 1.0 - second * (y * y + z * z)
    out[1, 1] = 1.0 - second * (x * x + z * z)
    out[2, 2] = 1.0 - second * (x * x + y * y)
    out[0, 1], out[1, 0] = second * x * y - first * z, second * x * y + first * z
    out[0, 2], out[2, 0] = second * x * z + first * y, second * x * z - first * y
    out[1, 2], out[2, 1] = second * y * z - first * x, second * y * z + first * x


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def logarithm(  # noqa: C901  (the half turn needs a case of its own)
    base: NDArray[np.float64], other: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Write the axis-angle vector (3) [rad] of base^T other, its angle in [0, pi]."""
    trace = 0.0
    for i in range(3):
        for j in range(3):
            trace += base[i, j] * other[i, j]
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        out[i] = 0.0
        for m in range(3):
            out[i] += 0.5 * (base[m, k] * other[m, j] - base[m, j] * other[m, k])
    sine = np.sqrt(out[0] ** 2 + out[1] ** 2 + out[2] ** 2)
    angle = np.arctan2(sine, 0.5 * (trace - 1.0))
    if sine > SMALL_ANGLE:
        out *= angle / sine
    elif trace < 0.0:  # half a turn: the axis is a column of (base^T other + 1) / 2
        best, most = 0, -1.0
        for i in range(3):
            value = 0.0
            for m in range(3):
                value += base[m, i] * other[m, i]
            if value > most:
                best, most = i, value
        norm = np.sqrt(max(0.5 * (most + 1.0), SMALL_ANGLE))
        for i in range(3):
            value = 1.0 if i == best else 0.0
            for m in range(3):
                value += base[m, i] * other[m, best]
            out[i] = np.pi * 0.5 * value / norm


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
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
            exponential(unknowns[3], unknowns[4], unknowns[5], local)
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
            exponential(axis[0] * angle, axis[1] * angle, axis[2] * angle, local)
            turned[:] = rotations[joint]
            product(turned, local, rotations[joint])


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
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
