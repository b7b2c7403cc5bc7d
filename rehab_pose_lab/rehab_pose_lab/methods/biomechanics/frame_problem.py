"""One frame's pose of a chain from points, directions and orientations (compiled)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.biomechanics.chain_problem import (
    ABSOLUTE_GAIN,
    DAMPING,
    ChainSolution,
    Limits,
    chain_problem,
    new_state,
)
from rehab_pose.biomechanics.pose import Pose
from rehab_pose.optimisation.levenberg_marquardt import Stopping, minimise
from rehab_pose_lab.methods.biomechanics.objective import objective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain, ChainArrays
    from rehab_pose.biomechanics.chain_problem import Prior
    from rehab_pose_lab.methods.biomechanics.observations import Observations

__all__ = ["FrameFit", "fit_frame"]

PROBLEM, _read = chain_problem(objective)


@dataclass(frozen=True, eq=False)
class FrameFit:
    """A minimum of a frame's objective."""

    pose: Pose
    total: float
    """E with its prior."""
    cost: float
    """Its measured part."""
    measured: NDArray[np.float64]
    """(N, N) half the Hessian of the measured part."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _solve(  # noqa: PLR0913, PLR0917  (compiled code takes plain arrays)
    chain: ChainArrays,
    observed: Observations,
    prior: Prior,
    limits: Limits,
    start: NDArray[np.float64],
    start_base: NDArray[np.float64],
    max_iterations: int,
    tolerance: float,
) -> ChainSolution:
    """Return the pose inside the limits with the lowest E near a start, as `orientation_problem.solve_orientations`."""
    state = new_state(chain, observed, prior, limits, start, start_base)
    stopping = Stopping(max_iterations, tolerance, ABSOLUTE_GAIN, -np.inf)
    solution: ChainSolution = _read(state, minimise(PROBLEM, state, DAMPING, stopping))
    return solution


def fit_frame(
    chain: Chain,
    arrays: ChainArrays,
    observed: Observations,
    prior: Prior,
    start: Pose,
    *,
    max_iterations: int,
    tolerance: float,
) -> FrameFit:
    """Return the minimum near a start.

    Args:
        chain: Limits of the angles.
        arrays: The chain with the person's segment lengths.
        observed: The frame.
        prior: Of the unknowns.
        start: The pose to start from.
        max_iterations: Steps tried at most.
        tolerance: A step that lowers E by less than this fraction is the last.
    """
    limits = Limits(chain.lower, chain.upper)
    solution = _solve(arrays, observed, prior, limits, start.unknowns, start.base, max_iterations, tolerance)
    pose = Pose(solution.unknowns, solution.base)
    return FrameFit(pose, solution.cost, solution.measured_cost, solution.measured)
