"""Levenberg-Marquardt: one loop for compiled and for interpreted problems (Levenberg 1944, Marquardt 1963).

A problem consists of four functions that read and write its state. In Python they are any callables. In compiled code
they are compiled functions in a global tuple, and the loop is inlined into its caller, which numba then caches; without
inlining numba refuses to cache the caller. Measured against separate loops written out for the body fit and for the
joint angles: the same results to the last digit, times and the start of a process within the noise of 5 %.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba.extending import register_jitable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Damping", "Problem", "Solution", "Stopping", "minimise"]


class Problem(NamedTuple):
    """The functions of a least-squares problem; each takes the problem's state."""

    cost: Callable[[Any], float]
    """Return the cost at the candidate; before the first step the candidate is the start."""
    linearise: Callable[[Any], None]
    """Write the normal equations at the candidate, which has just been evaluated and accepted."""
    step: Callable[[Any, float], bool]
    """Solve the normal equations with a damping and write the next candidate; False where there is no solution."""
    accept: Callable[[Any], None]
    """Take the candidate as the current unknowns."""


class Damping(NamedTuple):
    """Schedule of the factor on the diagonal of the normal equations."""

    first: float = 1e-3
    increase: float = 8.0
    """Factor after a step that raised the cost (10 in Marquardt 1963)."""
    decrease: float = 0.2
    """Factor after a step that did not (0.1 in Marquardt 1963)."""
    minimum: float = 0.0
    minimum_after_increase: float = 0.0
    """The damping is at least this after a step that raised the cost."""
    maximum: float = 1e8
    """Beyond it the step is negligible and the search ends."""


class Stopping(NamedTuple):
    """When the search ends."""

    max_iterations: int
    """Steps that are tried at most, rejected ones included."""
    relative_gain: float
    """An accepted step that lowers the cost by at most this fraction of the new cost is the last."""
    absolute_gain: float = 0.0
    """Added to the gain above, in the unit of the cost."""
    sufficient_cost: float = -np.inf
    """The search ends once the cost is below this."""


class Solution(NamedTuple):
    """Result of a search; the unknowns are in the problem's state."""

    cost: float
    iterations: int
    """Steps tried, rejected ones included."""
    converged: bool
    """False if it ended at the largest number of iterations."""


@register_jitable(inline="always")  # type: ignore[untyped-decorator]
def minimise(problem: Problem, state: Any, damping: Damping, stopping: Stopping) -> Solution:  # noqa: ANN401  (the problem's own type)
    """Lower the cost from the candidate in `state`; the cost of the accepted unknowns never grows.

    Args:
        problem: The functions.
        state: What they read and write; it holds the unknowns before and after.
        damping: The schedule.
        stopping: When the search ends.

    Returns:
        The lowest cost, the number of steps tried, and whether the search converged.
    """
    cost = problem.cost(state)
    factor, stale, converged, iterations = damping.first, True, False, 0
    while iterations < stopping.max_iterations and not converged:
        iterations += 1
        if stale:
            problem.linearise(state)
        tried = np.inf
        if problem.step(state, factor):
            tried = problem.cost(state)
        stale = tried <= cost
        if stale:
            problem.accept(state)
            gain, cost = cost - tried, tried
            factor = max(factor * damping.decrease, damping.minimum)
            converged = (
                gain <= stopping.relative_gain * cost + stopping.absolute_gain or cost < stopping.sufficient_cost
            )
        else:
            factor = max(factor * damping.increase, damping.minimum_after_increase)
            converged = factor > damping.maximum
    return Solution(float(cost), iterations, bool(converged))
