"""The body fit's objective and its derivative: squared joint distances, and Gaussian priors on rotations and shape.

    E(x) = sum_j w_j ||p_j(x) - m_j||^2 + sum_i q_i (x_i - c_i)^2 + sum_h q_h min(s_h x_h, 0)^2

The unknowns x: translation (3) [m], a rotation vector of the root, applied on the left of a base rotation (3) [rad],
the rotation vector of every other joint that has a child (18 x 3) [rad], and, while the shape is learnt, its
coefficients (B). The first term and the two Gaussians are Eq 24-28 of Ashraf et al. 2025; its E_lap is left out, for on
the unposed mesh it is a quadratic in the shape coefficients only.

Derivative of a joint j below k: exp(theta + d) = exp(J_l(theta) d) exp(theta) with SO(3)'s left Jacobian J_l, so
dp_j = (R_parent(k) J_l(theta_k) d) x (p_j - p_k).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

from rehab_pose.body.model import JOINT_COUNT, PARENTS
from rehab_pose.geometry.joint_tree import pose_matrices
from rehab_pose.geometry.kernels import left_jacobian, product, rotation_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "COLUMN_OF_JOINT",
    "FIRST_ROTATION",
    "MOVING_JOINTS",
    "SHAPE_START",
    "JointJacobian",
    "JointTerms",
    "add_ancestor_columns",
    "cost",
    "empty_jacobian",
    "forward",
    "joint_axes",
    "joint_jacobian",
    "normal_equations",
    "shape_derivatives",
]

MOVING_JOINTS = np.array([j for j in range(1, JOINT_COUNT) if j in PARENTS], dtype=np.int64)
"""Joints whose rotation moves another joint; the ends of limbs and the head keep to their parent."""
FIRST_ROTATION = 6
"""Place of the first joint's rotation vector among the unknowns, after translation and root."""
SHAPE_START = FIRST_ROTATION + 3 * len(MOVING_JOINTS)
"""Place of the first shape coefficient among the unknowns."""
COLUMN_OF_JOINT = np.full(JOINT_COUNT, -1, dtype=np.int64)
"""(24) place of each joint's rotation vector among the unknowns; -1 = the joint has none."""
COLUMN_OF_JOINT[0] = 3
COLUMN_OF_JOINT[MOVING_JOINTS] = FIRST_ROTATION + 3 * np.arange(len(MOVING_JOINTS))


class JointTerms(NamedTuple):
    """The constants of E, as arrays for compiled code; N unknowns, B of them shape coefficients."""

    base_rotation: NDArray[np.float64]
    """(3, 3) rotation of the root that the unknown rotation vector is applied to, from the left."""
    rest_m: NDArray[np.float64]
    """(24, 3) joints at rest of the body with zero (or fixed) shape [m]."""
    shapedirs: NDArray[np.float64]
    """(24, 3, B) change of the joints at rest with the unknown shape coefficients [m]; B = 0 for a fixed shape."""
    target_m: NDArray[np.float64]
    """(24, 3) measured joints [m]; not read where the weight is 0."""
    weight: NDArray[np.float64]
    """(24) 1 / variance of each measured joint [1/m^2]; 0 = missing."""
    centre: NDArray[np.float64]
    """(N) mean of each unknown's Gaussian."""
    precision: NDArray[np.float64]
    """(N) its 1 / variance."""
    hinge: NDArray[np.float64]
    """(N) sign times weight of the one-sided terms: an unknown of the other sign is drawn to zero."""


