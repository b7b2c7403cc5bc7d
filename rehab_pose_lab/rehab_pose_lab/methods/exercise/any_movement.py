"""Count the repetitions of arbitrary movements, including those without a defined signal.

The signal is the first principal component of the motion of all joints over the last seconds, which is recomputed
regularly. A repetition leaves the resting end of the signal, reaches the other end, and returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.cycle_detector import Cycle

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AnyMovementCounter", "principal_motion"]

SAMPLE_NS = 66_666_667
"""Sampling period: 15 Hz, sufficient for repetitions of 0.7 s [ns]."""
BUFFER_SAMPLES = 600
"""Length of the buffer: 40 s."""
REVIEW_SAMPLES = 6
"""The component is recomputed after this number of samples."""
MIN_SAMPLES = 20
"""Samples that are needed for the first component."""
MIN_RANGE_M = 0.15
"""Smallest range of the component (root of the summed squares over the joints) that is an exercise [m]."""
LOW_FRACTION, HIGH_FRACTION = 0.35, 0.65
"""A person whose first position is between these fractions of the range rests in the middle."""
RISE_FRACTION, RETURN_FRACTION = 0.35, 0.7
"""A repetition rises by at least the first fraction of the range, and returns by the second fraction of its rise."""
ENDS = (5.0, 95.0)
"""Percentiles of the component that are its two ends."""
SMOOTHING_SAMPLES = 3
"""Length of the moving average."""
MIN_PERIOD_FRACTION = 0.45
"""Turning points closer than this fraction of the person's median period belong to the same cycle."""
KNOWN_CYCLES = 3
"""Number of cycles from which on the median period is used."""
CONFIRM_NS = 1_000_000_000
"""Before that, a cycle is reported only this time after its end, when later motion is in the component [ns]."""


def principal_motion(positions_m: NDArray[Any]) -> NDArray[np.float64]:
    """Return the first principal component of the motion (T) [m]; movements start towards its high end.

    Args:
        positions_m: (T, J, 3) in any fixed frame [m]; NaN = missing, replaced by the last known position.
    """
    flat = _held(np.asarray(positions_m, dtype=np.float64).reshape(len(positions_m), -1))
    moved = flat - flat.mean(axis=0)
    _, vectors = np.linalg.eigh(moved.T @ moved)
    component = moved @ vectors[:, -1]
    edge = SMOOTHING_SAMPLES // 2
    kernel = np.full(SMOOTHING_SAMPLES, 1.0 / SMOOTHING_SAMPLES)
    component = np.convolve(np.pad(component, edge, mode="edge"), kernel, mode="valid")
    low, high = np.percentile(component, ENDS)
    fractions = (component - low) / max(high - low, 1e-9)
    decided = np.flatnonzero((fractions < LOW_FRACTION) | (fractions > HIGH_FRACTION))
    at_high = bool(len(decided)) and fractions[decided[0]] > HIGH_FRACTION
    # From a rest in the middle the first movement is towards the high end; a rest at an end is at the low end.
    rests_in_middle = bool(len(decided)) and decided[0] > 0
    return np.asarray(component if at_high == rests_in_middle else -component)


def _held(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return columns (T, C) with gaps filled by the last value, or the first one; zero for columns without values."""
    known = np.isfinite(flat)
    if known.all():
        return flat
    rows = np.maximum.accumulate(np.where(known, np.arange(len(flat))[:, None], -1), axis=0)
    rows = np.where(rows < 0, known.argmax(axis=0)[None], rows)
    return np.nan_to_num(np.take_along_axis(flat, rows, axis=0))


class AnyMovementCounter:
    """Counts the cycles of any repeated movement."""

    def __init__(self, joint_count: int, smallest_range_m: float = MIN_RANGE_M) -> None:
        """Start without history.

        Args:
            joint_count: Number of joints of each sample.
            smallest_range_m: Smallest range of the component that is an exercise [m].
        """
        self._joint_count = joint_count
        self._smallest_range_m = smallest_range_m
        self.reset()

    def reset(self) -> None:
        """Clear the history."""
        self._stamps_ns: list[int] = []
        self._positions_m: list[NDArray[Any]] = []
        self._taken = 0
        self._counted_ns = -1
        self._turns_ns: list[int] = []

    def update(self, stamp_ns: int, positions_m: NDArray[Any]) -> list[Cycle]:
        """Add the joints of one frame; return the cycles that have become complete, oldest first.

        Args:
            stamp_ns: Stamp of the frame [ns], later than the last one.
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
        cycles = []
        for first, turn, end in _excursions((values - low) / (high - low)):
            start_ns, end_ns = self._stamps_ns[first], self._stamps_ns[end]
            middle_ns = (start_ns + end_ns) // 2
            if middle_ns <= self._counted_ns:
                continue
            if len(self._turns_ns) < KNOWN_CYCLES and self._stamps_ns[-1] - end_ns < CONFIRM_NS:
                break
            turn_ns = self._stamps_ns[turn]
            default_ns = float(np.median(np.diff(self._turns_ns))) if len(self._turns_ns) >= KNOWN_CYCLES else 0.0
            if self._turns_ns and turn_ns - self._turns_ns[-1] < MIN_PERIOD_FRACTION * default_ns:
                continue
            part = values[first : end + 1]
            start_ns = max(start_ns, self._counted_ns)
            cycles.append(Cycle(start_ns, end_ns, float(part.min()), float(part.max()), turn_ns))
            self._counted_ns = end_ns
            self._turns_ns.append(turn_ns)
        return cycles


def _excursions(fractions: NDArray[np.float64]) -> list[tuple[int, int, int]]:
    """Return the indices (first, turn, end) of every rise and return of a signal (T) in fractions of its range."""
    excursions = []
    away, first, turn = False, 0, 0
    for place, value in enumerate(fractions.tolist()):
        if not away:
            if value <= fractions[first]:
                first = place
            elif value - fractions[first] > RISE_FRACTION:
                away, turn = True, place
        elif value > fractions[turn]:
            turn = place
        elif fractions[turn] - value > max(RISE_FRACTION, RETURN_FRACTION * (fractions[turn] - fractions[first])):
            excursions.append((first, turn, place))
            away, first = False, place
    return excursions
