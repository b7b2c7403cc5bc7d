"""How a posture goes on from frame to frame: a Gaussian over the last two frames, and what it says of the next.

    x_next - x = rho (x - x_last) + s q w,  w ~ N(0, 1)

Velocity fades with rho = exp(-dt / fade_s), and changes by s q a frame: a prior on velocity and on acceleration in one.
s follows the data; single angles may jump, their q is then widened for that frame (Student's t).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.posture import Posture, difference, moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GaussianState", "Forecast", "forecast", "settled", "default_change", "velocity_kept"]


@dataclass(frozen=True, eq=False)
class GaussianState:
    """A Gaussian over the last frame's posture and the one before it."""

    last: Posture
    before: Posture
    information: NDArray[np.float64]
    """(2N, 2N) of (before, last)."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is expected of the next frame."""

    posture: Posture
    information: NDArray[np.float64]
    """(N, N)."""
    last: Posture
    last_information: NDArray[np.float64]
    """(N, N) of the last posture, with the one before summed out."""
    cross: NDArray[np.float64]
    """(N, N) between the last and the next posture."""
    next_information: NDArray[np.float64]
    """(N, N) of the next posture, the last one given."""


def velocity_kept(step_s: float, fade_s: float) -> float:
    """Return rho."""
    return float(np.exp(-step_s / fade_s))


def default_change(size: int, metres_s2: float, radians_s2: float, step_s: float) -> NDArray[np.float64]:
    """Return q (N): by how much velocities change in a frame [m, rad a frame]."""
    spread = np.full(size, radians_s2 * step_s**2)
    spread[:3] = metres_s2 * step_s**2
    return spread


def forecast(belief: GaussianState, rho: float, spread: NDArray[np.float64]) -> Forecast:
    """Return the next frame's Gaussian; `spread` (N) is s q."""
    size = len(spread)
    precision = 1.0 / spread**2
    last_aa = belief.information[:size, :size] + np.diag(rho**2 * precision)
    last_ab = belief.information[:size, size:] - np.diag(rho * (1.0 + rho) * precision)
    last_bb = belief.information[size:, size:] + np.diag((1.0 + rho) ** 2 * precision)
    toward = np.diag(rho * precision)
    solved = np.linalg.solve(last_aa, np.hstack([last_ab, toward]))
    ab, ac = solved[:, :size], solved[:, size:]
    bb = last_bb - last_ab.T @ ab
    bc = -np.diag((1.0 + rho) * precision) - last_ab.T @ ac
    cc = np.diag(precision) - toward.T @ ac
    information = cc - bc.T @ np.linalg.solve(bb, bc)
    step = difference(belief.last, belief.before)
    return Forecast(
        posture=moved(belief.last, np.asarray(rho * step, dtype=np.float64)),
        information=0.5 * (information + information.T),
        last=belief.last,
        last_information=bb,
        cross=bc,
        next_information=cc,
    )


def settled(
    coming: Forecast,
    posture: Posture,
    measured: NDArray[np.float64],
    jumps: NDArray[np.bool_],
    passed_on: NDArray[np.float64],
) -> tuple[GaussianState, NDArray[np.float64]]:
    """Return the belief after a frame was solved, and the innovation (N).

    Args:
        coming: What had been expected.
        posture: What was found.
        measured: (N, N) half the Hessian of the measurements.
        jumps: (N) unknowns that jumped: their velocity stays what it was.
        passed_on: (N, N) from `BallJoints`, from the last posture to this one.
    """
    innovation = difference(posture, coming.posture)
    smoothed = -np.linalg.solve(coming.last_information, coming.cross @ innovation)
    back = np.asarray(np.where(jumps, innovation, smoothed), dtype=np.float64)
    last, cross, coming_next = (
        passed_on.T @ block @ passed_on for block in (coming.last_information, coming.cross, coming.next_information)
    )
    information = np.block([[last, cross], [cross.T, coming_next + measured]])
    # Rounding makes it lopsided, and the next frames would make that grow.
    information = 0.5 * (information + information.T)
    return GaussianState(last=posture, before=moved(coming.last, back), information=information), innovation
