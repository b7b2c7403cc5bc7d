"""Joints of the last seconds, as arrays for resampling, and the motion that moved each frame's joints there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.sample_buffer import SampleBuffer
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose.geometry.floor import CAMERA_UP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints

__all__ = ["JointHistory"]

UNMOVED = np.eye(3, 4)
"""Motion (3, 4), rotation and displacement, of joints that are kept as they are in the optical frame."""


class JointHistory:
    """Keeps the joints of the last seconds and discards older ones."""

    def __init__(self, duration_s: float, capacity: int = 2048) -> None:
        """Allocate the buffer.

        Args:
            duration_s: Samples older than this before the newest are discarded [s].
            capacity: Size of the buffer in samples; at least half of it is available.
        """
        self._positions = SampleBuffer(duration_s, (len(SMPL_INDICES), 3), capacity)
        self._motions = SampleBuffer(duration_s, (3, 4), capacity)
        self._confidence = SampleBuffer(duration_s, (len(SMPL_INDICES),), capacity)
        self.reset()

    def reset(self) -> None:
        """Discard all samples and the direction of gravity."""
        self._positions.clear()
        self._motions.clear()
        self._confidence.clear()
        self.up: NDArray[np.float64] = CAMERA_UP
        """(3) unit vector against gravity in the frame of the positions."""

    def __len__(self) -> int:
        """Return the number of samples kept."""
        return len(self._positions)

    def append(self, stamp_ns: int, joints: Joints | None) -> None:
        """Add the joints of one frame as they are in the optical frame; None where no person was found."""
        if joints is None:
            self.append_positions(stamp_ns, None)
        else:
            self.append_positions(
                stamp_ns, joints.positions_m[SMPL_INDICES], confidence=joints.confidence[SMPL_INDICES]
            )

    def append_positions(
        self,
        stamp_ns: int,
        positions_m: NDArray[Any] | None,
        motion: NDArray[Any] = UNMOVED,
        confidence: NDArray[Any] | None = None,
    ) -> None:
        """Add the joints of one frame.

        Args:
            stamp_ns: Later than the last one [ns].
            positions_m: (J, 3) FEATURE_JOINTS [m]; None where no person was found.
            motion: (3, 4) rotation and displacement [m] that moved them from the optical frame.
            confidence: (J) 0-1 of these joints; None = not known.
        """
        self._positions.add(stamp_ns, positions_m)
        self._motions.add(stamp_ns, motion)
        self._confidence.add(stamp_ns, confidence)

    def move(self, rotation: NDArray[np.float64], translation_m: NDArray[np.float64]) -> None:
        """Turn all samples by a rotation (3, 3) and displace them by a vector (3) [m]."""
        turn, shift = rotation.astype(np.float32), translation_m.astype(np.float32)
        kept, motions = self._positions.values, self._motions.values
        kept[:] = kept @ turn.T + shift
        motions[:] = turn @ motions
        motions[:, :, 3] += shift

    @property
    def stamps_ns(self) -> NDArray[np.int64]:
        """Stamps (N) of the samples [ns]."""
        return self._positions.stamps_ns

    @property
    def positions_m(self) -> NDArray[np.float32]:
        """Positions (N, J, 3) of FEATURE_JOINTS [m]; NaN = missing."""
        return self._positions.values

    @property
    def confidence(self) -> NDArray[np.float32]:
        """Confidence (N, J) of FEATURE_JOINTS, 0-1; NaN = not known."""
        return self._confidence.values

    def motions_at(self, stamps_ns: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the motions (M, 3, 4) of frames by their stamps (M) [ns, m]; NaN for frames that are not kept."""
        kept_ns = self.stamps_ns
        if not len(kept_ns):
            return np.full((len(stamps_ns), 3, 4), np.nan, dtype=np.float32)
        place = np.minimum(np.searchsorted(kept_ns, stamps_ns), len(kept_ns) - 1)
        return np.where((kept_ns[place] == stamps_ns)[:, None, None], self._motions.values[place], np.float32(np.nan))
