"""The chain's pose from the orientations of its segments, compiled.

E_measured = sum_r w_r ||log(R_r^T R_obs,r)||^2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

from rehab_pose.biomechanics.chain_problem import ABSOLUTE_GAIN, DAMPING, ChainSolution, chain_problem, new_state
from rehab_pose.biomechanics.kinematics import logarithm
from rehab_pose.optimisation.levenberg_marquardt import Stopping, minimise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import ChainArrays
    from rehab_pose.biomechanics.chain_problem import Limits, Prior

__all__ = ["OrientationTargets", "add_row", "orientation_objective", "solve_orientations"]


class OrientationTargets(NamedTuple):
    """Measured orientations of R segments; weight 0 = missing."""

    joint: NDArray[np.int64]
    """(R) the joint of each segment."""
    rotation: NDArray[np.float64]
    """(R, 3, 3) world_from_segment."""
    weight: NDArray[np.float64]
    """(R) 1 / variance [1/rad^2]."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_row(
    jacobian: NDArray[np.float64],
    residual: float,
    weight: float,
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> None:
    """Add one residual to the normal equations.

    Args:
        jacobian: (N) its derivative.
        residual: Its value.
        weight: 1 / variance.
        hessian: (N, N) half the Hessian, lower triangle.
        gradient: (N) half the gradient.
    """
    for i in range(jacobian.shape[0]):
        value = weight * jacobian[i]
        if value != 0.0:
            gradient[i] += value * residual
            for j in range(i + 1):
                hessian[i, j] += value * jacobian[j]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def orientation_objective(  # noqa: PLR0913, PLR0917  (compiled code takes plain arrays)
    chain: ChainArrays,
    targets: OrientationTargets,
    base: NDArray[np.float64],
    rotations: NDArray[np.float64],
    axes: NDArray[np.float64],
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
    derivative: bool,  # noqa: FBT001  (numba takes no keyword-only arguments)
) -> float:
    """Return E_measured; with `derivative` add half its Hessian and half its gradient.

    Args:
        chain: The chain.
        targets: What was measured.
        base: (3, 3) the root's rotation.
        rotations: (J, 3, 3) from `kinematics.forward`.
        axes: (K, 3) from `kinematics.forward`.
        hessian: (N, N) lower triangle; added to.
        gradient: (N); added to.
        derivative: Whether the last two are written.
    """
    total, error, row = 0.0, np.empty(3), np.zeros(gradient.shape[0])
    for r in range(targets.joint.shape[0]):
        weight = targets.weight[r]
        if weight <= 0.0:
            continue
        joint = targets.joint[r]
        logarithm(rotations[joint], targets.rotation[r], error)
        total += weight * (error[0] ** 2 + error[1] ** 2 + error[2] ** 2)
        if not derivative:
            continue
        for i in range(3):
            row[:] = 0.0
            x, y, z = rotations[joint, 0, i], rotations[joint, 1, i], rotations[joint, 2, i]
            above = joint
            while above >= 0:
                for k in range(chain.freedom_start[above], chain.freedom_start[above + 1]):
                    along = x * axes[k, 0] + y * axes[k, 1] + z * axes[k, 2]
                    row[chain.unknown[k]] -= chain.fraction[k] * along
                if chain.parents[above] < 0:
                    for j in range(3):
                        row[3 + j] -= x * base[0, j] + y * base[1, j] + z * base[2, j]
                above = chain.parents[above]
            add_row(row, error[i], weight, hessian, gradient)
    return total


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _objective(  # noqa: PLR0913, PLR0917  (the signature that `chain_problem` calls)
    chain: ChainArrays,
    targets: OrientationTargets,
    base: NDArray[np.float64],
    _: NDArray[np.float64],
    rotations: NDArray[np.float64],
    axes: NDArray[np.float64],
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
    derivative: bool,  # noqa: FBT001  (numba takes no keyword-only arguments)
) -> float:
    if derivative:
        hessian[:] = 0.0
        gradient[:] = 0.0
    total: float = orientation_objective(chain, targets, base, rotations, axes, hessian, gradient, derivative)
    return total


PROBLEM, _read = chain_problem(_objective)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def solve_orientations(  # noqa: PLR0913, PLR0917  (compiled code takes plain arrays)
    chain: ChainArrays,
    targets: OrientationTargets,
    prior: Prior,
    limits: Limits,
    start: NDArray[np.float64],
    start_base: NDArray[np.float64],
    max_iterations: int,
    tolerance: float,
) -> ChainSolution:
    """Return the pose inside the limits with the lowest E near a start.

    Args:
        chain: The chain.
        targets: Orientations of its segments.
        prior: Of the unknowns.
        limits: Of the unknowns.
        start: (N) unknowns.
        start_base: (3, 3) the root's rotation that their rotation vector is applied to, on the right.
        max_iterations: Steps tried at most.
        tolerance: A step that lowers E by less than this fraction is the last.
    """
    state = new_state(chain, targets, prior, limits, start, start_base)
    stopping = Stopping(max_iterations, tolerance, ABSOLUTE_GAIN, -np.inf)
    solution: ChainSolution = _read(state, minimise(PROBLEM, state, DAMPING, stopping))
    return solution
