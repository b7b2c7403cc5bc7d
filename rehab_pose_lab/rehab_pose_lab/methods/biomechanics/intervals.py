"""Where an angle lies with a given probability: a Gaussian cut off at the limits."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["intervals_rad"]

_STANDARD = NormalDist()
_below = np.vectorize(_STANDARD.cdf, otypes=[np.float64])
_quantile = np.vectorize(_STANDARD.inv_cdf, otypes=[np.float64])
MIN_SIGMA_RAD = 1e-9


def intervals_rad(
    angles_rad: NDArray[np.float64],
    sigma_rad: NDArray[np.float64],
    lower_rad: NDArray[np.float64],
    upper_rad: NDArray[np.float64],
    probability: float = 0.9,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and the upper end of the central interval of each angle [rad].

    Args:
        angles_rad: (..., n) inside the limits.
        sigma_rad: (..., n) standard deviations as if there were no limits.
        lower_rad: (n).
        upper_rad: (n).
        probability: That the angle lies inside.
    """
    sigma = np.maximum(sigma_rad, MIN_SIGMA_RAD)
    first, last = _below((lower_rad - angles_rad) / sigma), _below((upper_rad - angles_rad) / sigma)
    tail = 0.5 * (1.0 - probability)
    ends = []
    for share in (tail, 1.0 - tail):
        place = np.clip(first + share * (last - first), 1e-12, 1.0 - 1e-12)
        ends.append(np.clip(angles_rad + sigma * _quantile(place), lower_rad, upper_rad))
    return ends[0], ends[1]
