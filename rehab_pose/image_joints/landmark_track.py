"""Extrapolation of the landmarks over single frames: the network runs in every second frame of a fast camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.filters.constant_velocity import displacement_shares, extrapolation_fraction

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LandmarkSample", "LandmarkTrack"]

NOISE_FRACTION = 0.004
"""Displacement of a landmark between two runs that is mostly noise, in sides of the region: 1.5 px where the region has
400 px. Slower landmarks are held instead of extrapolated."""
MAX_SHIFT_FRACTION = 0.02
"""Largest extrapolated displacement of a visible landmark in sides of the region: 0.05 m. For faster movements the
network runs in each frame."""
VISIBLE = 0.5
"""Landmarks that are less probably visible than this do not make the network run."""


@dataclass(frozen=True, eq=False)
class LandmarkSample:
    """Landmarks at one stamp."""

    stamp_ns: int
    pixels: NDArray[np.float64]
    """(N, 2) in the full image [px]; the first 33 are the person's landmarks."""
    visibility: NDArray[np.float64]
    """(33) 0-1."""
    relative_m: NDArray[np.float64]
    """(33, 3) as in `ImageJoints.relative_m` [m]."""
    score: float


class LandmarkTrack:
    """The last two runs of the network on one person."""

    def __init__(self) -> None:
        self._before: LandmarkSample | None = None
        self._last: LandmarkSample | None = None
        self._extrapolated = False

    def add(self, sample: LandmarkSample) -> None:
        """Add the result of the network for a later frame."""
        self._before, self._last = self._last, sample
        self._extrapolated = False

    def predict(self, stamp_ns: int, side_px: float, horizon_s: float) -> LandmarkSample | None:
        """Return the landmarks at a later stamp at constant velocity, or None where the network has to run.

        It has to run in at least every second frame, for a stamp more than `horizon_s` after its last result, without
        two results that give a velocity, and when a visible landmark moves by more than MAX_SHIFT_FRACTION.

        Args:
            stamp_ns: Stamp of the frame [ns].
            side_px: Side of the region around the person [px].
            horizon_s: Longest extrapolation [s].
        """
        last, before = self._last, self._before
        if last is None or before is None or self._extrapolated:
            return None
        fraction = extrapolation_fraction(before.stamp_ns, last.stamp_ns, stamp_ns, horizon_s)
        if fraction is None:
            return None
        moved_px = last.pixels - before.pixels
        share = displacement_shares(moved_px, NOISE_FRACTION * side_px, fraction)
        count = len(last.visibility)
        share[:count][last.visibility <= VISIBLE] = 0.0
        shift_px = share * moved_px
        if (np.abs(shift_px[:count]) > MAX_SHIFT_FRACTION * side_px).any():
            return None
        self._extrapolated = True
        return LandmarkSample(
            stamp_ns=stamp_ns,
            pixels=last.pixels + shift_px,
            visibility=last.visibility,
            relative_m=last.relative_m + share[:count] * (last.relative_m - before.relative_m),
            score=last.score,
        )
