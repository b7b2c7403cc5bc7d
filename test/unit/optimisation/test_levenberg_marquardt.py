"""Laws of the Levenberg-Marquardt loop and its steps, in Python and compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from rehab_pose.optimisation.damped_steps import bounded_step, damped_step
from rehab_pose.optimisation.levenberg_marquardt import Damping, Problem, Solution, Stopping, minimise

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATIENT = Stopping(500, 1e-15, 1e-24)


class Curve(NamedTuple):
    """Residuals a exp(-b t) - y of measured values y at times t, and the arrays of the search for (a, b)."""

    times: NDArray[np.float64]
    values: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    current: NDArray[np.float64]
    candidate: NDArray[np.float64]
    hessian: NDArray[np.float64]
    gradient: NDArray[np.float64]
    step: NDArray[np.float64]
    costs: list[float]


def residuals(unknowns: NDArray[np.float64], curve: Curve) -> NDArray[np.float64]:
    return np.asarray(unknowns[0] * np.exp(-unknowns[1] * curve.times) - curve.values)


def cost(curve: Curve) -> float:
    return float(np.sum(residuals(curve.candidate, curve) ** 2))


def linearise(curve: Curve) -> None:
    amplitude, rate = curve.current
    decay = np.exp(-rate * curve.times)
    jacobian = np.stack([decay, -amplitude * curve.times * decay], axis=1)
    curve.hessian[:] = jacobian.T @ jacobian
    curve.gradient[:] = jacobian.T @ residuals(curve.current, curve)


def step(curve: Curve, damping: float) -> bool:
    down, up = curve.lower - curve.current, curve.upper - curve.current
    solved: bool = bounded_step(curve.hessian, curve.gradient, damping, down, up, curve.step)
    curve.candidate[:] = np.clip(curve.current + curve.step, curve.lower, curve.upper)
    return solved


def accept(curve: Curve) -> None:
    curve.current[:] = curve.candidate
    curve.costs.append(cost(curve))


PROBLEM = Problem(cost, linearise, step, accept)


def curve(
    seed: int, lower: tuple[float, float] = (-np.inf, -np.inf), upper: tuple[float, float] = (np.inf, np.inf)
) -> Curve:
    random = np.random.default_rng(seed)
    times = np.linspace(0.0, 3.0, 20)
    values = random.uniform(1.0, 3.0) * np.exp(-random.uniform(0.3, 2.0) * times) + random.normal(0.0, 0.05, 20)
    start = np.clip(np.array([1.0, 0.5]), lower, upper)
    room = np.empty((2, 2)), np.empty(2), np.empty(2)
    return Curve(times, values, np.array(lower), np.array(upper), start.copy(), start.copy(), *room, [])


@given(seed=st.integers(0, 10_000))
def test_the_minimum_is_that_of_scipy(seed: int) -> None:
    problem = curve(seed)
    solution = minimise(PROBLEM, problem, Damping(), PATIENT)
    reference = least_squares(residuals, [1.0, 0.5], args=(problem,), xtol=1e-15, ftol=1e-15, gtol=1e-15)
    assert solution.converged
    assert solution.cost == pytest.approx(2.0 * reference.cost, rel=1e-9)
    np.testing.assert_allclose(problem.current, reference.x, atol=1e-5)


@given(seed=st.integers(0, 10_000), first=st.floats(0.2, 2.0), second=st.floats(0.2, 1.0))
def test_bounded_unknowns_stay_inside_and_reach_the_minimum_of_scipy(seed: int, first: float, second: float) -> None:
    upper = (first, second)
    problem = curve(seed, (0.1, 0.1), upper)
    solution = minimise(PROBLEM, problem, Damping(), PATIENT)
    assert ((problem.current >= problem.lower) & (problem.current <= problem.upper)).all()
    bounds = (problem.lower, problem.upper)
    start = 0.5 * (problem.lower + problem.upper)
    reference = least_squares(residuals, start, args=(problem,), bounds=bounds, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    assert solution.cost <= 2.0 * reference.cost * (1.0 + 1e-6)


@given(seed=st.integers(0, 10_000))
def test_the_cost_never_grows(seed: int) -> None:
    problem = curve(seed)
    first = cost(problem)
    solution = minimise(PROBLEM, problem, Damping(), PATIENT)
    assert (np.diff([first, *problem.costs]) <= 0.0).all()
    assert solution.cost == problem.costs[-1]
    assert solution.cost == pytest.approx(cost(problem._replace(candidate=problem.current)))


@given(seed=st.integers(0, 10_000))
def test_the_gradient_vanishes_at_the_minimum_by_finite_differences(seed: int) -> None:
    problem = curve(seed)
    minimise(PROBLEM, problem, Damping(), PATIENT)

    def value(unknowns: NDArray[np.float64]) -> float:
        return float(np.sum(residuals(unknowns, problem) ** 2))

    for unit in np.eye(2):
        slope = (value(problem.current + 1e-5 * unit) - value(problem.current - 1e-5 * unit)) / 2e-5
        assert slope == pytest.approx(0.0, abs=1e-6)


def test_the_search_stops_at_the_iterations_or_the_cost_that_is_asked_for() -> None:
    start = cost(curve(3))
    assert minimise(PROBLEM, curve(3), Damping(), Stopping(0, 1e-15)) == Solution(start, 0, converged=False)
    few = minimise(PROBLEM, curve(3), Damping(), Stopping(2, 1e-15))
    assert (few.iterations, few.converged) == (2, False)
    enough = minimise(PROBLEM, curve(3), Damping(), Stopping(500, 0.0, sufficient_cost=0.9 * start))
    assert enough.converged
    assert enough.cost < 0.9 * start
    assert enough.iterations < minimise(PROBLEM, curve(3), Damping(), PATIENT).iterations


def test_steps_that_cannot_be_solved_raise_the_damping_until_the_search_ends() -> None:
    dampings: list[float] = []

    def unsolvable(_: Curve, damping: float) -> bool:
        dampings.append(damping)
        return False

    problem = curve(4)
    solution = minimise(PROBLEM._replace(step=unsolvable), problem, Damping(first=1.0, maximum=100.0), PATIENT)
    assert dampings == [1.0, 8.0, 64.0]
    assert solution == Solution(cost(problem), 3, converged=True)


@given(seed=st.integers(0, 10_000))
def test_a_bounded_step_stays_inside_and_descends_when_damped(seed: int) -> None:
    random = np.random.default_rng(seed)
    root = random.normal(size=(6, 6))
    hessian, gradient = root @ root.T + 0.1 * np.eye(6), random.normal(size=6)
    down, up, move = -random.uniform(0.0, 0.3, 6), random.uniform(0.0, 0.3, 6), np.empty(6)
    for damping in (0.0, 1e6):
        assert bounded_step(hessian, gradient, damping, down, up, move)
        assert ((move >= down) & (move <= up)).all()
    assert gradient @ move <= 1e-12


@given(seed=st.integers(0, 10_000), damping=st.floats(0.0, 10.0))
def test_a_bounded_step_without_bounds_is_the_damped_step(seed: int, damping: float) -> None:
    random = np.random.default_rng(seed)
    root = random.normal(size=(6, 6))
    hessian, gradient = root @ root.T + 0.1 * np.eye(6), random.normal(size=6)
    free, bounded, far = np.empty(6), np.empty(6), np.full(6, np.inf)
    assert damped_step(hessian, gradient, damping, np.empty((6, 6)), free)
    assert bounded_step(hessian, gradient, damping, -far, far, bounded)
    np.testing.assert_allclose(free, bounded, rtol=1e-12)
    expected = -np.linalg.solve(hessian + damping * np.diag(np.diag(hessian)), gradient)
    np.testing.assert_allclose(free, expected, rtol=1e-6, atol=1e-9)


class Parabola(NamedTuple):
    """(x - 3)^2 for the compiled loop."""

    current: NDArray[np.float64]
    candidate: NDArray[np.float64]


@numba.njit  # type: ignore[untyped-decorator]
def parabola_cost(state: Parabola) -> float:
    return float((state.candidate[0] - 3.0) ** 2)


@numba.njit  # type: ignore[untyped-decorator]
def parabola_linearise(state: Parabola) -> None:
    pass


@numba.njit  # type: ignore[untyped-decorator]
def parabola_step(state: Parabola, damping: float) -> bool:
    state.candidate[0] = state.current[0] - (state.current[0] - 3.0) / (1.0 + damping)
    return True


@numba.njit  # type: ignore[untyped-decorator]
def parabola_accept(state: Parabola) -> None:
    state.current[0] = state.candidate[0]


PARABOLA = Problem(parabola_cost, parabola_linearise, parabola_step, parabola_accept)


@numba.njit  # type: ignore[untyped-decorator]
def compiled(state: Parabola) -> Solution:
    solution: Solution = minimise(
        PARABOLA, state, Damping(1e-3, 8.0, 0.2, 0.0, 0.0, 1e8), Stopping(50, 1e-9, 1e-14, -np.inf)
    )
    return solution


def test_the_compiled_loop_takes_the_same_steps_as_the_interpreted_one() -> None:
    fast, slow = (Parabola(np.zeros(1), np.zeros(1)) for _ in range(2))
    functions: list[Any] = [vars(function)["py_func"] for function in PARABOLA]
    expected = minimise(Problem(*functions), slow, Damping(), Stopping(50, 1e-9, 1e-14))
    assert compiled(fast) == expected
    assert fast.current[0] == slow.current[0] == pytest.approx(3.0)
