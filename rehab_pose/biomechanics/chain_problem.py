"""A chain's pose as a bounded Levenberg-Marquardt problem: a measured objective and a Gaussian prior (compiled).

    E = E_measured(x) + (x - c)^T P (x - c)

The root's rotation is updated on its manifold: each candidate's rotation vector is moved into the base rotation, and
the prior's difference of the root is the logarithm between the two base rotations. Unknowns never leave their limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numba
import numpy as np

from rehab_pose.biomechanics.kinematics import forward, logarithm
from rehab_pose.geometry.kernels import product, rotation_matrix
from rehab_pose.optimisation.damped_steps import bounded_step
from rehab_pose.optimisation.levenberg_marquardt import Damping, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import ChainArrays
    from rehab_pose.optimisation.levenberg_marquardt import Solution

__all__ = ["ABSOLUTE_GAIN", "DAMPING", "ChainSolution", "ChainState", "Limits", "Prior", "chain_problem", "new_state"]

DAMPING = Damping(first=1e-4, increase=8.0, decrease=0.15, minimum=1e-12, minimum_after_increase=1e-6, maximum=1e8)
"""The factors are near those of Marquardt 1963 (10 and 0.1)."""
ABSOLUTE_GAIN = 1e-14
"""A step that lowers E by no more than this is the last, whatever E is; E has no unit."""
MAX_ROOT_STEP_RAD = 1.0
"""A step that rotates the root farther is shortened [rad]."""


class Prior(NamedTuple):
    """A Gaussian over the unknowns."""

    mean: NDArray[np.float64]
    """(N); its rotation vector of the root is not read."""
    base: NDArray[np.float64]
    """(3, 3) the mean's root rotation."""
    information: NDArray[np.float64]
    """(N, N) inverse covariance."""


class Limits(NamedTuple):
    """Bounds of the unknowns."""

    lower: NDArray[np.float64]
    """(N)."""
    upper: NDArray[np.float64]
    """(N)."""


class ChainSolution(NamedTuple):
    """The pose with the lowest E near a start."""

    unknowns: NDArray[np.float64]
    """(N) the root's rotation vector zero."""
    base: NDArray[np.float64]
    """(3, 3) the root's rotation."""
    cost: float
    """E."""
    measured_cost: float
    """Its measured part."""
    measured: NDArray[np.float64]
    """(N, N) half the Hessian of the measured part, both triangles."""
    iterations: int


class ChainState(NamedTuple):
    """The unknowns and the arrays that the problem's functions share."""

    chain: ChainArrays
    observed: Any
    """The measurements that the objective compares the chain with."""
    prior: Prior
    limits: Limits
    current: NDArray[np.float64]
    """(N)."""
    base: NDArray[np.float64]
    """(3, 3) of the current pose."""
    candidate: NDArray[np.float64]
    """(N)."""
    candidate_base: NDArray[np.float64]
    """(3, 3)."""
    difference: NDArray[np.float64]
    """(N) the candidate's step from the prior's mean."""
    positions: NDArray[np.float64]
    """(J, 3) of the candidate's joints [m]."""
    rotations: NDArray[np.float64]
    """(J, 3, 3) of the candidate's joints."""
    axes: NDArray[np.float64]
    """(K, 3) of the candidate's freedoms in the world."""
    measured: NDArray[np.float64]
    """(N, N) half the Hessian of the measured part, lower triangle."""
    hessian: NDArray[np.float64]
    """(N, N) half the Hessian of E, lower triangle."""
    gradient: NDArray[np.float64]
    """(N) half the gradient of E."""
    step: NDArray[np.float64]
    """(N)."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _rebase(unknowns: NDArray[np.float64], base: NDArray[np.float64]) -> None:
    """Move the root's rotation vector into its base rotation, both in place."""
    local, rotated = np.empty((3, 3)), np.empty((3, 3))
    rotation_matrix(unknowns[3], unknowns[4], unknowns[5], local)
    product(base, local, rotated)
    base[:] = rotated
    unknowns[3:6] = 0.0


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def new_state(
    chain: ChainArrays,
    observed: Any,  # noqa: ANN401  (the measured objective's own type)
    prior: Prior,
    limits: Limits,
    start: NDArray[np.float64],
    start_base: NDArray[np.float64],
) -> ChainState:
    """Return the state at a start (N) with the root's rotation `start_base` (3, 3), moved inside the limits."""
    size, joints = start.shape[0], chain.parents.shape[0]
    current, base = np.minimum(np.maximum(start, limits.lower), limits.upper), start_base.copy()
    _rebase(current, base)
    return ChainState(
        chain,
        observed,
        prior,
        limits,
        current,
        base,
        current.copy(),
        base.copy(),
        np.empty(size),
        np.empty((joints, 3)),
        np.empty((joints, 3, 3)),
        np.empty((chain.axes.shape[0], 3)),
        np.empty((size, size)),
        np.empty((size, size)),
        np.empty(size),
        np.empty(size),
    )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _prior_cost(
    unknowns: NDArray[np.float64], base: NDArray[np.float64], prior: Prior, difference: NDArray[np.float64]
) -> float:
    """Return the prior's part of E and write x - c (N); the unknowns' rotation vector of the root must be zero."""
    difference[:] = unknowns - prior.mean
    logarithm(prior.base, base, difference[3:6])
    total = 0.0
    for i in range(difference.shape[0]):
        row = 0.0
        for j in range(difference.shape[0]):
            row += prior.information[i, j] * difference[j]
        total += difference[i] * row
    return total


