"""The body fit as a Levenberg-Marquardt problem, compiled: some tens of microseconds an iteration."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

from rehab_pose.body.model import JOINT_COUNT
from rehab_pose.body.objective import (
    SHAPE_START,
    JointJacobian,
    JointTerms,
    cost,
    empty_jacobian,
    forward,
    joint_jacobian,
    normal_equations,
)
from rehab_pose.body.surface_objective import PosedChain, SurfacePoints, surface_cost, surface_equations
from rehab_pose.geometry.kernels import product, rotation_matrix, rotation_vector
from rehab_pose.optimisation.damped_steps import damped_step, factorise_damped
from rehab_pose.optimisation.levenberg_marquardt import Damping, Problem, Stopping, minimise

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PoseSolution", "solve_pose"]

DAMPING = Damping(first=1e-3, increase=8.0, decrease=0.2, maximum=1e8)
"""The factors are near those of Marquardt 1963 (10 and 0.1)."""


class PoseSolution(NamedTuple):
    """The body with the lowest E near a start."""

    unknowns: NDArray[np.float64]
    """(N) as in `objective`."""
    root_rad: NDArray[np.float64]
    """(3) rotation vector of the root, the base rotation included [rad]."""
    sigma_m: NDArray[np.float64]
    """(24) one standard deviation of each joint's distance from its true position, from the Hessian of the last
    linearisation [m]; NaN where that is not positive definite."""
    cost: float
    iterations: int
    converged: bool


class _State(NamedTuple):
    """The unknowns and the arrays that the problem's functions share."""

    terms: JointTerms
    surface: SurfacePoints
    current: NDArray[np.float64]
    """(N)."""
    candidate: NDArray[np.float64]
    """(N)."""
    rest_m: NDArray[np.float64]
    """(24, 3) joints at rest with the candidate's shape [m]."""
    positions: NDArray[np.float64]
    """(24, 3) joints of the candidate [m]."""
    rotations: NDArray[np.float64]
    """(24, 3, 3) of the candidate."""
    jacobian: JointJacobian
    hessian: NDArray[np.float64]
    """(N, N) lower triangle."""
    gradient: NDArray[np.float64]
    """(N)."""
    factor: NDArray[np.float64]
    """(N, N) lower triangle."""
    step: NDArray[np.float64]
    """(N)."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _cost(state: _State) -> float:
    """Return E at the candidate; write its joints."""
    terms, candidate, rest = state.terms, state.candidate, state.rest_m
    rest[:] = terms.rest_m
    for b in range(terms.shapedirs.shape[2]):
        coefficient = candidate[SHAPE_START + b]
        for joint in range(JOINT_COUNT):
            for i in range(3):
                rest[joint, i] += coefficient * terms.shapedirs[joint, i, b]
    forward(candidate, terms.base_rotation, rest, state.positions, state.rotations)
    total: float = cost(candidate, state.positions, terms)
    total += surface_cost(candidate, rest, state.positions, state.rotations, state.surface)
    return total


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _linearise(state: _State) -> None:
    terms, jacobian = state.terms, state.jacobian
    joint_jacobian(state.current, state.positions, state.rotations, terms.shapedirs, jacobian)
    normal_equations(state.current, state.positions, terms, jacobian, state.hessian, state.gradient)
    posed = PosedChain(
        state.rest_m,
        state.positions,
        state.rotations,
        jacobian.axes,
        terms.shapedirs,
        jacobian.shape_derivatives,
    )
    surface_equations(state.current, posed, state.surface, state.hessian, state.gradient)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _step(state: _State, damping: float) -> bool:
    solved: bool = damped_step(state.hessian, state.gradient, damping, state.factor, state.step)
    if solved:
        state.candidate[:] = state.current + state.step
    return solved


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _accept(state: _State) -> None:
    state.current[:] = state.candidate


PROBLEM = Problem(cost=_cost, linearise=_linearise, step=_step, accept=_accept)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _joint_sigma(factor: NDArray[np.float64], jacobian: JointJacobian, sigma_m: NDArray[np.float64]) -> None:
    """Write one standard deviation (24) [m] of joints whose unknowns have the covariance (L L^T)^-1.

    trace(J H^-1 J^T) / 3 = |L^-1 J^T|^2 / 3, for all joints at once. The weights are 1 / sigma^2 of a joint's distance
    from its true position, three times that of one axis; so is this.
    """
    size = factor.shape[0]
    rows = np.zeros((size, 3 * JOINT_COUNT))
    for joint in range(JOINT_COUNT):
        for a in range(size):
            if jacobian.columns[joint, a] < 0:
                break
            for i in range(3):
                rows[jacobian.columns[joint, a], 3 * joint + i] = jacobian.blocks[joint, i, a]
    squares = np.zeros(3 * JOINT_COUNT)
    for i in range(size):
        row = rows[i]
        for k in range(i):
            coefficient, above = factor[i, k], rows[k]
            for n in range(3 * JOINT_COUNT):
                row[n] -= coefficient * above[n]
        coefficient = 1.0 / factor[i, i]
        for n in range(3 * JOINT_COUNT):
            row[n] *= coefficient
            squares[n] += row[n] * row[n]
    for joint in range(JOINT_COUNT):
        sigma_m[joint] = np.sqrt((squares[3 * joint] + squares[3 * joint + 1] + squares[3 * joint + 2]) / 3.0)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def solve_pose(
    start: NDArray[np.float64], terms: JointTerms, surface: SurfacePoints, max_iterations: int, tolerance: float
) -> PoseSolution:
    """Return the unknowns with the lowest E near a start.

    Args:
        start: (N) unknowns.
        terms: The joints' terms and the priors.
        surface: Vertices and the planes they are drawn to; none (`no_surface`) for a fit to joints only.
        max_iterations: Steps tried at most.
        tolerance: A step that lowers E by less than this fraction is the last.
    """
    size = start.shape[0]
    state = _State(
        terms,
        surface,
        start.copy(),
        start.copy(),
        np.empty((JOINT_COUNT, 3)),
        np.empty((JOINT_COUNT, 3)),
        np.empty((JOINT_COUNT, 3, 3)),
        empty_jacobian(size, terms.shapedirs.shape[2]),
        np.empty((size, size)),
        np.empty(size),
        np.empty((size, size)),
        np.empty(size),
    )
    solution = minimise(PROBLEM, state, DAMPING, Stopping(max_iterations, tolerance, 1e-12, -np.inf))
    unknowns = state.current
    local, root, root_rad = np.empty((3, 3)), np.empty((3, 3)), np.empty(3)
    rotation_matrix(unknowns[3], unknowns[4], unknowns[5], local)
    product(local, terms.base_rotation, root)
    rotation_vector(root, root_rad)
    sigma_m = np.full(JOINT_COUNT, np.nan)
    if solution.iterations > 0 and factorise_damped(state.hessian, 0.0, state.factor):
        _joint_sigma(state.factor, state.jacobian, sigma_m)
    return PoseSolution(unknowns, root_rad, sigma_m, solution.cost, solution.iterations, solution.converged)
