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
ONE_SIDED_SHIFT = 0.1
"""Weight of a cycle to one side only in the estimated middle: its own middle is not that of the signal."""
SMALL_SIDE_FRACTION = 0.2
"""A cycle of a two-sided signal is to one side only if the other side has less than this fraction of the swing."""
MIDDLE_BAND_FRACTION = 0.35
"""A two-sided signal is in the middle within this fraction of the distance from the middle to the last extreme."""
WAIT_FIRST_NS, WAIT_ONE_SIDE_NS, WAIT_OTHER_SIDE_NS = 3_000_000_000, 1_000_000_000, 9_000_000_000
"""A movement to one side is a cycle of its own once the signal has stayed in the middle for this long [ns]: before the
first cycle is complete, after a cycle to one side, and after one to both sides. Chosen so that a pause of 2 s between
left and right is none between repetitions, and that one of 8 s is none in a set that goes to both sides."""
WAIT_FRACTION = 0.25
"""It has to stay there for this fraction of the median duration of a cycle at least: slow movements pass the middle in
a tenth of it."""
REMEMBERED_CYCLES = 5
"""Number of last cycles in the medians of range and duration."""
SMOOTHING_S = 0.08
"""Time constant of the low-pass filter of the signal until the first cycle is complete [s]."""
SMOOTHING_FRACTION = 0.04
"""Time constant of the filter after the first cycle, as a fraction of the median duration of a cycle."""
SMOOTHING_RANGE_S = (0.05, 0.2)
"""Limits of the time constant after the first cycle [s]."""
MAX_STEP_S = 0.1
"""After a longer gap the filter takes the next sample as one after this time: the noise of a single sample does not
become an extreme [s]."""


@dataclass(frozen=True)
class Cycle:
    """One full cycle of a signal."""

    start_ns: int
    end_ns: int
    minimum: float
    maximum: float
    turn_ns: int = 0
    """Stamp of the maximum of a one-sided cycle, or of the first extreme of a two-sided cycle [ns]."""
    side: int = 0
    """Of a two-sided signal that went to one side only: 1 where it rose, -1 where it fell; else 0."""


