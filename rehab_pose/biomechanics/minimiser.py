"""Levenberg-Marquardt inside limits, compiled: unknowns at a limit that would leave it are held there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.biomechanics.kinematics import forward
from rehab_pose.biomechanics.objective import objective, prior_difference
from rehab_pose.geometry.kernels import product, rotation_matrix
from rehab_pose.optimisation.cholesky import factorise, solve_factorised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import ChainArrays
    from rehab_pose.biomechanics.objective import Observations, Prior

__all__ = ["bounded_step", "minimise", "rebase"]

FIRST_DAMPING, MAX_DAMPING, MIN_DAMPING = 1e-4, 1e8, 1e-12
DAMPING_UP, DAMPING_DOWN = 8.0, 0.15
BOUND_PASSES = 4
"""How often a step is solved anew because it would have crossed limits."""
MAX_ROOT_TURN = 1.0
"""A longer turn of the root in one step is shortened [rad]."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def bounded_step(  # noqa: C901, PLR0912  (fix what is at a limit, solve for the rest, look again)
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
    damping: float,
    room_down: NDArray[np.float64],
    room_up: NDArray[np.float64],
    step: NDArray[np.float64],
) -> bool:
    """Write the step that solves (H + damping diag H) s = -g with room_down <= s <= room_up for all N unknowns."""
    size = gradient.shape[0]
    fixed = np.zeros(size, dtype=np.bool_)
    step[:] = 0.0
    for i in range(size):
        fixed[i] = (room_down[i] >= -1e-12 and gradient[i] > 0.0) or (room_up[i] <= 1e-12 and gradient[i] < 0.0)
    matrix, vector = np.empty((size, size)), np.empty(size)
    for _ in range(BOUND_PASSES):
        for i in range(size):
            vector[i] = -gradient[i]
            for j in range(i + 1):
                matrix[i, j] = 0.0 if fixed[i] or fixed[j] else hessian[i, j]
            matrix[i, i] = 1.0 if fixed[i] else hessian[i, i] * (1.0 + damping) + 1e-12
        for j in range(size):
            if fixed[j]:
                vector[j] = step[j]
                if step[j] != 0.0:
                    for i in range(size):
                        if not fixed[i]:
                            vector[i] -= (hessian[i, j] if j <= i else hessian[j, i]) * step[j]
        if not factorise(matrix):
            return False
        solve_factorised(matrix, vector)
        crossed = False
        for i in range(size):
            if fixed[i]:
                continue
            step[i] = vector[i]
            if vector[i] < room_down[i] or vector[i] > room_up[i]:
                step[i] = min(max(vector[i], room_down[i]), room_up[i])
                fixed[i] = crossed = True
        if not crossed:
            break
    return True


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def rebase(unknowns: NDArray[np.float64], base: NDArray[np.float64]) -> None:
    """Move the turn of the root into its base rotation, both in place."""
    local, turned = np.empty((3, 3)), np.empty((3, 3))
    rotation_matrix(unknowns[3], unknowns[4], unknowns[5], local)
    product(base, local, turned)
    base[:] = turned
    unknowns[3:6] = 0.0


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _prior_cost(difference: NDArray[np.float64], prior: Prior) -> float:
    total = 0.0
    for i in range(difference.shape[0]):
        row = 0.0
        for j in range(difference.shape[0]):
            row += prior.information[i, j] * difference[j]
        total += difference[i] * row
    return total


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def minimise(  # noqa: C901, PLR0913, PLR0917  (the objective's parts, the limits and when to stop)
    chain: ChainArrays,
    observed: Observations,
    prior: Prior,
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    unknowns: NDArray[np.float64],
    base: NDArray[np.float64],
    measured: NDArray[np.float64],
    max_iterations: int,
    tolerance: float,
) -> tuple[float, float, int]:
    """Improve `unknowns` (N) and `base` (3, 3) in place; they never leave the limits.

    Returns:
        E, its measured part, and the steps tried. `measured` (N, N) is half the Hessian of the measured part at the
        last point where it was computed, both triangles.
    """
    size, joints = unknowns.shape[0], chain.parents.shape[0]
    positions, rotations, axes = np.empty((joints, 3)), np.empty((joints, 3, 3)), np.empty((chain.axes.shape[0], 3))
    gradient, step, difference, hessian = np.empty(size), np.empty(size), np.empty(size), np.empty((size, size))
    unknowns[:] = np.minimum(np.maximum(unknowns, lower), upper)
    rebase(unknowns, base)
    candidate, turned = unknowns.copy(), base.copy()
    forward(chain, unknowns, base, positions, rotations, axes)
    best_measured = objective(chain, observed, unknowns, base, positions, rotations, axes, measured, gradient, True)
    prior_difference(unknowns, base, prior, difference)
    best = best_measured + _prior_cost(difference, prior)
    damping, fresh, tried = FIRST_DAMPING, True, 0
    while tried < max_iterations:
        tried += 1
        if fresh:
            for i in range(size):
                for j in range(size):
                    gradient[i] += prior.information[i, j] * difference[j]
                    hessian[i, j] = measured[i, j] + prior.information[i, j]
            fresh = False
        found = bounded_step(hessian, gradient, damping, lower - unknowns, upper - unknowns, step)
        cost = best + 1.0
        if found:
            turn = np.sqrt(step[3] ** 2 + step[4] ** 2 + step[5] ** 2)
            if turn > MAX_ROOT_TURN:
                step *= MAX_ROOT_TURN / turn
            candidate[:] = np.minimum(np.maximum(unknowns + step, lower), upper)
            turned[:] = base
            rebase(candidate, turned)
            forward(chain, candidate, turned, positions, rotations, axes)
            cost_measured = objective(
                chain, observed, candidate, turned, positions, rotations, axes, hessian, step, False
            )
            prior_difference(candidate, turned, prior, difference)
            cost = cost_measured + _prior_cost(difference, prior)
        if cost <= best:
            gain, best, best_measured = best - cost, cost, cost_measured
            unknowns[:] = candidate
            base[:] = turned
            objective(chain, observed, unknowns, base, positions, rotations, axes, measured, gradient, True)
            damping, fresh = max(damping * DAMPING_DOWN, MIN_DAMPING), True
            if gain <= tolerance * best + 1e-14:
                break
        else:
            damping = max(damping * DAMPING_UP, 1e-6)
            if damping > MAX_DAMPING:
                break
    for i in range(size):
        for j in range(i):
            measured[j, i] = measured[i, j]
    return best, best_measured, tried
