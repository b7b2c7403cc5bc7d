"""The online solver: one frame at a time, from the prediction of the frames before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.chain_problem import Prior
from rehab_pose.biomechanics.pose import Pose, joints_of
from rehab_pose_lab.methods.biomechanics.frame_problem import FrameFit, fit_frame
from rehab_pose_lab.methods.biomechanics.motion_prior import (
    Forecast,
    GaussianState,
    default_change,
    forecast,
    update,
    velocity_kept,
)
from rehab_pose_lab.methods.biomechanics.multistart import best_of_starts, rest_information
from rehab_pose_lab.methods.biomechanics.observations import Observations, row_count, weighted
from rehab_pose_lab.methods.biomechanics.pose_steps import difference
from rehab_pose_lab.methods.biomechanics.segment_lengths import SegmentLengths
from rehab_pose_lab.methods.biomechanics.spherical_joints import SphericalJoints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain

__all__ = ["TrackedPose", "Tracker", "TrackerSettings"]

FIRST_SPEED_M, FIRST_SPEED_RAD = 0.02, 0.05
"""Standard deviation of the velocity at the first frame [m, rad a frame]."""
JUMP, SPIKE = 3.0, 4.0
"""Standard deviations: an angle that is farther than the first from its prediction has jumped; jumps are searched for
when the objective exceeds its expectation by the second."""
LOOSE_RAD, LOOSE_ROOT = 1.0, 3.0
"""Standard deviation of angles [rad], and factor on that of the root, while jumps are searched for."""
RESTART_GAIN = 0.5
"""A multistart replaces the tracked pose when it leaves at most this fraction of the misfit."""
NOISE_CAP = 4.0
"""A frame's misfit enters the noise estimate as at most this multiple of its expectation."""
MAX_RATIO = 9.0
"""Largest squared ratio of an unknown's acceleration to its expectation in the estimate of the factor."""
SCALES = (0.3, 3.0)
"""Bounds of the factor on accelerations; with a smaller one the decay of velocities would slow a steady movement."""
LENGTH_FRAMES = 60
"""Frames from which the segments' lengths are learnt before they are fixed."""


@dataclass(frozen=True)
class TrackerSettings:
    """Settings of the online and the offline solver."""

    sigma_m: float = 0.008
    """Standard deviation of a keypoint before it is estimated [m]; of a link's direction [rad], this over 0.3 m."""
    min_sigma_m: float = 0.0005
    """Least estimate of it [m]."""
    acceleration_rad_s2: float = 10.0
    """Standard deviation of angular accelerations (10: an amplitude of 1 rad at 0.5 Hz) [rad/s^2]."""
    acceleration_m_s2: float = 4.0
    """Standard deviation of the root's accelerations [m/s^2]."""
    fade_s: float = 2.0
    """After this time without measurements 1/e of a velocity is left [s]."""
    noise_frames: float = 15.0
    """Frames over which noise and accelerations are averaged."""
    starts: int = 24
    """Starts on a person's first frame."""
    restarts: int = 10
    """Starts on a frame whose misfit spikes."""
    spike: float = 2.0
    """A misfit of this multiple of the mean one is a spike."""
    max_iterations: int = 30
    """Steps of the minimisation of a frame at most."""
    tolerance: float = 1e-7
    """A step that lowers the objective by less than this fraction is the last."""
    adapt: bool = True
    """Estimate noise and accelerations from the data; otherwise the values here are kept."""
    always_restart: bool = False
    """Use a multistart on every frame, for data that jump from frame to frame."""
    learn_lengths: bool = True
    """Learn the segments' lengths from the data."""


@dataclass(frozen=True, eq=False)
class TrackedPose:
    """The solved pose of one frame."""

    pose: Pose
    positions_m: NDArray[np.float64]
    """(J, 3) joints [m]."""
    rotations: NDArray[np.float64]
    """(J, 3, 3) world_from_joint."""
    sigma: NDArray[np.float64]
    """(N) one standard deviation of every unknown, limits ignored [m, rad]."""
    cost: float
    """Squared misfit in units of the noise's variance."""
    restarted: bool
    """True where the pose comes from a multistart."""


