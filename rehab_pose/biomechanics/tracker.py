"""The online solver: one frame at a time, each from the forecast of the frames before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.lengths import SegmentLengths
from rehab_pose.biomechanics.motion_prior import (
    Forecast,
    GaussianState,
    default_change,
    forecast,
    settled,
    velocity_kept,
)
from rehab_pose.biomechanics.multistart import Found, best_of_starts, rest_information, run
from rehab_pose.biomechanics.objective import Observations, Prior, row_count, weighted
from rehab_pose.biomechanics.posture import Posture, difference, joints_of
from rehab_pose.biomechanics.spherical_joints import BallJoints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain

__all__ = ["Solution", "Tracker", "TrackerSettings"]

FIRST_SPEED_M, FIRST_SPEED_RAD = 0.02, 0.05
"""Change a frame that a first frame may be followed by."""
JUMP, SPIKE = 3.0, 4.0
"""Standard deviations: an angle that left its forecast by so much jumped; an objective so high makes one look."""
LOOSE_RAD, LOOSE_ROOT = 1.0, 3.0
"""How far angles [rad] and the root (as a factor) may go while jumps are looked for."""
RESTART_GAIN = 0.5
"""A fresh start is taken when it leaves at most this share of the misfit."""
NOISE_CAP = 4.0
"""A frame counts at most so many times the noise expected."""
MAX_RATIO = 9.0
SCALES = (0.3, 3.0)
"""Bounds of the factor on accelerations; below, the fading of velocities would hold a steady movement back."""
LENGTH_FRAMES = 60
"""Frames from which the segments' lengths are learnt before they are kept."""


@dataclass(frozen=True)
class TrackerSettings:
    """Constants of the solvers."""

    sigma_m: float = 0.008
    """Noise of a keypoint before it is known [m]; that of a link's direction [rad] is this over 0.3 m."""
    min_sigma_m: float = 0.0005
    acceleration_rad_s2: float = 10.0
    """Spread of angular accelerations (10: an amplitude of 1 rad at 0.5 Hz)."""
    acceleration_m_s2: float = 4.0
    """Spread of the root's accelerations."""
    fade_s: float = 2.0
    """After this time without observation 1/e of a velocity is left [s]."""
    noise_frames: float = 15.0
    """Over how many frames noise and accelerations are judged."""
    starts: int = 24
    """Fresh starts on a person's first frame."""
    restarts: int = 10
    """Fresh starts on a frame whose misfit spikes."""
    spike: float = 2.0
    """A misfit of so many times the usual one spikes."""
    max_iterations: int = 30
    tolerance: float = 1e-7
    adapt: bool = True
    """Whether noise and accelerations are judged from the data; otherwise the values here are kept."""
    always_restart: bool = False
    """Fresh starts on every frame, for data that jump from frame to frame."""
    learn_lengths: bool = True
    """Whether the segments' lengths are learnt from the data."""


@dataclass(frozen=True, eq=False)
class Solution:
    """One frame's answer."""

    posture: Posture
    positions_m: NDArray[np.float64]
    """(J, 3)."""
    rotations: NDArray[np.float64]
    """(J, 3, 3) world_from_joint."""
    sigma: NDArray[np.float64]
    """(N) one standard deviation of every unknown, as if there were no limits [m, rad]."""
    cost: float
    """Squared misfit in units of the noise."""
    restarted: bool


