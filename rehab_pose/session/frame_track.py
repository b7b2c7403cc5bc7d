"""The newest frames of one kind, as rows of numbers in memory that does not grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["FrameTrack"]

FIRST_FRAMES = 512
"""Frames for which there is memory at first."""
EMPTY_NS = np.iinfo(np.int64).min
"""Newest stamp of a track without frames [ns]: before every other."""


class FrameTrack:
    """Stamps and values of the newest frames in order of time.

    Objects that are kept for minutes among thousands that are not leave holes in a process's memory; two arrays that
    are used again and again do not.
    """

    def __init__(self, kept_ns: int, max_frames: int, columns: int) -> None:
        """Initialise without frames.

        Args:
            kept_ns: Time for which frames are kept at least [ns].
            max_frames: Frames that are kept at most, even if they are younger.
            columns: Number of values of a frame.
        """
        self._kept_ns, self._max_frames = kept_ns, max_frames
        frames = min(FIRST_FRAMES, max_frames)
        self._stamps_ns, self._values = np.empty(frames, np.int64), np.empty((frames, columns))
        self._first = self._count = 0
        self._newest_ns = EMPTY_NS

    def add(self, stamp_ns: int, values: ArrayLike) -> None:
        """Add a frame; a stamp that is not later than the newest one, after time jumped back, clears the track first.

        Args:
            stamp_ns: Stamp of the frame [ns].
            values: (columns); NaN = missing.
        """
        if stamp_ns <= self._newest_ns:
            self.clear()
        if self._count == len(self._stamps_ns):
            if stamp_ns - self._stamps_ns[self._first] <= self._kept_ns and self._count < self._max_frames:
                self._enlarge()
            else:
                self._first = (self._first + 1) % self._count
                self._count -= 1
        row = (self._first + self._count) % len(self._stamps_ns)
        self._stamps_ns[row], self._values[row] = stamp_ns, values
        self._newest_ns = stamp_ns
        self._count += 1

    def between(self, start_ns: int, end_ns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return copies of stamps (N) [ns] and values (N, columns) from `start_ns` to `end_ns`, both included."""
        rows = self._rows()
        stamps_ns = self._stamps_ns[rows]
        start, end = np.searchsorted(stamps_ns, start_ns, "left"), np.searchsorted(stamps_ns, end_ns, "right")
        return stamps_ns[start:end], self._values[rows[start:end]]

    def clear(self) -> None:
        """Forget all frames."""
        self._first = self._count = 0
        self._newest_ns = EMPTY_NS

    def _rows(self) -> NDArray[np.intp]:
        """Return the rows (N) of the frames in order of time."""
        return (self._first + np.arange(self._count)) % len(self._stamps_ns)

    def _enlarge(self) -> None:
        """Make room for up to twice as many frames."""
        rows, frames = self._rows(), min(2 * self._count, self._max_frames)
        stamps_ns, values = np.empty(frames, np.int64), np.empty((frames, self._values.shape[1]))
        stamps_ns[: self._count], values[: self._count] = self._stamps_ns[rows], self._values[rows]
        self._stamps_ns, self._values, self._first = stamps_ns, values, 0
