"""The newest frames of one kind, as rows of numbers in memory that does not grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["FrameTrack"]

EMPTY_NS = np.iinfo(np.int64).min
"""Newest stamp of a track without frames [ns]: before every other."""


class FrameTrack:
    """Stamps and values of the newest frames in order of time.

    Objects that are kept for minutes among thousands that are not leave holes in a process's memory; two arrays that
    are used again and again do not.
    """

    def __init__(self, frames: int, columns: int) -> None:
        """Initialise without frames.

        Args:
            frames: Number of frames that are kept.
            columns: Number of values of a frame.
        """
        self._stamps_ns = np.empty(frames, np.int64)
        self._values = np.empty((frames, columns))
        self._first = self._count = 0
        self._newest_ns = EMPTY_NS

    def add(self, stamp_ns: int, values: ArrayLike) -> None:
        """Add a frame in place of the oldest one; a stamp that is not the newest, after time jumped back, clears first.

        Args:
            stamp_ns: Stamp of the frame [ns].
            values: (columns); NaN = missing.
        """
        if stamp_ns <= self._newest_ns:
            self.clear()
        capacity = len(self._stamps_ns)
        row = (self._first + self._count) % capacity
        self._stamps_ns[row], self._values[row] = stamp_ns, values
        self._newest_ns = stamp_ns
        if self._count < capacity:
            self._count += 1
        else:
            self._first = (self._first + 1) % capacity

    def between(self, start_ns: int, end_ns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return copies of stamps (N) [ns] and values (N, columns) from `start_ns` to `end_ns`, both included."""
        rows = (self._first + np.arange(self._count)) % len(self._stamps_ns)
        stamps_ns = self._stamps_ns[rows]
        start, end = np.searchsorted(stamps_ns, start_ns, "left"), np.searchsorted(stamps_ns, end_ns, "right")
        return stamps_ns[start:end], self._values[rows[start:end]]

    def clear(self) -> None:
        """Forget all frames."""
        self._first = self._count = 0
        self._newest_ns = EMPTY_NS
