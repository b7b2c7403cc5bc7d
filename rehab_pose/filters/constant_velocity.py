"""Extrapolation of points over a single frame, from two earlier measurements of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["displacement_shares", "extrapolation_fraction"]

MAX_INTERVAL_NS = 150_000_000
"""Longest time between two measurements from which a velocity is computed [ns]."""


def extrapolation_fraction(before_ns: int, last_ns: int, stamp_ns: int, longest_s: float) -> float | None:
    """Return the time from the last measurement to a stamp, in units of the time between the last two measurements.

    None where points may not be extrapolated: the stamp is not later, or later by more than `longest_s` [s], or the
    measurements give no velocity.

    Args:
        before_ns: Stamp of the measurement before the last one [ns].
        last_ns: Stamp of the last measurement [ns].
        stamp_ns: Stamp of the extrapolation [ns].
        longest_s: Longest extrapolation [s].
    """
    interval_ns, horizon_ns = last_ns - before_ns, stamp_ns - last_ns
    if not 0 < horizon_ns <= longest_s * NS_PER_S or not 0 < interval_ns <= MAX_INTERVAL_NS:
        return None
    return horizon_ns / interval_ns


def displacement_shares(displacements: NDArray[np.float64], noise: float, fraction: float) -> NDArray[np.float64]:
    """Return the share (N, 1) of each point's last displacement by which it is extrapolated at constant velocity.

    Displacements that are not larger than the noise are mostly noise, so that these points are held where they are.

    Args:
        displacements: (N, D) of each point between two measurements, in any unit; NaN = missing.
        noise: Displacement between two measurements that is half noise, in the same unit.
        fraction: That of `extrapolation_fraction`.
    """
    squared = (displacements**2).sum(axis=-1, keepdims=True)
    return np.asarray(squared / (squared + noise**2) * fraction)
