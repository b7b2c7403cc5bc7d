"""The measured part of a frame's objective, and its derivative (compiled).

    E = sum_i w_i ||p_i - m_i||^2 + sum_d w_d angle(p_b - p_a, u_d)^2 + sum_r w_r ||log(R_r^T R_obs,r)||^2

Points p on the chain's segments against measured positions, links between points against measured directions, and
segments against measured orientations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.biomechanics.orientation_problem import add_row, orientation_objective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import ChainArrays
    from rehab_pose_lab.methods.biomechanics.observations import Observations

__all__ = ["objective"]

MIN_CURVATURE = 0.05
"""Least second derivative of a direction's squared angle across the plane of the angle; the exact one is negative
beyond 90 degrees."""
MIN_LENGTH_M = 1e-9
"""A shorter link has no direction [m]."""
MIN_SINE = 1e-12
"""Below this sine two directions are parallel or opposite."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _point_jacobian(  # noqa: PLR0917  (compiled code takes plain arrays)
    chain: ChainArrays,
    joint: int,
    point: NDArray[np.float64],
    base: NDArray[np.float64],
    positions: NDArray[np.float64],
    axes: NDArray[np.float64],
    jacobian: NDArray[np.float64],
) -> None:
    """Write d point / d unknowns (3, N) of a point on a joint's segment, at a zero rotation vector of the root.

    dp/dx_k = fraction_k a_k x (p - p_joint(k)), a_k the freedom's axis in the world.
    """
    jacobian[:] = 0.0
    for i in range(3):
        jacobian[i, i] = 1.0
    above = joint
    while above >= 0:
        x, y, z = point[0] - positions[above, 0], point[1] - positions[above, 1], point[2] - positions[above, 2]
        for k in range(chain.freedom_start[above], chain.freedom_start[above + 1]):
            fraction, column = chain.fraction[k], chain.unknown[k]
            jacobian[0, column] += fraction * (axes[k, 1] * z - axes[k, 2] * y)
            jacobian[1, column] += fraction * (axes[k, 2] * x - axes[k, 0] * z)
            jacobian[2, column] += fraction * (axes[k, 0] * y - axes[k, 1] * x)
        if chain.parents[above] < 0:
            for i in range(3):
                jacobian[0, 3 + i] = base[1, i] * z - base[2, i] * y
                jacobian[1, 3 + i] = base[2, i] * x - base[0, i] * z
                jacobian[2, 3 + i] = base[0, i] * y - base[1, i] * x
        above = chain.parents[above]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _points(
    observed: Observations,
    positions: NDArray[np.float64],
    rotations: NDArray[np.float64],
    points: NDArray[np.float64],
) -> None:
    """Write the observed points of the chain (P, 3) [m]."""
    for p in range(points.shape[0]):
        joint = observed.point_joint[p]
        for i in range(3):
            points[p, i] = positions[joint, i]
            for j in range(3):
                points[p, i] += rotations[joint, i, j] * observed.point_offset_m[p, j]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_link(  # noqa: PLR0917  (compiled code takes plain arrays)
    difference: NDArray[np.float64],
    target: NDArray[np.float64],
    weight: float,
    jacobian: NDArray[np.float64],
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
    derivative: bool,  # noqa: FBT001  (numba takes no keyword-only arguments)
) -> float:
    """Return the cost of one link; with `derivative` add its normal equations.

    Args:
        difference: (3) from its first to its last point [m].
        target: (3) measured direction.
        weight: 1 / variance [1/rad^2].
        jacobian: (3, N) derivative of the difference by the unknowns.
        hessian: (N, N) half the Hessian, lower triangle; added to.
        gradient: (N) half the gradient; added to.
        derivative: Whether the last two are written.
    """
    length = np.sqrt(difference[0] ** 2 + difference[1] ** 2 + difference[2] ** 2)
    if length < MIN_LENGTH_M:
        return 0.0
    along = difference / length
    across = np.array(
        [
            along[1] * target[2] - along[2] * target[1],
            along[2] * target[0] - along[0] * target[2],
            along[0] * target[1] - along[1] * target[0],
        ]
    )
    sine = np.sqrt(across[0] ** 2 + across[1] ** 2 + across[2] ** 2)
    cosine = along[0] * target[0] + along[1] * target[1] + along[2] * target[2]
    angle = np.arctan2(sine, cosine)
    if derivative:
        if sine > MIN_SINE:
            across /= sine
        else:  # parallel or opposite: any perpendicular direction is a valid derivative
            place = np.argmin(np.abs(along))
            across[:] = -along[place] * along
            across[place] += 1.0
            across /= np.sqrt(across[0] ** 2 + across[1] ** 2 + across[2] ** 2)
        towards = np.array(
            [
                across[1] * along[2] - across[2] * along[1],
                across[2] * along[0] - across[0] * along[2],
                across[0] * along[1] - across[1] * along[0],
            ]
        )
        curvature = 1.0 if angle < 1e-6 else max(angle * cosine / max(sine, MIN_SINE), MIN_CURVATURE)
        row = (towards[0] * jacobian[0] + towards[1] * jacobian[1] + towards[2] * jacobian[2]) / length
        add_row(row, -angle, weight, hessian, gradient)
        row = (across[0] * jacobian[0] + across[1] * jacobian[1] + across[2] * jacobian[2]) / length
        add_row(row, 0.0, weight * curvature, hessian, gradient)
    return float(weight * angle * angle)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def objective(  # noqa: PLR0913, PLR0917  (compiled code takes plain arrays)
    chain: ChainArrays,
    observed: Observations,
    base: NDArray[np.float64],
    positions: NDArray[np.float64],
    rotations: NDArray[np.float64],
    axes: NDArray[np.float64],
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
    derivative: bool,  # noqa: FBT001  (numba takes no keyword-only arguments)
) -> float:
    """Return the measured part of E; with `derivative` write half its Hessian and half its gradient.

    Args:
        chain: The chain.
        observed: What was measured.
        base: (3, 3) the root's rotation; the unknowns' rotation vector of the root is zero.
        positions: (J, 3) from `kinematics.forward` [m].
        rotations: (J, 3, 3) from `kinematics.forward`.
        axes: (K, 3) from `kinematics.forward`.
        hessian: (N, N) lower triangle.
        gradient: (N).
        derivative: Whether the last two are written.
    """
    size, count = gradient.shape[0], observed.point_joint.shape[0]
    points = np.empty((count, 3))
    _points(observed, positions, rotations, points)
    jacobians = np.empty((count if derivative else 0, 3, size))
    if derivative:
        hessian[:] = 0.0
        gradient[:] = 0.0
        for p in range(count):
            _point_jacobian(chain, observed.point_joint[p], points[p], base, positions, axes, jacobians[p])
    total = 0.0
    for p in range(count):
        weight = observed.point_weight[p]
        if weight > 0.0:
            for i in range(3):
                residual = points[p, i] - observed.point_target_m[p, i]
                total += weight * residual * residual
                if derivative:
                    add_row(jacobians[p, i], residual, weight, hessian, gradient)
    nothing = np.empty((3, 0))
    for d in range(observed.link_points.shape[0]):
        weight = observed.link_weight[d]
        if weight > 0.0:
            a, b = observed.link_points[d, 0], observed.link_points[d, 1]
            jacobian = jacobians[b] - jacobians[a] if derivative else nothing
            total += _add_link(
                points[b] - points[a],
                observed.link_target[d],
                weight,
                jacobian,
                hessian,
                gradient,
                derivative,
            )
    if observed.orientations.joint.shape[0] > 0:
        total += orientation_objective(
            chain, observed.orientations, base, rotations, axes, hessian, gradient, derivative
        )
    return total
