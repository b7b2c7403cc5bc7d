"""Extrapolation of points over a single frame, from two earlier measurements of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["displacement_shares"]


def displacement_shares(
    displacements: NDArray[np.float64], noise: float, interval_ns: int, horizon_ns: int
) -> NDArray[np.float64]:
    """Return the share (N, 1) of each point's last displacement by which it is extrapolated at constant velocity.

    Displacements that are not larger than the noise are mostly noise, so that these points are held where they are.

    Args:
        displacements: (N, D) of each point between two measurements, in any unit; NaN = missing.
        noise: Displacement between two measurements that is half noise, in the same unit.
        interval_ns: Time between the two measurements [ns].
        horizon_ns: Time from the later one to the extrapolation [ns].
    """
    squared = (displacements**2).sum(axis=-1, keepdims=True)
    return np.asarray(squared / (squared + noise**2) * (horizon_ns / interval_ns))