class JointJacobian(NamedTuple):
    """Derivative of the joints' positions by the unknowns, sparse by rows."""

    axes: NDArray[np.float64]
    """(24, 3, 3) from `joint_axes`."""
    shape_derivatives: NDArray[np.float64]
    """(24, 3, B) from `shape_derivatives`."""
    columns: NDArray[np.int64]
    """(24, N) the unknowns that move joint j, in its first entries, then -1."""
    blocks: NDArray[np.float64]
    """(24, 3, N) the derivative by them."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def empty_jacobian(size: int, shapes: int) -> JointJacobian:
    """Return room for the derivative by `size` unknowns, `shapes` of them shape coefficients."""
    return JointJacobian(
        np.empty((JOINT_COUNT, 3, 3)),
        np.empty((JOINT_COUNT, 3, shapes)),
        np.empty((JOINT_COUNT, size), dtype=np.int64),
        np.empty((JOINT_COUNT, 3, size)),
    )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def forward(
    unknowns: NDArray[np.float64],
    base_rotation: NDArray[np.float64],
    rest_m: NDArray[np.float64],
    positions: NDArray[np.float64],
    rotations: NDArray[np.float64],
) -> None:
    """Write the joints (24, 3) [m] and their global rotations (24, 3, 3) at `unknowns`; `rest_m` is (24, 3)."""
    local = np.empty((JOINT_COUNT, 3, 3))
    for joint in range(JOINT_COUNT):
        column = COLUMN_OF_JOINT[joint]
        if column < 0:
            rotation_matrix(0.0, 0.0, 0.0, local[joint])
        else:
            rotation_matrix(unknowns[column], unknowns[column + 1], unknowns[column + 2], local[joint])
    root = np.empty((3, 3))
    product(local[0], base_rotation, root)
    local[0] = root
    pose_matrices(PARENTS, rest_m, local, unknowns[:3], positions, rotations)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def joint_axes(
    unknowns: NDArray[np.float64],
    column_of_joint: NDArray[np.int64],
    rotations: NDArray[np.float64],
    axes: NDArray[np.float64],
) -> None:
    """Write the axes about which each joint's three unknowns rotate its descendants: R_parent J_l.

    Args:
        unknowns: (N).
        column_of_joint: (24) place of each joint's rotation vector among the unknowns; -1 = none.
        rotations: (24, 3, 3) global.
        axes: (24, 3, 3) one column an unknown; written, except for joints without unknowns.
    """
    local = np.empty((3, 3))
    for joint in range(JOINT_COUNT):
        column = column_of_joint[joint]
        if column < 0:
            continue
        left_jacobian(unknowns[column], unknowns[column + 1], unknowns[column + 2], local)
        parent = PARENTS[joint]
        if parent < 0:
            axes[joint] = local
        else:
            product(rotations[parent], local, axes[joint])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def shape_derivatives(
    rotations: NDArray[np.float64], joint_shapedirs: NDArray[np.float64], derivatives: NDArray[np.float64]
) -> None:
    """Write the change of every posed joint (24, 3, B) [m] with the shape coefficients."""
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
def add_ancestor_columns(
    joint: int,
    positions: NDArray[np.float64],
    axes: NDArray[np.float64],
    column_of_joint: NDArray[np.int64],
    columns: NDArray[np.int64],
    block: NDArray[np.float64],
) -> int:
    """Write the derivative of one joint's position by the translation and by its ancestors' rotation vectors.

    Args:
        joint: Its index.
        positions: (24, 3) [m].
        axes: (24, 3, 3) from `joint_axes`.
        column_of_joint: (24) as in `joint_axes`.
        columns: (N) the unknowns that move the joint; the first entries are written.
        block: (3, N) the derivative by them; the first columns are written.

    Returns:
        How many entries were written.
    """
    count = 0
    for i in range(3):
        columns[count] = i
        for k in range(3):
            block[k, count] = 1.0 if k == i else 0.0
        count += 1
    above = PARENTS[joint]
    while above >= 0:
        dx = positions[joint, 0] - positions[above, 0]
        dy = positions[joint, 1] - positions[above, 1]
        dz = positions[joint, 2] - positions[above, 2]
        for i in range(3):
            ax, ay, az = axes[above, 0, i], axes[above, 1, i], axes[above, 2, i]
            columns[count] = column_of_joint[above] + i
            block[0, count] = ay * dz - az * dy
            block[1, count] = az * dx - ax * dz
            block[2, count] = ax * dy - ay * dx
            count += 1
        above = PARENTS[above]
    return count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def joint_jacobian(
    unknowns: NDArray[np.float64],
    positions: NDArray[np.float64],
    rotations: NDArray[np.float64],
    joint_shapedirs: NDArray[np.float64],
    jacobian: JointJacobian,
) -> None:
    """Write the derivative of every joint's position by the unknowns that move it.

    Args:
        unknowns: (N).
        positions: (24, 3) from `forward` [m].
        rotations: (24, 3, 3) from `forward`.
        joint_shapedirs: (24, 3, B), B = 0 where the shape is fixed.
        jacobian: Written.
    """
    joint_axes(unknowns, COLUMN_OF_JOINT, rotations, jacobian.axes)
    shape_derivatives(rotations, joint_shapedirs, jacobian.shape_derivatives)
    columns, blocks = jacobian.columns, jacobian.blocks
    columns[:] = -1
    for joint in range(JOINT_COUNT):
        count = add_ancestor_columns(joint, positions, jacobian.axes, COLUMN_OF_JOINT, columns[joint], blocks[joint])
        for b in range(joint_shapedirs.shape[2]):
            columns[joint, count] = SHAPE_START + b
            for k in range(3):
                blocks[joint, k, count] = jacobian.shape_derivatives[joint, k, b]
            count += 1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def cost(unknowns: NDArray[np.float64], positions: NDArray[np.float64], terms: JointTerms) -> float:
    """Return E at `unknowns` (N), where the joints are at `positions` (24, 3) [m]."""
    total = 0.0
    for joint in range(JOINT_COUNT):
        if terms.weight[joint] > 0.0:
            for i in range(3):
                total += terms.weight[joint] * (positions[joint, i] - terms.target_m[joint, i]) ** 2
    for n in range(unknowns.shape[0]):
        total += terms.precision[n] * (unknowns[n] - terms.centre[n]) ** 2
        if terms.hinge[n] * unknowns[n] < 0.0:
            total += abs(terms.hinge[n]) * unknowns[n] ** 2
    return total


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def normal_equations(
    unknowns: NDArray[np.float64],
    positions: NDArray[np.float64],
    terms: JointTerms,
    jacobian: JointJacobian,
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> None:
    """Write half the Gauss-Newton Hessian and half the gradient of E.

    Args:
        unknowns: (N).
        positions: (24, 3) from `forward` [m].
        terms: The constants of E.
        jacobian: From `joint_jacobian`.
        hessian: (N, N), lower triangle; written.
        gradient: (N); written.
    """
    columns = jacobian.columns
    hessian[:] = 0.0
    gradient[:] = 0.0
    for joint in range(JOINT_COUNT):
        weight = terms.weight[joint]
        if weight <= 0.0:
            continue
        rx = positions[joint, 0] - terms.target_m[joint, 0]
        ry = positions[joint, 1] - terms.target_m[joint, 1]
        rz = positions[joint, 2] - terms.target_m[joint, 2]
        block = jacobian.blocks[joint]
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
        gradient[n] += terms.precision[n] * (unknowns[n] - terms.centre[n])
        hessian[n, n] += terms.precision[n]
        if terms.hinge[n] * unknowns[n] < 0.0:
            gradient[n] += abs(terms.hinge[n]) * unknowns[n]
            hessian[n, n] += abs(terms.hinge[n])
