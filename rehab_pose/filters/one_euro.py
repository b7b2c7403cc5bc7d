"""One Euro filter: a low-pass filter whose cut-off increases with speed (Casiez, Roussel and Vogel, CHI 2012)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.arrays import without_nan

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OneEuroFilter"]

DERIVATIVE_CUTOFF_HZ = 3.0
"""Cut-off frequency of the derivative [Hz]; with the paper's 1 Hz it lags some tenths of a second behind a limb."""


def _weight(cutoff_hz: NDArray[Any] | float, step_s: float) -> NDArray[np.float64]:
    """Return the weight of the new sample in a first-order low-pass filter: 1 / (1 + 1 / (2 pi f dt))."""
    return np.asarray(1.0 / (1.0 + 1.0 / (2.0 * np.pi * np.asarray(cutoff_hz) * step_s)))


class OneEuroFilter:
    """Filters an array of quantities independently of each other; NaN in one does not affect the others.

    Values of shape (J, 3) are J points: the speed of a point is the norm of its velocity, so that the result does not
    depend on the axes. Values of shape (D) are D scalars.
    """

    def __init__(self, minimum_cutoff_hz: float, speed_coefficient: float) -> None:
        """Make a filter without samples.

        Args:
            minimum_cutoff_hz: Cut-off frequency at rest [Hz].
            speed_coefficient: Increase of the cut-off frequency per speed [Hz / (unit/s)].
        """
        self._minimum_cutoff_hz = minimum_cutoff_hz
        self._speed_coefficient = speed_coefficient
        self.reset()

    def reset(self) -> None:
        """Discard all samples."""
        self._stamp_ns: int | None = None
        self._raw: NDArray[np.float64] = np.zeros(0)
        self._value: NDArray[np.float64] = np.zeros(0)
        self._rate: NDArray[np.float64] = np.zeros(0)

    @property
    def rate(self) -> NDArray[np.float64]:
        """Filtered rate of change of every quantity [1/s]; NaN after its first sample and where it is missing."""
        return self._rate.copy()

    def filter(self, stamp_ns: int, value: NDArray[Any]) -> NDArray[np.float64]:
        """Return the filtered values, in the shape of `value`; NaN where the value is NaN.

        A stamp that is not later than the last one resets the filter.
        """
        value = np.asarray(value, dtype=np.float64)
        if self._stamp_ns is None or stamp_ns <= self._stamp_ns or value.shape != self._value.shape:
            self._stamp_ns, self._raw, self._value = stamp_ns, value.copy(), value.copy()
            self._rate = np.full(value.shape, np.nan)
            return value.copy()
        step_s = (stamp_ns - self._stamp_ns) * 1e-9
        raw_rate = (value - self._raw) / step_s
        derivative_weight = _weight(DERIVATIVE_CUTOFF_HZ, step_s)
        rate = np.where(np.isfinite(self._rate), self._rate + derivative_weight * (raw_rate - self._rate), raw_rate)
        speed = without_nan(np.linalg.norm(rate, axis=-1, keepdims=True) if value.ndim > 1 else np.abs(rate))
        weight = _weight(self._minimum_cutoff_hz + self._speed_coefficient * speed, step_s)
        smooth = self._value + weight * (value - self._value)
        self._value = np.where(np.isfinite(self._value), smooth, value)
        self._rate = np.where(np.isfinite(value), rate, np.nan)
        self._stamp_ns, self._raw = stamp_ns, value.copy()
        return self._value.copy()
