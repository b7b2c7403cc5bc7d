"""Counting the repetitions of any movement, also of one that has no signal of its own.

The signal is the first principal component of all joints' motion over the last seconds, found anew as the person goes
on; a repetition leaves the resting end of it, crosses to the other end, and comes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.cycle_detector import Cycle

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AnyMovementCounter", "principal_motion"]

SAMPLE_NS = 66_666_667
"""Joints are taken at 15 Hz: enough for repetitions of 0.7 s [ns]."""
BUFFER_SAMPLES = 600
"""40 s."""
REVIEW_SAMPLES = 6
"""The component is found anew this often."""
MIN_SAMPLES = 20
MIN_RANGE_M = 0.15
"""Root of the summed squares of all joints' motion; below this nobody is exercising [m]."""
LOW_FRACTION, HIGH_FRACTION = 0.35, 0.65
"""Of the way from end to end: who begins between these rests in the middle."""
RISE_FRACTION, RETURN_FRACTION = 0.35, 0.7
"""A repetition rises by the first share of the way from end to end, and takes back the second share of its rise."""
ENDS = (5.0, 95.0)
"""Percentiles that are the two ends."""
SMOOTHING_SAMPLES = 3
SOONEST_FRACTION = 0.45
"""A far end that comes sooner after the last one than this share of the person's median is part of the same cycle."""
KNOWN_CYCLES = 3
"""From so many cycles on, the median is known."""
PATIENCE_NS = 1_000_000_000
"""Until then a cycle is believed only so long after its end, when the component has seen what follows [ns]."""


def principal_motion(positions_m: NDArray[Any]) -> NDArray[np.float64]:
    """Return the first principal component of the motion (T) [m], leaving the low end or the middle for the high end.

    Args:
        positions_m: (T, J, 3) in any fixed frame [m]; NaN = missing: the last seen place stands in.
    """
    flat = _held(np.asarray(positions_m, dtype=np.float64).reshape(len(positions_m), -1))
    moved = flat - flat.mean(axis=0)
    _, vectors = np.linalg.eigh(moved.T @ moved)
    component = moved @ vectors[:, -1]
    edge = SMOOTHING_SAMPLES // 2
    kernel = np.full(SMOOTHING_SAMPLES, 1.0 / SMOOTHING_SAMPLES)
    component = np.convolve(np.pad(component, edge, mode="edge"), kernel, mode="valid")
    low, high = np.percentile(component, ENDS)
    shares = (component - low) / max(high - low, 1e-9)
    decided = np.flatnonzero((shares < LOW_FRACTION) | (shares > HIGH_FRACTION))
    at_high = bool(len(decided)) and shares[decided[0]] > HIGH_FRACTION
    # Who rests in the middle goes to the high end first; who rests at an end rests at the low one.
    rests_in_middle = bool(len(decided)) and decided[0] > 0
    return np.asarray(component if at_high == rests_in_middle else -component)


def _held(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return columns (T, C) with gaps filled by the last value, or the first one; zero where nothing was ever seen."""
    seen = np.isfinite(flat)
    if seen.all():
        return flat
    rows = np.maximum.accumulate(np.where(seen, np.arange(len(flat))[:, None], -1), axis=0)
    rows = np.where(rows < 0, seen.argmax(axis=0)[None], rows)
    return np.nan_to_num(np.take_along_axis(flat, rows, axis=0))


class AnyMovementCounter:
    """Counts cycles of whatever is repeated."""

    def __init__(self, joint_count: int, smallest_range_m: float = MIN_RANGE_M) -> None:
        """Begin with nothing seen.

        Args:
            joint_count: How many joints each sample has.
            smallest_range_m: Motion below this is none [m].
        """
        self._joint_count = joint_count
        self._smallest_range_m = smallest_range_m
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._stamps_ns: list[int] = []
        self._positions_m: list[NDArray[Any]] = []
        self._taken = 0
        self._counted_ns = -1
        self._turns_ns: list[int] = []

    def update(self, stamp_ns: int, positions_m: NDArray[Any]) -> list[Cycle]:
        """Take the joints of one frame; return the cycles that are now known to be complete, oldest first.

        Args:
            stamp_ns: Of the frame, later than the last one.
            positions_m: (J, 3) in the camera's frame [m]; NaN = missing.
        """
        if self._stamps_ns and stamp_ns - self._stamps_ns[-1] < SAMPLE_NS - SAMPLE_NS // 4:
            return []
        self._stamps_ns.append(stamp_ns)
        self._positions_m.append(np.asarray(positions_m, dtype=np.float32).reshape(self._joint_count, 3))
        del self._stamps_ns[:-BUFFER_SAMPLES], self._positions_m[:-BUFFER_SAMPLES]
        self._taken += 1
        if self._taken % REVIEW_SAMPLES or len(self._stamps_ns) < MIN_SAMPLES:
            return []
        return self._review()

    def _review(self) -> list[Cycle]:
        values = principal_motion(np.array(self._positions_m))
        low, high = np.percentile(values, ENDS)
        if high - low < self._smallest_range_m:
            return []
        found = []
        for first, turn, end in _excursions((values - low) / (high - low)):
            start_ns, end_ns = self._stamps_ns[first], self._stamps_ns[end]
            middle_ns = (start_ns + end_ns) // 2
            if middle_ns <= self._counted_ns:
                continue
            if len(self._turns_ns) < KNOWN_CYCLES and self._stamps_ns[-1] - end_ns < PATIENCE_NS:
                break
            turn_ns = self._stamps_ns[turn]
            default_ns = float(np.median(np.diff(self._turns_ns))) if len(self._turns_ns) >= KNOWN_CYCLES else 0.0
            if self._turns_ns and turn_ns - self._turns_ns[-1] < SOONEST_FRACTION * default_ns:
                continue
            part = values[first : end + 1]
            start_ns = max(start_ns, self._counted_ns)
            found.append(Cycle(start_ns, end_ns, float(part.min()), float(part.max()), turn_ns))
            self._counted_ns = end_ns
            self._turns_ns.append(turn_ns)
        return found


def _excursions(shares: NDArray[np.float64]) -> list[tuple[int, int, int]]:
    """Return (first, turn, end) of every way up and back down, of shares (T) of the way from end to end."""
    found = []
    away, first, turn = False, 0, 0
    for place, share in enumerate(shares.tolist()):
        if not away:
            if share <= shares[first]:
                first = place
            elif share - shares[first] > RISE_FRACTION:
                away, turn = True, place
        elif share > shares[turn]:
            turn = place
        elif shares[turn] - share > max(RISE_FRACTION, RETURN_FRACTION * (shares[turn] - shares[first])):
            found.append((first, turn, place))
            away, first = False, place
    return found
