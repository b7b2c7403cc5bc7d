"""What the solver minimises at one frame, and its derivative (compiled).

    E = sum_i w_i ||p_i - m_i||^2 + sum_d w_d angle(p_b - p_a, u_d)^2 + sum_r w_r ||log(R_r^T R_obs,r)||^2
        + (x - c)^T P (x - c)

Points p on the chain's segments against measured positions, links between points against measured directions,
segments against measured orientations, and a Gaussian from the frames before. The root's rotation enters the last
term by its logarithm against the prior's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numba
import numpy as np

from rehab_pose.biomechanics.kinematics import logarithm, point_jacobian

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import ChainArrays
    from rehab_pose.biomechanics.motion_prior import Forecast

__all__ = [
    "Observations",
    "Prior",
    "objective",
    "points_observed",
    "prior_difference",
    "row_count",
    "weighted",
]

LINK_LENGTH_M = 0.3
"""Noise of a direction [rad] is a keypoint's noise over this."""
MIN_CURVATURE = 0.05
"""Of a direction's angle across the way to its target, which is negative beyond 90 degrees."""


class Observations(NamedTuple):
    """What was measured at one frame; weight 0 = missing."""

    point_joint: NDArray[np.int64]
    """(P) the joint whose segment carries the point."""
    point_offset_m: NDArray[np.float64]
    """(P, 3) in the segment's axes."""
    point_target_m: NDArray[np.float64]
    """(P, 3)."""
    point_weight: NDArray[np.float64]
    """(P) 1 / variance [1/m^2]."""
    link_points: NDArray[np.int64]
    """(D, 2) from and to which point."""
    link_target: NDArray[np.float64]
    """(D, 3) unit."""
    link_weight: NDArray[np.float64]
    """(D) 1 / variance [1/rad^2]."""
    turn_joint: NDArray[np.int64]
    """(R)."""
    turn_target: NDArray[np.float64]
    """(R, 3, 3)."""
    turn_weight: NDArray[np.float64]
    """(R) 1 / variance [1/rad^2]."""


class Prior(NamedTuple):
    """A Gaussian over the unknowns."""

    mean: NDArray[np.float64]
    """(N); its turn of the root is not read."""
    base: NDArray[np.float64]
    """(3, 3) the mean's root rotation."""
    information: NDArray[np.float64]
    """(N, N)."""

    @classmethod
    def of(cls, coming: Forecast) -> Prior:
        """Return a forecast as the prior of the next frame."""
        return cls(coming.posture.unknowns, coming.posture.base, coming.information)


def row_count(observed: Observations) -> float:
    """Return how many numbers were measured; a direction has two."""
    points, links = np.count_nonzero(observed.point_weight), np.count_nonzero(observed.link_weight)
    return 3.0 * points + 2.0 * links + 3.0 * np.count_nonzero(observed.turn_weight)


def weighted(observed: Observations, sigma_m: float) -> Observations:
    """Return the observations with the keypoints' noise in their weights, which were relative to it."""
    weight = 1.0 / sigma_m**2
    return observed._replace(
        point_weight=observed.point_weight * weight,
        link_weight=observed.link_weight * weight * LINK_LENGTH_M**2,
        turn_weight=observed.turn_weight * weight * LINK_LENGTH_M**2,
    )


