"""Full cycles of one signal, sample by sample, with hysteresis that follows the person's own range."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from rehab_pose.datatypes import RepetitionPhase

__all__ = ["Cycle", "CycleDetector"]

RETURN_FRACTION = 0.65
"""A one-sided cycle is one when this share of its rise has been taken back: patients rarely return all the way."""
REST_FRACTION = 0.1
"""It ends when no more than this share of the rise is left, ..."""
RISE_FRACTION = 0.08
"""... when the signal turns up again by this share of the rise, ..."""
STUCK_NS = 300_000_000
"""... or when it has not come any lower for this long [ns]."""
DEPARTURE_FRACTION = 0.2
"""A cycle starts when this share of the threshold was last left behind."""
REVERSAL_FRACTION = 0.4
"""An extreme of a two-sided cycle stands when the signal has turned back by this share of the swing."""
ADAPT_FRACTION, ADAPT_FRACTION_TWO_SIDED = 0.35, 0.5
"""After the first cycle, a rise (a swing) below this share of the person's median range is not a repetition; of a
swing, half is only one side."""
MIDDLE_FRACTION = 0.5
"""How fast the middle of a two-sided signal follows the middle of its extremes."""
REMEMBERED_CYCLES = 5
SMOOTHING_S = 0.08
"""Time constant of the low-pass before the detector until the tempo is known [s], ..."""
SMOOTHING_FRACTION = 0.04
"""... then this share of a cycle, ..."""
SMOOTHING_RANGE_S = (0.05, 0.2)
"""... within these [s]."""


@dataclass(frozen=True)
class Cycle:
    """One full cycle of a signal."""

    start_ns: int
    end_ns: int
    minimum: float
    maximum: float
    turn_ns: int = 0
    """One-sided: stamp of the far end. Two-sided: stamp of the first side's far end."""


class CycleDetector:
    """Finds the full cycles of one signal, sample by sample.

    One-sided: rest, away, back (a squat). Two-sided: one extreme, then the opposite one, then back towards the middle
    (a tilt to the left and to the right is one cycle). Somebody who only ever goes to one side gets one cycle a
    movement; its last one is counted when the next begins.
    """

    def __init__(self, minimum_range: float, *, two_sided: bool, shortest_s: float, longest_s: float) -> None:
        """Begin at rest.

        Args:
            minimum_range: The smallest rise (or swing from side to side) that counts, in the signal's unit.
            two_sided: Whether a cycle goes to both sides.
            shortest_s: Faster cycles are noise [s].
            longest_s: Slower cycles are given up [s].
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
        self._free_ns = stamp_ns  # since when no cycle was under way: a pause before it makes none too fast
        self._extremes: list[float] = []
        self._turn_ns = 0

    @property
    def phase(self) -> RepetitionPhase:
        """Where in a repetition the signal is; a two-sided one is BACK while it nears the middle from either side."""
        if not np.isfinite(self._value):
            return RepetitionPhase.UNKNOWN
        if not self._two_sided:
            if self._settling:
                return RepetitionPhase.BACK
            if self._direction == 0:
                away = self._value > self._low + DEPARTURE_FRACTION * self._threshold
                return RepetitionPhase.OUT if away else RepetitionPhase.REST
            turned = self._high - self._value > RISE_FRACTION * (self._high - self._low)
            return RepetitionPhase.BACK if turned else RepetitionPhase.OUT
        if self._direction == 0:
            return RepetitionPhase.REST
        return RepetitionPhase.OUT if self._direction * (self._value - self._rest) > 0 else RepetitionPhase.BACK

    @property
    def started_ns(self) -> int:
        """Stamp at which the repetition under way began; without meaning at REST."""
        return self._departure_ns

    def update(self, stamp_ns: int, value: float) -> Cycle | None:
        """Take one sample; return the cycle that it completes. NaN is passed over."""
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
        share = ADAPT_FRACTION_TWO_SIDED if self._two_sided else ADAPT_FRACTION
        self._threshold = max(self._minimum_range, share * float(np.median(self._ranges)))
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
        """Wait for the lowest point of the way back, so that the time of the repetition is the whole time."""
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
            self._departure_ns = self._stamp_ns  # still in the middle: a pause belongs to no repetition
        turned, extreme = self._follow(value)
        # A small side is turned back from when most of it, not a share of the large side too, has been taken back.
        enough = min(REVERSAL_FRACTION * (self._high - self._low), RETURN_FRACTION * abs(extreme - self._rest))
        if turned < max(0.5 * self._threshold, enough):
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
        half = 0.5 * self._threshold  # from the middle to one side is half the swing
        if value > self._low + half:
            self._direction, self._high, self._extreme_ns = 1, value, self._stamp_ns
        elif value < self._high - half:
            self._direction, self._low, self._extreme_ns = -1, value, self._stamp_ns

    def _follow(self, value: float) -> tuple[float, float]:
        """Follow the side being approached; return how far the signal has turned back from its extreme, and that."""
        if self._direction > 0:
            if value > self._high:
                self._high, self._extreme_ns = value, self._stamp_ns
            return self._high - value, self._high
        if value < self._low:
            self._low, self._extreme_ns = value, self._stamp_ns
        return value - self._low, self._low

    def _pair(self) -> Cycle | None:
        """Return the cycle of two extremes."""
        minimum, maximum = min(self._extremes), max(self._extremes)
        self._extremes = []
        if maximum - minimum < self._threshold:
            self._departure_ns = self._stamp_ns
            return None
        self._rest += MIDDLE_FRACTION * (0.5 * (minimum + maximum) - self._rest)
        return self._finish(self._stamp_ns, minimum, maximum)