class CycleDetector:
    """Detects the full cycles of one signal, sample by sample.

    A one-sided cycle goes from rest to a maximum and back (a squat). A two-sided cycle goes to one extreme, to the
    opposite one and back towards the middle (a tilt to the left and then to the right). If a person moves to one side
    only, each movement is a cycle, which is detected when the next movement begins or after a rest in the middle.
    """

    def __init__(
        self,
        minimum_range: float,
        *,
        two_sided: bool,
        shortest_s: float,
        longest_s: float,
        middle: float = float("nan"),
    ) -> None:
        """Start at rest.

        Args:
            minimum_range: The smallest rise (or swing from side to side) that counts, in the signal's unit.
            two_sided: Whether a cycle goes to both sides.
            shortest_s: Shorter cycles are discarded as noise [s].
            longest_s: Cycles that are not complete after this time are abandoned [s].
            middle: Value of a two-sided signal between the sides; NaN = that of the first sample.
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
        self._middle = middle
        self._last_one_sided: bool | None = None
        """True if the last cycle went to one side only; None before the first cycle."""
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
        self._middle_since_ns = stamp_ns

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
    def away(self) -> bool:
        """True if the signal is far from rest, as in a hold; a two-sided signal on either side."""
        if not self._two_sided:
            return self._direction == 1 and not self._settling
        swing = max([self._threshold, *self._ranges])
        return self._direction != 0 and abs(self._value - self._rest) > 0.5 * MIDDLE_BAND_FRACTION * swing

    @property
    def extreme_ns(self) -> int:
        """Stamp at which the signal was farthest from rest in the current cycle [ns]; without meaning at rest."""
        return self._extreme_ns if self._two_sided else self._turn_ns

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
            if self._two_sided and np.isfinite(self._middle):
                self._rest = self._middle
        else:
            step_s = min(max(stamp_ns - self._stamp_ns, 0) * 1e-9, MAX_STEP_S)
            self._value += (value - self._value) * step_s / (step_s + self._smoothing_s)
        self._stamp_ns = stamp_ns
        resting = self._direction == 0 and not self._settling
        if resting and abs(self._value - self._rest) < DEPARTURE_FRACTION * self._threshold:
            self._departure_ns = stamp_ns
        if not resting and stamp_ns - self._departure_ns > self._longest_ns:
            self._restart(stamp_ns, self._value)
        return self._two_sided_step() if self._two_sided else self._one_sided_step()

    def _finish(self, end_ns: int, minimum: float, maximum: float, side: int = 0) -> Cycle | None:
        start_ns, since_ns = self._departure_ns, min(self._departure_ns, self._free_ns)
        self._departure_ns = self._free_ns = end_ns
        if end_ns - since_ns < self._shortest_ns:
            return None
        self._ranges.append(maximum - minimum)
        self._durations_s.append((end_ns - start_ns) * 1e-9)
        fraction = ADAPT_FRACTION_TWO_SIDED if self._two_sided else ADAPT_FRACTION
        self._threshold = max(self._minimum_range, fraction * float(np.median(self._ranges)))
        self._smoothing_s = float(np.clip(SMOOTHING_FRACTION * np.median(self._durations_s), *SMOOTHING_RANGE_S))
        return Cycle(start_ns, end_ns, minimum, maximum, self._turn_ns, side)

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
        returned, extreme = self._follow(value)
        # On the smaller side of an asymmetric movement the return is compared with that side, not with the full swing.
        required = min(REVERSAL_FRACTION * (self._high - self._low), RETURN_FRACTION * abs(extreme - self._rest))
        if returned < max(0.5 * self._threshold, required):
            in_middle = abs(value - self._rest) < 0.5 * DEPARTURE_FRACTION * self._threshold
            if self._durations_s and not self._extremes and in_middle:
                self._departure_ns = self._stamp_ns  # still in the middle: a pause is not part of a cycle
            return self._one_side_only() if self._extremes else None
        if not self._extremes or self._turn_ns < self._departure_ns:  # a first extreme before the start is a rest
            self._turn_ns = self._extreme_ns
        self._direction = -self._direction
        self._extreme_ns = self._stamp_ns
        if self._direction > 0:
            self._high = value
        else:
            self._low = value
        self._extremes.append(extreme)
        self._middle_since_ns = self._stamp_ns
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

    def _in_middle(self, value: float) -> bool:
        """Return whether a value is nearer to the middle than to the last extreme."""
        farthest = self._extremes[0] if self._extremes else (self._high if self._direction > 0 else self._low)
        return abs(value - self._rest) <= MIDDLE_BAND_FRACTION * abs(farthest - self._rest)

    def _one_side_only(self) -> Cycle | None:
        """Return the cycle of one extreme after which the signal has stayed in the middle."""
        if not self._in_middle(self._value):
            self._middle_since_ns = self._stamp_ns
            return None
        waits_ns = {None: WAIT_FIRST_NS, True: WAIT_ONE_SIDE_NS, False: WAIT_OTHER_SIDE_NS}
        slow_ns = WAIT_FRACTION * 1e9 * float(np.median(self._durations_s)) if self._durations_s else 0.0
        if self._stamp_ns - self._middle_since_ns < max(waits_ns[self._last_one_sided], slow_ns):
            return None
        extreme, value, end_ns = self._extremes[0], self._value, self._middle_since_ns
        other = self._low if self._direction < 0 else self._high
        minimum, maximum = min(extreme, other), max(extreme, other)
        self._extremes, self._direction, self._low, self._high = [], 0, value, value
        if maximum - minimum < self._threshold:
            self._departure_ns = self._stamp_ns
            return None
        self._last_one_sided = True
        return self._finish(end_ns, minimum, maximum, 1 if extreme > self._rest else -1)

    def _pair(self) -> Cycle | None:
        """Return the cycle of the two extremes, None where their difference is below the threshold."""
        minimum, maximum = min(self._extremes), max(self._extremes)
        self._extremes = []
        if maximum - minimum < self._threshold:
            self._departure_ns = self._stamp_ns
            return None
        above, below = maximum - self._rest, self._rest - minimum
        self._last_one_sided = min(above, below) < SMALL_SIDE_FRACTION * (maximum - minimum)
        shift = ONE_SIDED_SHIFT if self._last_one_sided else MIDDLE_FRACTION
        self._rest += shift * (0.5 * (minimum + maximum) - self._rest)
        side = (1 if above > below else -1) if self._last_one_sided else 0
        return self._finish(self._stamp_ns, minimum, maximum, side)
