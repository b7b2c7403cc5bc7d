"""The offline solver: all frames at once, each from the frames before and after it, inside the limits.

    sum_t E_t(x_t) + sum_t,i w_ti (x_t+1 - (1 + rho) x_t + rho x_t-1)_i^2 / (s q_i)^2

Gauss-Newton on the whole sequence: the matrix couples a frame with two on either side, so its Cholesky factor stays in
a band. The noise and s follow from expectation-maximisation, w from Student's t: an angle may jump.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.kinematics import forward
from rehab_pose.biomechanics.motion_prior import default_change, velocity_kept
from rehab_pose.biomechanics.objective import Observations, objective, row_count, weighted
from rehab_pose.biomechanics.posture import Posture, difference, joints_of, moved
from rehab_pose.biomechanics.tracker import Solution, Tracker, TrackerSettings
from rehab_pose_lab.methods.biomechanics.banded import band_bounded_step, band_factor, band_inverse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain

__all__ = ["smooth_sequence"]

ROUNDS, FIRST_STEPS, STEPS = 10, 6, 3
"""Rounds of learning the noise, and Gauss-Newton steps in the first and in each later one."""
STUDENT = 3.0
"""Degrees of freedom of the changes of velocity (t with 3: one in a hundred is more than six times the usual)."""
JUMP_RAD = np.deg2rad(5.0)
"""A change of the online answer beyond this is taken for a jump at first."""
FIRST_DAMPING, MIN_DIAGONAL = 1e-3, 1e-9
MAX_ROOT_TURN = 1.0
MIN_GAIN = 1e-6
SCALES = (0.01, 5.0)


def smooth_sequence(
    chain: Chain, observed: Sequence[Observations], step_s: float, settings: TrackerSettings | None = None
) -> list[Solution]:
    """Return the posture at every frame of a sequence with even steps [s] between its frames."""
    settings = settings or TrackerSettings()
    ahead, forwards = _track(chain, observed, step_s, settings)
    _, backwards = _track(chain, observed[::-1], step_s, settings)
    start = [
        first.posture if first.sigma.sum() <= second.sigma.sum() else second.posture
        for first, second in zip(forwards, backwards[::-1], strict=True)
    ]
    work = _Sequence(chain, observed, step_s, settings, ahead)
    work.postures = start
    if settings.adapt:
        work.expect_jumps()
    for turn in range(ROUNDS):
        work.improve(STEPS if turn else FIRST_STEPS)
        work.learn()
    work.improve(STEPS)
    arrays = chain.arrays._replace(offsets_m=ahead.offsets_m)
    solutions = []
    for posture, sigma, cost in zip(work.postures, work.sigma, work.cost, strict=True):
        positions, rotations = joints_of(chain, posture, arrays)
        solutions.append(Solution(posture, positions, rotations, sigma, float(cost), restarted=False))
    return solutions


def _track(
    chain: Chain, observed: Sequence[Observations], step_s: float, settings: TrackerSettings
) -> tuple[Tracker, list[Solution]]:
    tracker = Tracker(chain, settings)
    return tracker, [tracker.solve(frame, step_s) for frame in observed]


class _Sequence:
    """A sequence on its way to the minimum."""

    def __init__(
        self,
        chain: Chain,
        observed: Sequence[Observations],
        step_s: float,
        settings: TrackerSettings,
        tracker: Tracker,
    ) -> None:
        self._chain, self._observed, self._settings = chain, observed, settings
        self._arrays = chain.arrays._replace(offsets_m=tracker.offsets_m)
        self._size, self._count = ROOT_UNKNOWNS + len(chain.angle_names), len(observed)
        rho = velocity_kept(step_s, settings.fade_s)
        self._terms = np.array([rho, -(1.0 + rho), 1.0])
        self._spread = default_change(self._size, settings.acceleration_m_s2, settings.acceleration_rad_s2, step_s)
        self._scale = max(tracker.scale, 0.1) if settings.adapt else 1.0
        self._sigma_m = tracker.sigma_m
        self._weights = np.ones((max(self._count - 2, 0), self._size))
        self._rest_weight = np.concatenate([np.zeros(ROOT_UNKNOWNS), chain.spread_rad**-2.0])
        self._rest = np.concatenate([np.zeros(ROOT_UNKNOWNS), chain.centre_rad])
        self.postures: list[Posture] = []
        self._hessian = np.zeros((self._count, self._size, self._size))
        self.cost = np.zeros(self._count)
        self.sigma = np.zeros((self._count, self._size))

    def _changes(self, postures: list[Posture]) -> NDArray[np.float64]:
        """Return the changes of velocity (T - 2, N)."""
        steps = np.array([difference(later, earlier) for earlier, later in pairwise(postures)])
        steps = steps.reshape(-1, self._size)
        return np.asarray(steps[1:] - self._terms[0] * steps[:-1])

    def _stiffness(self) -> NDArray[np.float64]:
        return np.asarray(self._weights / (self._scale * self._spread) ** 2)

    def expect_jumps(self) -> None:
        """Weaken the ties where the postures jump."""
        unusual = self._changes(self.postures) / (JUMP_RAD + self._scale * self._spread)
        self._weights = (STUDENT + 1.0) / (STUDENT + unusual**2)

    def _look(
        self, postures: list[Posture], *, derivative: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return each frame's cost (T), half its gradient (T, N) and half its Hessian (T, N, N)."""
        joints = len(self._arrays.parents)
        positions, rotations = np.empty((joints, 3)), np.empty((joints, 3, 3))
        axes = np.empty((len(self._arrays.axes), 3))
        cost, gradient = np.zeros(self._count), np.zeros((self._count, self._size))
        hessian = np.zeros((self._count, self._size, self._size))
        for t, posture in enumerate(postures):
            now = weighted(self._observed[t], self._sigma_m)
            forward(self._arrays, posture.unknowns, posture.base, positions, rotations, axes)
            cost[t] = objective(
                self._arrays,
                now,
                posture.unknowns,
                posture.base,
                positions,
                rotations,
                axes,
                hessian[t],
                gradient[t],
                derivative,
            )
        lower = np.tril(hessian)
        return cost, gradient, lower + np.tril(hessian, -1).transpose(0, 2, 1)

    def _tie_cost(self, postures: list[Posture]) -> float:
        away = postures[0].unknowns - self._rest
        return float((self._stiffness() * self._changes(postures) ** 2).sum() + (self._rest_weight * away**2).sum())

    def _tie_gradient(self) -> NDArray[np.float64]:
        gradient = np.zeros((self._count, self._size))
        pull = self._stiffness() * self._changes(self.postures)
        for place, term in enumerate(self._terms):
            gradient[place : place + len(pull)] += term * pull
        gradient[0] += self._rest_weight * (self.postures[0].unknowns - self._rest)
        return gradient

    def _band(self) -> NDArray[np.float64]:
        """Return half the Hessian of everything as a band."""
        size, width = self._size, 2 * self._size
        band = np.zeros((self._count, size, width + 1))
        for back in range(size):
            band[:, back:, width - back] = np.diagonal(self._hessian, -back, axis1=1, axis2=2)
        stiffness = self._stiffness()
        for a in range(3):
            for b in range(a + 1):
                band[a : a + len(stiffness), :, width - (a - b) * size] += self._terms[a] * self._terms[b] * stiffness
        band[0, :, width] += self._rest_weight
        band[:, :, width] += MIN_DIAGONAL
        return np.ascontiguousarray(band.reshape(-1, width + 1))

    def improve(self, steps: int) -> None:
        """Take some Gauss-Newton steps."""
        damping, lower, upper = FIRST_DAMPING, self._chain.lower, self._chain.upper
        self.cost, gradient, self._hessian = self._look(self.postures, derivative=True)
        total = float(self.cost.sum()) + self._tie_cost(self.postures)
        for _ in range(steps):
            band = self._band()
            band[:, -1] *= 1.0 + damping
            now = np.array([posture.unknowns for posture in self.postures])
            slope = (gradient + self._tie_gradient()).ravel()
            step = band_bounded_step(band, slope, (lower - now).ravel(), (upper - now).ravel())
            step = step.reshape(self._count, self._size)
            step /= max(1.0, float(np.linalg.norm(step[:, 3:6], axis=1).max()) / MAX_ROOT_TURN)
            tried = [self._inside(moved(posture, s)) for posture, s in zip(self.postures, step, strict=True)]
            tried_total = float(self._look(tried, derivative=False)[0].sum()) + self._tie_cost(tried)
            if tried_total > total:
                damping *= 10.0
                continue
            gain, total, self.postures = total - tried_total, tried_total, tried
            self.cost, gradient, self._hessian = self._look(self.postures, derivative=True)
            damping *= 0.1
            if gain < MIN_GAIN * total:
                break

    def _inside(self, posture: Posture) -> Posture:
        return Posture(np.clip(posture.unknowns, self._chain.lower, self._chain.upper), posture.base)

    def learn(self) -> None:
        """Learn the noise, the size of accelerations and where angles jumped, from what is known of every frame."""
        size, width = self._size, 2 * self._size
        factor = self._band()
        band_factor(factor)
        inverse = band_inverse(factor).reshape(self._count, size, width + 1)
        self.sigma = np.sqrt(np.maximum(inverse[:, :, width], 0.0))
        if not self._settings.adapt:
            return
        used = 0.0
        for back in range(size):
            twice = 2.0 if back else 1.0
            own = np.diagonal(self._hessian, -back, axis1=1, axis2=2)
            used += twice * float((own * inverse[:, back:, width - back]).sum())
        rows = sum(row_count(frame) for frame in self._observed)
        squares = float(self.cost.sum()) * self._sigma_m**2 + self._settings.sigma_m**2
        sigma_m = np.sqrt(squares / (max(rows - used, 1.0) + 1.0))
        if self._count > 2:
            self._learn_changes(inverse)
        self._sigma_m = float(max(sigma_m, self._settings.min_sigma_m))

    def _learn_changes(self, inverse: NDArray[np.float64]) -> None:
        size, width, count = self._size, 2 * self._size, self._count - 2
        variance = np.zeros((count, size))
        for a in range(3):
            for b in range(a + 1):
                share = (1.0 if a == b else 2.0) * self._terms[a] * self._terms[b]
                variance += share * inverse[a : a + count, :, width - (a - b) * size]
        square = (self._changes(self.postures) ** 2 + np.maximum(variance, 0.0)) / self._spread**2
        self._weights = (STUDENT + 1.0) / (STUDENT + square / self._scale**2)
        self._scale = float(np.clip(np.sqrt((self._weights * square).mean()), *SCALES))
