"""What the fit minimises, and its derivative: squared joint distances, and Gaussian priors on rotations and shape.

    E(x) = sum_j w_j ||p_j(x) - m_j||^2 + sum_i q_i (x_i - c_i)^2 + sum_h q_h min(s_h x_h, 0)^2

The unknowns x: translation (3) [m], a turn of the root on the left of a base rotation (3) [rad], the axis-angle
vector of every other joint that has a child (18 x 3) [rad], and, while the shape is learnt, its coefficients (B).
The first term and the two Gaussians are the paper's Eq 24-28 (Ashraf et al. 2025); its E_lap is left out, for on the
unposed mesh it is a quadratic in the shape alone.

Derivative of a joint j below k: exp(theta + d) = exp(J_l(theta) d) exp(theta) with SO(3)'s left Jacobian J_l, so
dp_j = (R_parent(k) J_l(theta_k) d) x (p_j - p_k).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.body.skinning import PARENTS
from rehab_pose.geometry.kernels import SMALL_ANGLE_SQUARED, rotation_matrix, turn_series

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "COLUMN_OF_JOINT",
    "FIRST_ROTATION",
    "JOINT_COUNT",
    "MOVING_JOINTS",
    "SHAPE_START",
    "cost",
    "forward",
    "joint_jacobian",
    "left_jacobian",
    "normal_equations",
]

JOINT_COUNT = len(PARENTS)
MOVING_JOINTS = np.array([j for j in range(1, JOINT_COUNT) if j in PARENTS], dtype=np.int64)
"""Joints whose rotation moves another joint; the ends of limbs and the head keep to their parent."""
FIRST_ROTATION = 6
SHAPE_START = FIRST_ROTATION + 3 * len(MOVING_JOINTS)
COLUMN_OF_JOINT = np.full(JOINT_COUNT, -1, dtype=np.int64)
COLUMN_OF_JOINT[0] = 3
COLUMN_OF_JOINT[MOVING_JOINTS] = FIRST_ROTATION + 3 * np.arange(len(MOVING_JOINTS))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def left_jacobian(x: float, y: float, z: float, out: NDArray[np.float64]) -> None:
    """Write SO(3)'s left Jacobian at [x, y, z] [rad] into `out` (3, 3) (Sola et al. 2018, Eq 145)."""
    square = x * x + y * y + z * z
    if square < SMALL_ANGLE_SQUARED:
        first, second = 0.5, 1.0 / 6.0
    else:
        angle = np.sqrt(square)
        half = np.sin(0.5 * angle)
        first, second = 2.0 * half * half / square, (angle - np.sin(angle)) / (square * angle)
    turn_series(x, y, z, first, second, out)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def forward(
    unknowns: NDArray[np.float64],
    base_rotation: NDArray[np.float64],
    rest_m: NDArray[np.float64],
    positions: NDArray[np.float64],
    rotations: NDArray[np.float64],
) -> None:
    """Write the joints (24, 3) [m] and their global rotations (24, 3, 3) at `unknowns`; `rest_m` is (24, 3)."""
    local = np.empty((3, 3))
    for joint in range(JOINT_COUNT):
        parent, column = PARENTS[joint], COLUMN_OF_JOINT[joint]
        if column >= 0:
            rotation_matrix(unknowns[column], unknowns[column + 1], unknowns[column + 2], local)
        for i in range(3):
            if parent < 0:
                positions[joint, i] = rest_m[joint, i] + unknowns[i]
                for j in range(3):
                    rotations[joint, i, j] = (
                        local[i, 0] * base_rotation[0, j]
                        + local[i, 1] * base_rotation[1, j]
                        + local[i, 2] * base_rotation[2, j]
                    )
            else:
                turn = rotations[parent, i]
                positions[joint, i] = positions[parent, i]
                for j in range(3):
                    positions[joint, i] += turn[j] * (rest_m[joint, j] - rest_m[parent, j])
                    if column >= 0:
                        rotations[joint, i, j] = turn[0] * local[0, j] + turn[1] * local[1, j] + turn[2] * local[2, j]
                    else:
                        rotations[joint, i, j] = turn[j]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def joint_axes(unknowns: NDArray[np.float64], rotations: NDArray[np.float64], axes: NDArray[np.float64]) -> None:
    """Write, for each joint, the axes (3, 3) about which its three unknowns turn what lies below it: R_parent J_l."""
    local = np.empty((3, 3))
    for joint in range(JOINT_COUNT):
        column = COLUMN_OF_JOINT[joint]
        if column < 0:
            continue
        left_jacobian(unknowns[column], unknowns[column + 1], unknowns[column + 2], local)
        parent = PARENTS[joint]
        for i in range(3):
            for j in range(3):
                if parent < 0:
                    axes[joint, i, j] = local[i, j]
                else:
                    turn = rotations[parent, i]
                    axes[joint, i, j] = turn[0] * local[0, j] + turn[1] * local[1, j] + turn[2] * local[2, j]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def shape_derivatives(
    rotations: NDArray[np.float64], joint_shapedirs: NDArray[np.float64], derivatives: NDArray[np.float64]
) -> None:
    """Write the change of every posed joint (24, 3, B) with the shape coefficients."""
    for joint in range(JOINT_COUNT):
        parent = PARENTS[joint]
        for b in range(joint_shapedirs.shape[2]):
            for i in range(3):
                if parent < 0:
                    derivatives[joint, i, b] = joint_shapedirs[joint, i, b]
                else:
                    derivatives[joint, i, b] = derivatives[parent, i, b]
                    for k in range(3):
                        step = joint_shapedirs[joint, k, b] - joint_shapedirs[parent, k, b]
                        derivatives[joint, i, b] += rotations[parent, i, k] * step


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def joint_jacobian(  # noqa: PLR0913, PLR0917  (what it reads and what it writes)
    unknowns: NDArray[np.float64],
    positions: NDArray[np.float64],
    rotations: NDArray[np.float64],
    joint_shapedirs: NDArray[np.float64],
    axes: NDArray[np.float64],
    derivatives: NDArray[np.float64],
    columns: NDArray[np.int64],
    blocks: NDArray[np.float64],
) -> None:
    """Write the derivative of every joint's position by the unknowns that move it.

    Args:
        unknowns: (N).
        positions: (24, 3) from `forward`.
        rotations: (24, 3, 3) from `forward`.
        joint_shapedirs: (24, 3, B), B = 0 where the shape is fixed.
        axes: (24, 3, 3) the axes about which each joint's unknowns turn what hangs from it; written.
        derivatives: (24, 3, B) the change of each joint with the shape; written.
        columns: (24, N) the unknowns that move joint j, in its first entries, then -1; written.
        blocks: (24, 3, N) the derivative by them; written.
    """
    joint_axes(unknowns, rotations, axes)
    shapes = joint_shapedirs.shape[2]
    shape_derivatives(rotations, joint_shapedirs, derivatives)
    columns[:] = -1
    for joint in range(JOINT_COUNT):
        count = 0
        for i in range(3):
            columns[joint, count] = i
            for k in range(3):
                blocks[joint, k, count] = 1.0 if k == i else 0.0
            count += 1
        above = PARENTS[joint]
        while above >= 0:
            dx = positions[joint, 0] - positions[above, 0]
            dy = positions[joint, 1] - positions[above, 1]
            dz = positions[joint, 2] - positions[above, 2]
            for i in range(3):
                ax, ay, az = axes[above, 0, i], axes[above, 1, i], axes[above, 2, i]
                columns[joint, count] = COLUMN_OF_JOINT[above] + i
                blocks[joint, 0, count] = ay * dz - az * dy
                blocks[joint, 1, count] = az * dx - ax * dz
                blocks[joint, 2, count] = ax * dy - ay * dx
                count += 1
            above = PARENTS[above]
        for b in range(shapes):
            columns[joint, count] = SHAPE_START + b
            for k in range(3):
                blocks[joint, k, count] = derivatives[joint, k, b]
            count += 1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def cost(  # noqa: PLR0917  (the terms of E)
    unknowns: NDArray[np.float64],
    positions: NDArray[np.float64],
    target_m: NDArray[np.float64],
    joint_weight: NDArray[np.float64],
    centre: NDArray[np.float64],
    prior_weight: NDArray[np.float64],
    hinge: NDArray[np.float64],
) -> float:
    """Return E. `hinge` (N): sign times weight of the one-sided terms; the other arguments as in `normal_equations`."""
    total = 0.0
    for joint in range(JOINT_COUNT):
        if joint_weight[joint] > 0.0:
            for i in range(3):
                total += joint_weight[joint] * (positions[joint, i] - target_m[joint, i]) ** 2
    for n in range(unknowns.shape[0]):
        total += prior_weight[n] * (unknowns[n] - centre[n]) ** 2
        if hinge[n] * unknowns[n] < 0.0:
            total += abs(hinge[n]) * unknowns[n] ** 2
    return total


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def normal_equations(  # noqa: PLR0913, PLR0917  (the terms of E and the result)
    unknowns: NDArray[np.float64],
    positions: NDArray[np.float64],
    target_m: NDArray[np.float64],
    joint_weight: NDArray[np.float64],
    centre: NDArray[np.float64],
    prior_weight: NDArray[np.float64],
    hinge: NDArray[np.float64],
    columns: NDArray[np.int64],
    blocks: NDArray[np.float64],
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> None:
    """Write half the Gauss-Newton Hessian (N, N; lower triangle) and half the gradient (N) of E.

    Args:
        unknowns: (N).
        positions: (24, 3) from `forward`.
        target_m: (24, 3); not read where the weight is 0.
        joint_weight: (24) 1 / variance [1/m^2], 0 = missing.
        centre: (N) where each unknown's Gaussian is centred.
        prior_weight: (N) its 1 / variance.
        hinge: (N) sign times weight: an unknown of the other sign is drawn to zero.
        columns: (24, N) from `joint_jacobian`.
        blocks: (24, 3, N) from `joint_jacobian`.
        hessian: Written.
        gradient: Written.
    """
    hessian[:] = 0.0
    gradient[:] = 0.0
    for joint in range(JOINT_COUNT):
        weight = joint_weight[joint]
        if weight <= 0.0:
            continue
        rx = positions[joint, 0] - target_m[joint, 0]
        ry = positions[joint, 1] - target_m[joint, 1]
        rz = positions[joint, 2] - target_m[joint, 2]
        block = blocks[joint]
        for a in range(columns.shape[1]):
            row = columns[joint, a]
            if row < 0:
                break
            bx, by, bz = weight * block[0, a], weight * block[1, a], weight * block[2, a]
            gradient[row] += bx * rx + by * ry + bz * rz
            for b in range(columns.shape[1]):
                column = columns[joint, b]
                if column < 0:
                    break
                if column <= row:
                    hessian[row, column] += bx * block[0, b] + by * block[1, b] + bz * block[2, b]
    for n in range(unknowns.shape[0]):
        gradient[n] += prior_weight[n] * (unknowns[n] - centre[n])
        hessian[n, n] += prior_weight[n]
        if hinge[n] * unknowns[n] < 0.0:
            gradient[n] += abs(hinge[n]) * unknowns[n]
            hessian[n, n] += abs(hinge[n])