class Tracker:
    """Follows one person."""

    def __init__(self, chain: Chain, settings: TrackerSettings | None = None) -> None:
        self.chain = chain
        self.settings = settings or TrackerSettings()
        self._size = ROOT_UNKNOWNS + len(chain.angle_names)
        self._lengths = SegmentLengths(chain)
        self._balls = BallJoints(chain)
        self.reset()

    def reset(self) -> None:
        """Forget the person."""
        self._belief: GaussianState | None = None
        self._random = np.random.default_rng(0)
        self._arrays = self.chain.arrays
        self._lengths.reset()
        self._frames, self._usual_cost = 0, 0.0
        self.sigma_m = self.settings.sigma_m
        self.scale = 1.0
        """Accelerations as a multiple of the settings'."""
        self._squares, self._freedom = self.settings.sigma_m**2, 1.0

    @property
    def offsets_m(self) -> NDArray[np.float64]:
        """The chain's offsets (J, 3) as learnt so far [m]."""
        return np.array(self._arrays.offsets_m)

    def solve(self, observed: Observations, step_s: float) -> Solution:
        """Return the posture at a frame, `step_s` after the last one [s]."""
        if self.settings.learn_lengths and self._frames < LENGTH_FRAMES:
            self._lengths.see(observed)
            self._arrays = self._arrays._replace(offsets_m=self._lengths.offsets_m(self.sigma_m))
        self._frames += 1
        if self._belief is None:
            return self._first(observed)
        return self._next(self._belief, observed, step_s)

    def _first(self, observed: Observations) -> Solution:
        information = rest_information(self.chain)
        found = self._fresh(weighted(observed, self.sigma_m), self.settings.starts)
        self._judge_noise(observed, found, information)
        # Once more with the noise that the first answer shows.
        if self.settings.learn_lengths:
            self._arrays = self._arrays._replace(offsets_m=self._lengths.offsets_m(self.sigma_m))
        now = weighted(observed, self.sigma_m)
        prior = Prior(_rest_of(self.chain, found.posture), found.posture.base, information)
        found = self._run(now, prior, found.posture)
        self._judge_noise(observed, found, information)
        return self._begin(found)

    def _begin(self, found: Found) -> Solution:
        """Return the answer of a fresh start and believe it."""
        whole = found.measured + rest_information(self.chain)
        speed = np.diag(np.concatenate([np.full(3, FIRST_SPEED_M), np.full(self._size - 3, FIRST_SPEED_RAD)]) ** -2.0)
        information = np.block([[speed, -speed], [-speed, speed + whole]])
        self._belief = GaussianState(found.posture, found.posture, information)
        return self._solution(found, np.diag(np.linalg.inv(whole)), restarted=True)

    def _next(self, belief: GaussianState, observed: Observations, step_s: float) -> Solution:
        settings = self.settings
        rho = velocity_kept(step_s, settings.fade_s)
        spread = default_change(self._size, settings.acceleration_m_s2, settings.acceleration_rad_s2, step_s)
        now, rows = weighted(observed, self.sigma_m), row_count(observed)
        coming = forecast(belief, rho, spread * self.scale)
        found = self._run(now, Prior.of(coming), coming.posture)
        jumped = np.zeros(self._size, dtype=np.bool_)
        if found.total > rows + SPIKE * np.sqrt(2.0 * rows):
            wide = self._jumps(belief, now, coming, rho, spread)
            jumped = wide > 1.0
            coming = forecast(belief, rho, spread * self.scale * wide)
            found = self._run(now, Prior.of(coming), coming.posture)
        if settings.always_restart:
            again = self._run(now, Prior.of(coming), self._fresh(now, settings.restarts).posture)
            found = again if again.total < found.total else found
        elif found.cost > settings.spike * max(rows, self._usual_cost):
            fresh = self._fresh(now, settings.restarts)
            if fresh.cost <= RESTART_GAIN * found.cost:
                return self._begin(fresh)
        self._usual_cost += (found.cost - self._usual_cost) / settings.noise_frames
        passed_on = self._balls.passed_on(belief.last.unknowns, found.posture.unknowns)
        self._belief, innovation = settled(coming, found.posture, found.measured, jumped, passed_on)
        whole = passed_on.T @ coming.information @ passed_on + found.measured
        self._judge_noise(observed, found, coming.information)
        variance = np.diag(np.linalg.inv(whole))
        self._judge_scale(innovation, coming, np.where(jumped, np.inf, spread), variance)
        return self._solution(found, variance, restarted=False)

    def _jumps(
        self, belief: GaussianState, now: Observations, coming: Forecast, rho: float, spread: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return by how much (N) the spread of each unknown's change has to be widened; 1: it did not jump."""
        freely = np.where(np.arange(self._size) < ROOT_UNKNOWNS, spread * LOOSE_ROOT, LOOSE_RAD)
        loose = forecast(belief, rho, freely)
        found = self._run(now, Prior.of(loose), coming.posture)
        innovation = difference(found.posture, coming.posture)
        variance = np.linalg.inv(coming.information) + np.linalg.inv(loose.information + found.measured)
        jumped = innovation**2 > JUMP**2 * np.diag(variance)
        return np.where(jumped, 1.0 + np.abs(innovation) / (spread * self.scale), 1.0)

    def _run(self, now: Observations, prior: Prior, start: Posture) -> Found:
        return run(self.chain, self._arrays, now, prior, start, self.settings)

    def _fresh(self, now: Observations, starts: int) -> Found:
        return best_of_starts(self.chain, self._arrays, now, self.settings, starts, self._random)

    def _judge_noise(self, observed: Observations, found: Found, information: NDArray[np.float64]) -> None:
        """Learn the keypoints' noise from what the posture leaves unexplained."""
        if not self.settings.adapt:
            return
        used = float(np.trace(np.linalg.solve(found.measured + information, found.measured)))
        left = max(row_count(observed) - used, 1.0)
        fade = 1.0 - 1.0 / self.settings.noise_frames
        self._squares = fade * self._squares + min(found.cost, NOISE_CAP * left) * self.sigma_m**2
        self._freedom = fade * self._freedom + left
        self.sigma_m = float(max(np.sqrt(self._squares / self._freedom), self.settings.min_sigma_m))

    def _judge_scale(
        self,
        innovation: NDArray[np.float64],
        coming: Forecast,
        spread: NDArray[np.float64],
        variance: NDArray[np.float64],
    ) -> None:
        """Learn how large accelerations are from how far the unknowns left their forecast; infinite spread: jumped."""
        if not self.settings.adapt:
            return
        expected = np.diag(np.linalg.inv(coming.information))
        excess = innovation**2 + variance - expected
        ratio = np.clip(excess / spread**2 + self.scale**2, 0.0, MAX_RATIO)
        trust = np.where(np.isfinite(spread), (np.where(np.isfinite(spread), spread, 0.0) ** 2 / expected) ** 2, 0.0)
        estimate = float((trust * ratio).sum() / max(trust.sum(), 1e-12))
        share = 1.0 / self.settings.noise_frames
        square = (1.0 - share) * self.scale**2 + share * estimate
        self.scale = float(np.clip(np.sqrt(square), *SCALES))

    def _solution(self, found: Found, variance: NDArray[np.float64], *, restarted: bool) -> Solution:
        positions, rotations = joints_of(self.chain, found.posture, self._arrays)
        return Solution(
            found.posture, positions, rotations, np.sqrt(np.maximum(variance, 0.0)), found.cost, restarted=restarted
        )


def _rest_of(chain: Chain, posture: Posture) -> NDArray[np.float64]:
    """Return the unknowns (N) of a posture's root with the angles that are expected before anything is seen."""
    return np.concatenate([posture.unknowns[:ROOT_UNKNOWNS], chain.centre_rad])
