"""Buffer of the arrays of the last seconds, one for each stamp."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SampleBuffer"]


class SampleBuffer:
    """Keeps the samples of the last seconds and discards older ones."""

    def __init__(self, duration_s: float, shape: tuple[int, ...], capacity: int) -> None:
        """Allocate the buffer.

        Args:
            duration_s: Samples older than this before the newest are discarded [s].
            shape: Shape of a sample.
            capacity: Size of the buffer in samples; at least half of it is available.
        """
        self._duration_ns = int(duration_s * 1e9)
        self._stamps_ns = np.zeros(capacity, dtype=np.int64)
        self._values = np.full((capacity, *shape), np.nan, dtype=np.float32)
        self.clear()

    def clear(self) -> None:
        """Discard all samples."""
        self._first = 0
        self._end = 0

    def __len__(self) -> int:
        """Return the number of samples kept."""
        return self._end - self._first

    def add(self, stamp_ns: int, sample: NDArray[Any] | None) -> None:
        """Add a sample with a stamp later than the last one [ns]; None = missing."""
        capacity = len(self._stamps_ns)
        if self._end == capacity:  # move the newest half to the front: one copy every `capacity / 2` samples
            keep = min(len(self), capacity // 2)
            self._stamps_ns[:keep] = self._stamps_ns[self._end - keep :]
            self._values[:keep] = self._values[self._end - keep :]
            self._first, self._end = 0, keep
        self._stamps_ns[self._end] = stamp_ns
        self._values[self._end] = np.nan if sample is None else sample
        self._end += 1
        while self._stamps_ns[self._first] < stamp_ns - self._duration_ns:
            self._first += 1

    @property
    def stamps_ns(self) -> NDArray[np.int64]:
        """Stamps (N) of the samples [ns]."""
        return self._stamps_ns[self._first : self._end]

    @property
    def values(self) -> NDArray[np.float32]:
        """Samples (N, ...); NaN = missing."""
        return self._values[self._first : self._end]
