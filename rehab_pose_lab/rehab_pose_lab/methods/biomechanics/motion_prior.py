"""Prior of the motion: a Gaussian over the poses of the last two frames, and its prediction of the next.

    x_next - x = rho (x - x_last) + s q w,  w ~ N(0, 1)

Velocity fades with rho = exp(-dt / fade_s), and changes by s q a frame: a prior on velocity and on acceleration in one.
s is estimated from the data; single angles may jump, their q is then widened for that frame (Student's t).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.chain_problem import Prior
from rehab_pose_lab.methods.biomechanics.pose_steps import difference, moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.pose import Pose

__all__ = ["Forecast", "GaussianState", "default_change", "forecast", "update", "velocity_kept"]


@dataclass(frozen=True, eq=False)
class GaussianState:
    """A Gaussian over the poses of the last frame and of the one before it."""

    last: Pose
    before: Pose
    information: NDArray[np.float64]
    """(2N, 2N) inverse covariance of (before, last)."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """Prediction of the next frame."""

    pose: Pose
    information: NDArray[np.float64]
    """(N, N)."""
    last: Pose
    last_information: NDArray[np.float64]
    """(N, N) of the last pose, with the one before marginalised."""
    cross: NDArray[np.float64]
    """(N, N) between the last and the next pose."""
    next_information: NDArray[np.float64]
    """(N, N) of the next pose, given the last one."""

    @property
    def prior(self) -> Prior:
        """The prediction as the prior of the next frame."""
        return Prior(self.pose.unknowns, self.pose.base, self.information)


def velocity_kept(step_s: float, fade_s: float) -> float:
    """Return the fraction rho of a velocity that is left after a frame."""
    return float(np.exp(-step_s / fade_s))


def default_change(size: int, metres_s2: float, radians_s2: float, step_s: float) -> NDArray[np.float64]:
    """Return q (N): the standard deviation of the change of velocity in a frame [m, rad a frame].

    Args:
        size: N.
        metres_s2: Standard deviation of the root's accelerations [m/s^2].
        radians_s2: Standard deviation of angular accelerations [rad/s^2].
        step_s: Time between frames [s].
    """
    std = np.full(size, radians_s2 * step_s**2)
    std[:3] = metres_s2 * step_s**2
    return std


def forecast(state: GaussianState, rho: float, std: NDArray[np.float64]) -> Forecast:
    """Return the prediction of the next frame; `std` (N) is s q."""
    size = len(std)
    precision = 1.0 / std**2
    last_aa = state.information[:size, :size] + np.diag(rho**2 * precision)
    last_ab = state.information[:size, size:] - np.diag(rho * (1.0 + rho) * precision)
    last_bb = state.information[size:, size:] + np.diag((1.0 + rho) ** 2 * precision)
    toward = np.diag(rho * precision)
    solved = np.linalg.solve(last_aa, np.hstack([last_ab, toward]))
    ab, ac = solved[:, :size], solved[:, size:]
    bb = last_bb - last_ab.T @ ab
    bc = -np.diag((1.0 + rho) * precision) - last_ab.T @ ac
    cc = np.diag(precision) - toward.T @ ac
    information = cc - bc.T @ np.linalg.solve(bb, bc)
    step = difference(state.last, state.before)
    return Forecast(
        pose=moved(state.last, np.asarray(rho * step, dtype=np.float64)),
        information=0.5 * (information + information.T),
        last=state.last,
        last_information=bb,
        cross=bc,
        next_information=cc,
    )


def update(
    predicted: Forecast,
    pose: Pose,
    measured: NDArray[np.float64],
    jumps: NDArray[np.bool_],
    transport: NDArray[np.float64],
) -> tuple[GaussianState, NDArray[np.float64]]:
    """Return the state after a frame was solved, and the innovation (N).

    Args:
        predicted: The prediction of the frame.
        pose: The solved pose.
        measured: (N, N) half the Hessian of the measurements.
        jumps: (N) unknowns that jumped: their velocity is kept.
        transport: (N, N) from `SphericalJoints`, from the last pose to this one.
    """
    innovation = difference(pose, predicted.pose)
    smoothed = -np.linalg.solve(predicted.last_information, predicted.cross @ innovation)
    back = np.asarray(np.where(jumps, innovation, smoothed), dtype=np.float64)
    last, cross, predicted_next = (
        transport.T @ block @ transport
        for block in (predicted.last_information, predicted.cross, predicted.next_information)
    )
    information = np.block([[last, cross], [cross.T, predicted_next + measured]])
    # Rounding makes it asymmetric, and the asymmetry would grow over the next frames.
    information = 0.5 * (information + information.T)
    return GaussianState(last=pose, before=moved(predicted.last, back), information=information), innovation
