"""The offline solver: all frames of a sequence at once, inside the limits.

    sum_t E_t(x_t) + sum_t,i w_ti (x_t+1 - (1 + rho) x_t + rho x_t-1)_i^2 / (s q_i)^2

Levenberg-Marquardt on the sequence: the matrix couples a frame with two on either side, so its Cholesky factor is a
band matrix. The noise and s follow from expectation-maximisation, w from Student's t, so that an angle may jump.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.kinematics import forward
from rehab_pose.biomechanics.pose import Pose, joints_of
from rehab_pose.optimisation.levenberg_marquardt import Damping, Problem, Stopping, minimise
from rehab_pose_lab.methods.biomechanics.banded import band_bounded_step, band_factor, band_inverse
from rehab_pose_lab.methods.biomechanics.motion_prior import default_change, velocity_kept
from rehab_pose_lab.methods.biomechanics.objective import objective
from rehab_pose_lab.methods.biomechanics.observations import Observations, row_count, weighted
from rehab_pose_lab.methods.biomechanics.pose_steps import difference, moved
from rehab_pose_lab.methods.biomechanics.tracker import TrackedPose, Tracker, TrackerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain

__all__ = ["smooth_sequence"]

ROUNDS, FIRST_STEPS, STEPS = 10, 6, 3
"""Rounds of estimating the noise, and steps of the minimisation in the first and in each later one."""
STUDENT = 3.0
"""Degrees of freedom of the changes of velocity (Student's t with 3: 1 % are beyond six standard units)."""
JUMP_RAD = np.deg2rad(5.0)
"""Changes of the online poses beyond this begin with a small weight, as jumps [rad]."""
DAMPING = Damping(first=1e-3, increase=10.0, decrease=0.1, maximum=np.inf)
"""The factors of Marquardt 1963."""
MIN_DIAGONAL = 1e-9
"""Added to the diagonal, so that the matrix stays positive definite."""
MAX_ROOT_STEP_RAD = 1.0
"""Steps that rotate a root farther are shortened [rad]."""
MIN_GAIN = 1e-6
"""A step that lowers the objective by less than this fraction is the last."""
SCALES = (0.01, 5.0)
"""Bounds of the factor on accelerations."""


def smooth_sequence(
    chain: Chain, observed: Sequence[Observations], step_s: float, settings: TrackerSettings | None = None
) -> list[TrackedPose]:
    """Return the pose at every frame of a sequence with equal steps [s] between its frames."""
    settings = settings or TrackerSettings()
    ahead, forwards = _track(chain, observed, step_s, settings)
    _, backwards = _track(chain, observed[::-1], step_s, settings)
    start = [
        first.pose if first.sigma.sum() <= second.sigma.sum() else second.pose
        for first, second in zip(forwards, backwards[::-1], strict=True)
    ]
    work = _Sequence(chain, observed, step_s, settings, ahead)
    work.poses = start
    if settings.adapt:
        work.expect_jumps()
    for number in range(ROUNDS):
        work.improve(STEPS if number else FIRST_STEPS)
        work.estimate()
    work.improve(STEPS)
    arrays = chain.arrays._replace(offsets_m=ahead.offsets_m)
    solutions = []
    for pose, sigma, cost in zip(work.poses, work.sigma, work.cost, strict=True):
        positions, rotations = joints_of(chain, pose, arrays)
        solutions.append(TrackedPose(pose, positions, rotations, sigma, float(cost), restarted=False))
    return solutions


def _track(
    chain: Chain, observed: Sequence[Observations], step_s: float, settings: TrackerSettings
) -> tuple[Tracker, list[TrackedPose]]:
    tracker = Tracker(chain, settings)
    return tracker, [tracker.solve(frame, step_s) for frame in observed]


class _Sequence:
    """The unknowns of all frames and the estimates of noise and accelerations."""

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
        self._std = default_change(self._size, settings.acceleration_m_s2, settings.acceleration_rad_s2, step_s)
        self._scale = max(tracker.scale, 0.1) if settings.adapt else 1.0
        self._sigma_m = tracker.sigma_m
        self._weights = np.ones((max(self._count - 2, 0), self._size))
        self._rest_weight = np.concatenate([np.zeros(ROOT_UNKNOWNS), chain.std_rad**-2.0])
        self._rest = np.concatenate([np.zeros(ROOT_UNKNOWNS), chain.centre_rad])
        self.poses: list[Pose] = []
        self._candidate: list[Pose] = []
        self._linearised: list[Pose] = []
        """The poses at which cost, gradient and Hessian were computed."""
        self._gradient = np.zeros((self._count, self._size))
        self._hessian = np.zeros((self._count, self._size, self._size))
        self.cost = np.zeros(self._count)
        self.sigma = np.zeros((self._count, self._size))

    def _changes(self, poses: list[Pose]) -> NDArray[np.float64]:
        """Return the changes of velocity (T - 2, N)."""
        steps = np.array([difference(later, earlier) for earlier, later in pairwise(poses)])
        steps = steps.reshape(-1, self._size)
        return np.asarray(steps[1:] - self._terms[0] * steps[:-1])

    def _stiffness(self) -> NDArray[np.float64]:
        return np.asarray(self._weights / (self._scale * self._std) ** 2)

    def expect_jumps(self) -> None:
        """Lower the weights of the motion prior where the poses jump."""
        ratio = self._changes(self.poses) / (JUMP_RAD + self._scale * self._std)
        self._weights = (STUDENT + 1.0) / (STUDENT + ratio**2)

    def _evaluate(
        self, poses: list[Pose], *, derivative: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return each frame's cost (T), half its gradient (T, N) and half its Hessian (T, N, N)."""
        joints = len(self._arrays.parents)
        positions, rotations = np.empty((joints, 3)), np.empty((joints, 3, 3))
        axes = np.empty((len(self._arrays.axes), 3))
        cost, gradient = np.zeros(self._count), np.zeros((self._count, self._size))
        hessian = np.zeros((self._count, self._size, self._size))
        for t, pose in enumerate(poses):
            now = weighted(self._observed[t], self._sigma_m)
            forward(self._arrays, pose.unknowns, pose.base, positions, rotations, axes)
            cost[t] = objective(
                self._arrays,
                now,
                pose.base,
                positions,
                rotations,
                axes,
                hessian[t],
                gradient[t],
                derivative,
            )
        lower = np.tril(hessian)
        return cost, gradient, lower + np.tril(hessian, -1).transpose(0, 2, 1)

    def _motion_cost(self, poses: list[Pose]) -> float:
        deviation = poses[0].unknowns - self._rest
        return float((self._stiffness() * self._changes(poses) ** 2).sum() + (self._rest_weight * deviation**2).sum())

    def _motion_gradient(self) -> NDArray[np.float64]:
        gradient = np.zeros((self._count, self._size))
        force = self._stiffness() * self._changes(self.poses)
        for place, term in enumerate(self._terms):
            gradient[place : place + len(force)] += term * force
        gradient[0] += self._rest_weight * (self.poses[0].unknowns - self._rest)
        return gradient

    def _band(self) -> NDArray[np.float64]:
        """Return half the Hessian of the objective as a band (T N, 2 N + 1)."""
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
        """Take at most `steps` steps of Levenberg-Marquardt; cost and Hessian are then those of the poses."""
        self._candidate, self._linearised = self.poses, []
        minimise(PROBLEM, self, DAMPING, Stopping(steps, MIN_GAIN))
        if self._linearised is not self.poses:
            self.linearise()

    def candidate_cost(self) -> float:
        """Return the objective at the candidate."""
        return float(self._evaluate(self._candidate, derivative=False)[0].sum()) + self._motion_cost(self._candidate)

    def linearise(self) -> None:
        """Compute cost, gradient and Hessian of the measurements at the poses."""
        self.cost, self._gradient, self._hessian = self._evaluate(self.poses, derivative=True)
        self._linearised = self.poses

    def step(self, damping: float) -> bool:
        """Compute the next candidate, inside the limits."""
        band = self._band()
        band[:, -1] *= 1.0 + damping
        now = np.array([pose.unknowns for pose in self.poses])
        slope = (self._gradient + self._motion_gradient()).ravel()
        lower, upper = self._chain.lower, self._chain.upper
        step = band_bounded_step(band, slope, (lower - now).ravel(), (upper - now).ravel())
        step = step.reshape(self._count, self._size)
        step /= max(1.0, float(np.linalg.norm(step[:, 3:6], axis=1).max()) / MAX_ROOT_STEP_RAD)
        self._candidate = [self._inside(moved(pose, s)) for pose, s in zip(self.poses, step, strict=True)]
        return True

    def accept(self) -> None:
        """Take the candidate as the poses."""
        self.poses = self._candidate

    def _inside(self, pose: Pose) -> Pose:
        return Pose(np.clip(pose.unknowns, self._chain.lower, self._chain.upper), pose.base)

    def estimate(self) -> None:
        """Estimate the noise, the size of accelerations and the jumps from the posterior of every frame."""
        size, width = self._size, 2 * self._size
        factor = self._band()
        band_factor(factor)
        inverse = band_inverse(factor).reshape(self._count, size, width + 1)
        self.sigma = np.sqrt(np.maximum(inverse[:, :, width], 0.0))
        if not self._settings.adapt:
            return
        explained = 0.0
        for back in range(size):
            factor_of_pair = 2.0 if back else 1.0
            diagonal = np.diagonal(self._hessian, -back, axis1=1, axis2=2)
            explained += factor_of_pair * float((diagonal * inverse[:, back:, width - back]).sum())
        rows = sum(row_count(frame) for frame in self._observed)
        squares = float(self.cost.sum()) * self._sigma_m**2 + self._settings.sigma_m**2
        sigma_m = np.sqrt(squares / (max(rows - explained, 1.0) + 1.0))
        if self._count > 2:
            self._estimate_changes(inverse)
        self._sigma_m = float(max(sigma_m, self._settings.min_sigma_m))

    def _estimate_changes(self, inverse: NDArray[np.float64]) -> None:
        size, width, count = self._size, 2 * self._size, self._count - 2
        variance = np.zeros((count, size))
        for a in range(3):
            for b in range(a + 1):
                weight = (1.0 if a == b else 2.0) * self._terms[a] * self._terms[b]
                variance += weight * inverse[a : a + count, :, width - (a - b) * size]
        square = (self._changes(self.poses) ** 2 + np.maximum(variance, 0.0)) / self._std**2
        self._weights = (STUDENT + 1.0) / (STUDENT + square / self._scale**2)
        self._scale = float(np.clip(np.sqrt((self._weights * square).mean()), *SCALES))


PROBLEM = Problem(
    cost=_Sequence.candidate_cost, linearise=_Sequence.linearise, step=_Sequence.step, accept=_Sequence.accept
)
