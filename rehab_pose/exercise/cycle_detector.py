"""Online detection of the full cycles of one signal, with a hysteresis that adapts to the person's range."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from rehab_pose.datatypes import RepetitionPhase

__all__ = ["Cycle", "CycleDetector"]

RETURN_FRACTION = 0.65
"""A one-sided cycle counts once the signal has returned by this fraction of its rise: patients rarely return fully."""
REST_FRACTION = 0.1
"""A returning one-sided cycle ends when at most this fraction of the rise is left."""
RISE_FRACTION = 0.08
"""A returning one-sided cycle also ends when the signal rises again by this fraction of the rise."""
STUCK_NS = 300_000_000
"""A returning one-sided cycle also ends when the signal has not reached a new minimum for this long [ns]."""
DEPARTURE_FRACTION = 0.2
"""A cycle starts at the last sample within this fraction of the threshold from rest."""
REVERSAL_FRACTION = 0.4
"""An extreme of a two-sided cycle is confirmed when the signal has returned by this fraction of the swing."""
ADAPT_FRACTION, ADAPT_FRACTION_TWO_SIDED = 0.35, 0.5
"""After the first cycle the threshold is this fraction of the person's median range, for one-sided and for two-sided
signals; one side of a two-sided signal is about half of its swing."""
MIDDLE_FRACTION = 0.5
"""Weight of the newest cycle in the estimated middle of a two-sided signal."""
REMEMBERED_CYCLES = 5
"""Number of last cycles in the medians of range and duration."""
SMOOTHING_S = 0.08
"""Time constant of the low-pass filter of the signal until the first cycle is complete [s]."""
SMOOTHING_FRACTION = 0.04
"""Time constant of the filter after the first cycle, as a fraction of the median duration of a cycle."""
SMOOTHING_RANGE_S = (0.05, 0.2)
"""Limits of the time constant after the first cycle [s]."""


@dataclass(frozen=True)
class Cycle:
    """One full cycle of a signal."""

    start_ns: int
    end_ns: int
    minimum: float
    maximum: float
    turn_ns: int = 0
    """Stamp of the maximum of a one-sided cycle, or of the first extreme of a two-sided cycle [ns]."""


class CycleDetector:
    """Detects the full cycles of one signal, sample by sample.

    A one-sided cycle goes from rest to a maximum and back (a squat). A two-sided cycle goes to one extreme, to the
    opposite one and back towards the middle (a tilt to the left and then to the right). If a person moves to one side
    only, each movement is a cycle, which is detected when the next movement begins.
    """

    def __init__(self, minimum_range: float, *, two_sided: bool, shortest_s: float, longest_s: float) -> None:
        """Start at rest.

        Args:
            minimum_range: The smallest rise (or swing from side to side) that counts, in the signal's unit.
            two_sided: Whether a cycle goes to both sides.
            shortest_s: Shorter cycles are discarded as noise [s].
            longest_s: Cycles that are not complete after this time are abandoned [s].
        """
        self._minimum_range = minimum_range
        self._two_sided = two_sided
        self._shortest_ns = int(shortest_s * 1e9)
        self._longest_ns = int(longest_s * 1e9)
        self._ranges: deque[float] = deque(maxlen=REMEMBERED_CYCLES)
        self._durations_s: deque[float] = deque(maxlen=REMEMBERED_CYCLES)
        self._smoothing_s = SMOOTHING_S
        self._threshold = minimum_range
        self._stamp_ns = 0
        self._value = float("nan")
        self._restart(0, float("nan"))

    def _restart(self, stamp_ns: int, value: float) -> None:
        self._direction = 0
        self._settling = False
        self._low = self._high = self._rest = value
        self._low_ns = self._extreme_ns = stamp_ns
        self._departure_ns = stamp_ns
        self._free_ns = stamp_ns  # end of the last cycle: a pause before a cycle counts towards its shortest duration
        self._extremes: list[float] = []
        self._turn_ns = 0

    @property
    def phase(self) -> RepetitionPhase:
        """Phase of the current cycle; a two-sided signal is in BACK while it approaches the middle from either side."""
        if not np.isfinite(self._value):
            return RepetitionPhase.UNKNOWN
        if not self._two_sided:
            if self._settling:
                return RepetitionPhase.BACK
            if self._direction == 0:
                away = self._value > self._low + DEPARTURE_FRACTION * self._threshold
                return RepetitionPhase.OUT if away else RepetitionPhase.REST
            returned = self._high - self._value > RISE_FRACTION * (self._high - self._low)
            return RepetitionPhase.BACK if returned else RepetitionPhase.OUT
        if self._direction == 0:
            return RepetitionPhase.REST
        return RepetitionPhase.OUT if self._direction * (self._value - self._rest) > 0 else RepetitionPhase.BACK

    @property
    def started_ns(self) -> int:
        """Stamp at which the current cycle started [ns]; without meaning in the phase REST."""
        return self._departure_ns

    def update(self, stamp_ns: int, value: float) -> Cycle | None:
        """Process one sample and return the cycle that it completes, if any; NaN is ignored."""
        if not np.isfinite(value):
            return None
        if not np.isfinite(self._value):
            self._value = value
            self._restart(stamp_ns, value)
        else:
            step_s = max(stamp_ns - self._stamp_ns, 0) * 1e-9
            self._value += (value - self._value) * step_s / (step_s + self._smoothing_s)
        self._stamp_ns = stamp_ns
        resting = self._direction == 0 and not self._settling
        if resting and abs(self._value - self._rest) < DEPARTURE_FRACTION * self._threshold:
            self._departure_ns = stamp_ns
        if not resting and stamp_ns - self._departure_ns > self._longest_ns:
            self._restart(stamp_ns, self._value)
        return self._two_sided_step() if self._two_sided else self._one_sided_step()

    def _finish(self, end_ns: int, minimum: float, maximum: float) -> Cycle | None:
        start_ns, since_ns = self._departure_ns, min(self._departure_ns, self._free_ns)
        self._departure_ns = self._free_ns = end_ns
        if end_ns - since_ns < self._shortest_ns:
            return None
        self._ranges.append(maximum - minimum)
        self._durations_s.append((end_ns - start_ns) * 1e-9)
        fraction = ADAPT_FRACTION_TWO_SIDED if self._two_sided else ADAPT_FRACTION
        self._threshold = max(self._minimum_range, fraction * float(np.median(self._ranges)))
        self._smoothing_s = float(np.clip(SMOOTHING_FRACTION * np.median(self._durations_s), *SMOOTHING_RANGE_S))
        return Cycle(start_ns, end_ns, minimum, maximum, self._turn_ns)

    def _one_sided_step(self) -> Cycle | None:
        value = self._value
        if self._settling:
            return self._settle(value)
        if self._direction == 0:
            if value < self._low:
                self._low = self._rest = value
                self._departure_ns = self._stamp_ns
            elif value > self._low + self._threshold:
                self._direction, self._high, self._turn_ns = 1, value, self._stamp_ns
            return None
        if value > self._high:
            self._high, self._turn_ns = value, self._stamp_ns
        if value <= self._high - RETURN_FRACTION * (self._high - self._low):
            self._settling, self._rest, self._low_ns = True, value, self._stamp_ns
        return None

    def _settle(self, value: float) -> Cycle | None:
        """Wait for the minimum after the return, so that the cycle ends there."""
        if value < self._rest:
            self._rest, self._low_ns = value, self._stamp_ns
        rise = self._high - self._low
        back = value <= self._low + REST_FRACTION * rise
        ended = back or value > self._rest + RISE_FRACTION * rise or self._stamp_ns - self._low_ns > STUCK_NS
        if not ended:
            return None
        cycle = self._finish(self._low_ns, self._low, self._high)
        self._direction, self._settling, self._low = 0, False, self._rest
        return cycle

    def _two_sided_step(self) -> Cycle | None:
        value = self._value
        if self._direction == 0:
            self._leave_middle(value)
            return None
        if (
            self._durations_s
            and not self._extremes
            and abs(value - self._rest) < 0.5 * DEPARTURE_FRACTION * self._threshold
        ):
            self._departure_ns = self._stamp_ns  # still in the middle: a pause is not part of a cycle
        returned, extreme = self._follow(value)
        # On the smaller side of an asymmetric movement the return is compared with that side, not with the full swing.
        required = min(REVERSAL_FRACTION * (self._high - self._low), RETURN_FRACTION * abs(extreme - self._rest))
        if returned < max(0.5 * self._threshold, required):
            return None
        if not self._extremes:
            self._turn_ns = self._extreme_ns
        self._direction = -self._direction
        self._extreme_ns = self._stamp_ns
        if self._direction > 0:
            self._high = value
        else:
            self._low = value
        self._extremes.append(extreme)
        return self._pair() if len(self._extremes) == 2 else None

    def _leave_middle(self, value: float) -> None:
        self._low, self._high = min(self._low, value), max(self._high, value)
        half = 0.5 * self._threshold  # one side is half of the swing
        if value > self._low + half:
            self._direction, self._high, self._extreme_ns = 1, value, self._stamp_ns
        elif value < self._high - half:
            self._direction, self._low, self._extreme_ns = -1, value, self._stamp_ns

    def _follow(self, value: float) -> tuple[float, float]:
        """Update the extreme of the current side; return how far the signal has returned from it, and the extreme."""
        if self._direction > 0:
            if value > self._high:
                self._high, self._extreme_ns = value, self._stamp_ns
            return self._high - value, self._high
        if value < self._low:
            self._low, self._extreme_ns = value, self._stamp_ns
        return value - self._low, self._low

    def _pair(self) -> Cycle | None:
        """Return the cycle of the two extremes, None where their difference is below the threshold."""
        minimum, maximum = min(self._extremes), max(self._extremes)
        self._extremes = []
        if maximum - minimum < self._threshold:
            self._departure_ns = self._stamp_ns
            return None
        self._rest += MIDDLE_FRACTION * (0.5 * (minimum + maximum) - self._rest)
        return self._finish(self._stamp_ns, minimum, maximum)