def points_observed(
    joints: NDArray[np.int64], offsets_m: NDArray[np.float64], targets_m: NDArray[np.float64], weights: NDArray[Any]
) -> Observations:
    """Return what was measured where only points are: joints (P), offsets (P, 3), targets (P, 3; NaN = missing)."""
    seen = np.asarray(np.isfinite(targets_m).all(axis=1))
    return Observations(
        point_joint=joints,
        point_offset_m=offsets_m,
        point_target_m=np.where(seen[:, None], targets_m, 0.0),
        point_weight=np.where(seen, weights, 0.0),
        link_points=np.zeros((0, 2), dtype=np.int64),
        link_target=np.zeros((0, 3)),
        link_weight=np.zeros(0),
        turn_joint=np.zeros(0, dtype=np.int64),
        turn_target=np.zeros((0, 3, 3)),
        turn_weight=np.zeros(0),
    )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add(
    jacobian: NDArray[np.float64],
    residual: float,
    weight: float,
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> None:
    """Add a row's share to the normal equations (lower triangle)."""
    for i in range(jacobian.shape[0]):
        value = weight * jacobian[i]
        if value != 0.0:
            gradient[i] += value * residual
            for j in range(i + 1):
                hessian[i, j] += value * jacobian[j]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def prior_difference(
    unknowns: NDArray[np.float64], base: NDArray[np.float64], prior: Prior, out: NDArray[np.float64]
) -> None:
    """Write x - c (N); the unknowns' turn of the root must be zero, that is be inside `base`."""
    out[:] = unknowns - prior.mean
    logarithm(prior.base, base, out[3:6])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _points(
    observed: Observations,
    positions: NDArray[np.float64],
    rotations: NDArray[np.float64],
    points: NDArray[np.float64],
) -> None:
    for p in range(points.shape[0]):
        joint = observed.point_joint[p]
        for i in range(3):
            points[p, i] = positions[joint, i]
            for j in range(3):
                points[p, i] += rotations[joint, i, j] * observed.point_offset_m[p, j]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_link(  # noqa: PLR0917  (a link, its derivative and the equations)
    difference: NDArray[np.float64],
    target: NDArray[np.float64],
    weight: float,
    jacobian: NDArray[np.float64],
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
    derivative: bool,  # noqa: FBT001  (numba takes no keyword-only arguments)
) -> float:
    """Return a link's cost; with `derivative` add its normal equations from d difference / d unknowns (3, N)."""
    length = np.sqrt(difference[0] ** 2 + difference[1] ** 2 + difference[2] ** 2)
    if length < 1e-9:
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
        if sine > 1e-12:
            across /= sine
        else:  # straight on or straight back: any direction across will do
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
        curvature = 1.0 if angle < 1e-6 else max(angle * cosine / max(sine, 1e-12), MIN_CURVATURE)
        row = (towards[0] * jacobian[0] + towards[1] * jacobian[1] + towards[2] * jacobian[2]) / length
        _add(row, -angle, weight, hessian, gradient)
        row = (across[0] * jacobian[0] + across[1] * jacobian[1] + across[2] * jacobian[2]) / length
        _add(row, 0.0, weight * curvature, hessian, gradient)
    return float(weight * angle * angle)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_turns(  # noqa: PLR0913, PLR0917  (orientations, the chain and the equations)
    chain: ChainArrays,
    observed: Observations,
    base: NDArray[np.float64],
    rotations: NDArray[np.float64],
    axes: NDArray[np.float64],
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
    derivative: bool,  # noqa: FBT001  (numba takes no keyword-only arguments)
) -> float:
    total, error, row = 0.0, np.empty(3), np.zeros(gradient.shape[0])
    for r in range(observed.turn_joint.shape[0]):
        weight = observed.turn_weight[r]
        if weight <= 0.0:
            continue
        joint = observed.turn_joint[r]
        logarithm(rotations[joint], observed.turn_target[r], error)
        total += weight * (error[0] ** 2 + error[1] ** 2 + error[2] ** 2)
        if not derivative:
            continue
        for i in range(3):
            row[:] = 0.0
            x, y, z = rotations[joint, 0, i], rotations[joint, 1, i], rotations[joint, 2, i]
            above = joint
            while above >= 0:
                for k in range(chain.freedom_start[above], chain.freedom_start[above + 1]):
                    turn = x * axes[k, 0] + y * axes[k, 1] + z * axes[k, 2]
                    row[chain.unknown[k]] -= chain.share[k] * turn
                if chain.parents[above] < 0:
                    for j in range(3):
                        row[3 + j] -= x * base[0, j] + y * base[1, j] + z * base[2, j]
                above = chain.parents[above]
            _add(row, error[i], weight, hessian, gradient)
    return total


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def objective(  # noqa: PLR0913, PLR0917  (the terms of E, one after the other)
    chain: ChainArrays,
    observed: Observations,
    unknowns: NDArray[np.float64],
    base: NDArray[np.float64],
    positions: NDArray[np.float64],
    rotations: NDArray[np.float64],
    axes: NDArray[np.float64],
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
    derivative: bool,  # noqa: FBT001  (numba takes no keyword-only arguments)
) -> float:
    """Return the measured part of E; with `derivative` write half its Hessian (lower triangle) and half its gradient.

    Args:
        chain: The chain.
        observed: What was measured.
        unknowns: (N) with a zero turn of the root where a derivative is asked for.
        base: (3, 3) the root's rotation.
        positions: (J, 3) from `forward`.
        rotations: (J, 3, 3) from `forward`.
        axes: (K, 3) from `forward`.
        hessian: (N, N).
        gradient: (N).
        derivative: Whether the last two are written.
    """
    size, count = unknowns.shape[0], observed.point_joint.shape[0]
    points = np.empty((count, 3))
    _points(observed, positions, rotations, points)
    jacobians = np.empty((count if derivative else 0, 3, size))
    if derivative:
        hessian[:] = 0.0
        gradient[:] = 0.0
        for p in range(count):
            point_jacobian(chain, observed.point_joint[p], points[p], base, positions, axes, jacobians[p])
    total = 0.0
    for p in range(count):
        weight = observed.point_weight[p]
        if weight > 0.0:
            for i in range(3):
                residual = points[p, i] - observed.point_target_m[p, i]
                total += weight * residual * residual
                if derivative:
                    _add(jacobians[p, i], residual, weight, hessian, gradient)
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
    if observed.turn_joint.shape[0] > 0:
        total += _add_turns(chain, observed, base, rotations, axes, hessian, gradient, derivative)
    return total
