"""Buffer of the joints of the last seconds, as arrays for resampling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose.geometry.floor import CAMERA_UP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints

__all__ = ["JointHistory"]


class JointHistory:
    """Keeps the joints of the last seconds and discards older ones."""

    def __init__(self, duration_s: float, capacity: int = 2048) -> None:
        """Allocate the buffer.

        Args:
            duration_s: Samples older than this before the newest are discarded [s].
            capacity: Size of the buffer in samples; at least half of it is available.
        """
        self._duration_ns = int(duration_s * 1e9)
        self._stamps_ns = np.zeros(capacity, dtype=np.int64)
        self._positions_m = np.full((capacity, len(SMPL_INDICES), 3), np.nan, dtype=np.float32)
        self.reset()

    def reset(self) -> None:
        """Discard all samples and the direction of gravity."""
        self._first = 0
        self._end = 0
        self.up: NDArray[np.float64] = CAMERA_UP
        """(3) unit vector against gravity in the frame of the positions."""

    def __len__(self) -> int:
        """Return the number of samples kept."""
        return self._end - self._first

    def append(self, stamp_ns: int, joints: Joints | None) -> None:
        """Add the joints of one frame as they are in the optical frame; None where no person was found."""
        self.append_positions(stamp_ns, None if joints is None else joints.positions_m[SMPL_INDICES])

    def append_positions(self, stamp_ns: int, positions_m: NDArray[Any] | None) -> None:
        """Add the positions (J, 3) of FEATURE_JOINTS at a frame [m]; None where no person was found."""
        capacity = len(self._stamps_ns)
        if self._end == capacity:  # move the newest half to the front: one copy every `capacity / 2` frames
            keep = min(len(self), capacity // 2)
            self._stamps_ns[:keep] = self._stamps_ns[self._end - keep :]
            self._positions_m[:keep] = self._positions_m[self._end - keep :]
            self._first, self._end = 0, keep
        self._stamps_ns[self._end] = stamp_ns
        self._positions_m[self._end] = np.nan if positions_m is None else positions_m
        self._end += 1
        while self._stamps_ns[self._first] < stamp_ns - self._duration_ns:
            self._first += 1

    def move(self, rotation: NDArray[np.float64], translation_m: NDArray[np.float64]) -> None:
        """Turn all samples by a rotation (3, 3) and displace them by a vector (3) [m]."""
        kept = self._positions_m[self._first : self._end]
        kept[:] = kept @ rotation.T.astype(np.float32) + translation_m.astype(np.float32)

    @property
    def stamps_ns(self) -> NDArray[np.int64]:
        """Stamps (N) of the samples [ns]."""
        return self._stamps_ns[self._first : self._end]

    @property
    def positions_m(self) -> NDArray[np.float32]:
        """Positions (N, J, 3) of FEATURE_JOINTS [m]; NaN = missing."""
        return self._positions_m[self._first : self._end]