def chain_problem(objective: Callable[..., float]) -> tuple[Problem, Callable[[ChainState, Solution], ChainSolution]]:
    """Return the problem of a measured objective, and the function that reads the solution from its state.

    Both are compiled into their caller, which caches them.

    Args:
        objective: Compiled; takes chain, observed, base (3, 3), positions (J, 3), rotations (J, 3, 3), axes (K, 3),
            hessian (N, N), gradient (N) and whether to write the last two, and returns the measured part of E.
    """

    @numba.njit(nogil=True)  # type: ignore[untyped-decorator]
    def cost(state: ChainState) -> float:
        forward(state.chain, state.candidate, state.candidate_base, state.positions, state.rotations, state.axes)
        measured = objective(
            state.chain,
            state.observed,
            state.candidate_base,
            state.positions,
            state.rotations,
            state.axes,
            state.measured,
            state.gradient,
            False,
        )
        total: float = measured + _prior_cost(state.candidate, state.candidate_base, state.prior, state.difference)
        return total

    @numba.njit(nogil=True)  # type: ignore[untyped-decorator]
    def measure(state: ChainState) -> float:
        total: float = objective(
            state.chain,
            state.observed,
            state.base,
            state.positions,
            state.rotations,
            state.axes,
            state.measured,
            state.gradient,
            True,
        )
        return total

    @numba.njit(nogil=True)  # type: ignore[untyped-decorator]
    def linearise(state: ChainState) -> None:
        measure(state)
        information = state.prior.information
        for i in range(state.current.shape[0]):
            for j in range(state.current.shape[0]):
                state.gradient[i] += information[i, j] * state.difference[j]
                state.hessian[i, j] = state.measured[i, j] + information[i, j]

    @numba.njit(nogil=True)  # type: ignore[untyped-decorator]
    def read(state: ChainState, solution: Solution) -> ChainSolution:
        forward(state.chain, state.current, state.base, state.positions, state.rotations, state.axes)
        measured_cost, measured = measure(state), state.measured
        for i in range(measured.shape[0]):
            for j in range(i):
                measured[j, i] = measured[i, j]
        return ChainSolution(state.current, state.base, solution.cost, measured_cost, measured, solution.iterations)

    return Problem(cost=cost, linearise=linearise, step=_step, accept=_accept), read


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _step(state: ChainState, damping: float) -> bool:
    limits, current, step = state.limits, state.current, state.step
    room_down, room_up = limits.lower - current, limits.upper - current
    solved: bool = bounded_step(state.hessian, state.gradient, damping, room_down, room_up, step)
    if solved:
        angle = np.sqrt(step[3] ** 2 + step[4] ** 2 + step[5] ** 2)
        if angle > MAX_ROOT_STEP_RAD:
            step *= MAX_ROOT_STEP_RAD / angle
        state.candidate[:] = np.minimum(np.maximum(current + step, limits.lower), limits.upper)
        state.candidate_base[:] = state.base
        _rebase(state.candidate, state.candidate_base)
    return solved


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _accept(state: ChainState) -> None:
    state.current[:] = state.candidate
    state.base[:] = state.candidate_base