class Tracker:
    """Follows one person."""

    def __init__(self, chain: Chain, settings: TrackerSettings | None = None) -> None:
        self.chain = chain
        self.settings = settings or TrackerSettings()
        self._size = ROOT_UNKNOWNS + len(chain.angle_names)
        self._lengths = SegmentLengths(chain)
        self._spherical_joints = SphericalJoints(chain)
        self.reset()

    def reset(self) -> None:
        """Forget the person."""
        self._state: GaussianState | None = None
        self._random = np.random.default_rng(0)
        self._arrays = self.chain.arrays
        self._lengths.reset()
        self._frames, self._mean_cost = 0, 0.0
        self.sigma_m = self.settings.sigma_m
        self.scale = 1.0
        """Factor on the settings' accelerations."""
        self._squares, self._degrees_of_freedom = self.settings.sigma_m**2, 1.0

    @property
    def offsets_m(self) -> NDArray[np.float64]:
        """The chain's offsets (J, 3) as learnt so far [m]."""
        return np.array(self._arrays.offsets_m)

    def solve(self, observed: Observations, step_s: float) -> TrackedPose:
        """Return the pose at a frame, `step_s` after the last one [s]."""
        if self.settings.learn_lengths and self._frames < LENGTH_FRAMES:
            self._lengths.add(observed)
            self._arrays = self._arrays._replace(offsets_m=self._lengths.offsets_m(self.sigma_m))
        self._frames += 1
        if self._state is None:
            return self._first(observed)
        return self._next(self._state, observed, step_s)

    def _first(self, observed: Observations) -> TrackedPose:
        information = rest_information(self.chain)
        fit = self._multistart(weighted(observed, self.sigma_m), self.settings.starts)
        self._estimate_noise(observed, fit, information)
        # Repeated with the noise estimated from the first fit.
        if self.settings.learn_lengths:
            self._arrays = self._arrays._replace(offsets_m=self._lengths.offsets_m(self.sigma_m))
        now = weighted(observed, self.sigma_m)
        prior = Prior(_rest_of(self.chain, fit.pose), fit.pose.base, information)
        fit = self._fit(now, prior, fit.pose)
        self._estimate_noise(observed, fit, information)
        return self._begin(fit)

    def _begin(self, fit: FrameFit) -> TrackedPose:
        """Start the state from a fit without prediction, and return its pose."""
        information_of_pose = fit.measured + rest_information(self.chain)
        speed = np.diag(np.concatenate([np.full(3, FIRST_SPEED_M), np.full(self._size - 3, FIRST_SPEED_RAD)]) ** -2.0)
        information = np.block([[speed, -speed], [-speed, speed + information_of_pose]])
        self._state = GaussianState(fit.pose, fit.pose, information)
        return self._solution(fit, np.diag(np.linalg.inv(information_of_pose)), restarted=True)

    def _next(self, state: GaussianState, observed: Observations, step_s: float) -> TrackedPose:
        settings = self.settings
        rho = velocity_kept(step_s, settings.fade_s)
        std = default_change(self._size, settings.acceleration_m_s2, settings.acceleration_rad_s2, step_s)
        now, rows = weighted(observed, self.sigma_m), row_count(observed)
        predicted = forecast(state, rho, std * self.scale)
        fit = self._fit(now, predicted.prior, predicted.pose)
        jumped = np.zeros(self._size, dtype=np.bool_)
        if fit.total > rows + SPIKE * np.sqrt(2.0 * rows):
            widening = self._jumps(state, now, predicted, rho, std)
            jumped = widening > 1.0
            predicted = forecast(state, rho, std * self.scale * widening)
            fit = self._fit(now, predicted.prior, predicted.pose)
        if settings.always_restart:
            again = self._fit(now, predicted.prior, self._multistart(now, settings.restarts).pose)
            fit = again if again.total < fit.total else fit
        elif fit.cost > settings.spike * max(rows, self._mean_cost):
            restart = self._multistart(now, settings.restarts)
            if restart.cost <= RESTART_GAIN * fit.cost:
                return self._begin(restart)
        self._mean_cost += (fit.cost - self._mean_cost) / settings.noise_frames
        transport = self._spherical_joints.transport(state.last.unknowns, fit.pose.unknowns)
        self._state, innovation = update(predicted, fit.pose, fit.measured, jumped, transport)
        information = transport.T @ predicted.information @ transport + fit.measured
        self._estimate_noise(observed, fit, predicted.information)
        variance = np.diag(np.linalg.inv(information))
        self._estimate_scale(innovation, predicted, np.where(jumped, np.inf, std), variance)
        return self._solution(fit, variance, restarted=False)

    def _jumps(
        self, state: GaussianState, now: Observations, predicted: Forecast, rho: float, std: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the factor (N) on the standard deviation of each unknown's change; 1: it did not jump."""
        loose_std = np.where(np.arange(self._size) < ROOT_UNKNOWNS, std * LOOSE_ROOT, LOOSE_RAD)
        loose = forecast(state, rho, loose_std)
        fit = self._fit(now, loose.prior, predicted.pose)
        innovation = difference(fit.pose, predicted.pose)
        variance = np.linalg.inv(predicted.information) + np.linalg.inv(loose.information + fit.measured)
        jumped = innovation**2 > JUMP**2 * np.diag(variance)
        return np.where(jumped, 1.0 + np.abs(innovation) / (std * self.scale), 1.0)

    def _fit(self, now: Observations, prior: Prior, start: Pose) -> FrameFit:
        iterations, tolerance = self.settings.max_iterations, self.settings.tolerance
        return fit_frame(self.chain, self._arrays, now, prior, start, max_iterations=iterations, tolerance=tolerance)

    def _multistart(self, now: Observations, starts: int) -> FrameFit:
        return best_of_starts(
            self.chain,
            self._arrays,
            now,
            self._random,
            starts=starts,
            max_iterations=self.settings.max_iterations,
            tolerance=self.settings.tolerance,
        )

    def _estimate_noise(self, observed: Observations, fit: FrameFit, information: NDArray[np.float64]) -> None:
        """Update the keypoints' standard deviation from the misfit of the pose and its degrees of freedom."""
        if not self.settings.adapt:
            return
        used = float(np.trace(np.linalg.solve(fit.measured + information, fit.measured)))
        left = max(row_count(observed) - used, 1.0)
        decay = 1.0 - 1.0 / self.settings.noise_frames
        self._squares = decay * self._squares + min(fit.cost, NOISE_CAP * left) * self.sigma_m**2
        self._degrees_of_freedom = decay * self._degrees_of_freedom + left
        self.sigma_m = float(max(np.sqrt(self._squares / self._degrees_of_freedom), self.settings.min_sigma_m))

    def _estimate_scale(
        self,
        innovation: NDArray[np.float64],
        predicted: Forecast,
        std: NDArray[np.float64],
        variance: NDArray[np.float64],
    ) -> None:
        """Update the factor on accelerations from the innovation (N); `std` (N) is infinite where an unknown jumped."""
        if not self.settings.adapt:
            return
        expected = np.diag(np.linalg.inv(predicted.information))
        excess = innovation**2 + variance - expected
        ratio = np.clip(excess / std**2 + self.scale**2, 0.0, MAX_RATIO)
        trust = np.where(np.isfinite(std), (np.where(np.isfinite(std), std, 0.0) ** 2 / expected) ** 2, 0.0)
        estimate = float((trust * ratio).sum() / max(trust.sum(), 1e-12))
        weight = 1.0 / self.settings.noise_frames
        square = (1.0 - weight) * self.scale**2 + weight * estimate
        self.scale = float(np.clip(np.sqrt(square), *SCALES))

    def _solution(self, fit: FrameFit, variance: NDArray[np.float64], *, restarted: bool) -> TrackedPose:
        positions, rotations = joints_of(self.chain, fit.pose, self._arrays)
        return TrackedPose(
            fit.pose, positions, rotations, np.sqrt(np.maximum(variance, 0.0)), fit.cost, restarted=restarted
        )


def _rest_of(chain: Chain, pose: Pose) -> NDArray[np.float64]:
    """Return the unknowns (N) of a pose's root with the prior's mean angles."""
    return np.concatenate([pose.unknowns[:ROOT_UNKNOWNS], chain.centre_rad])
