"""Counting repetitions: full cycles of an exercise's signal, with hysteresis that follows the person's own range."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.datatypes import Repetition
from rehab_pose.exercise.catalogue import NONE
from rehab_pose.exercise.signals import SIGNALS, body_axes, signal_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.exercise.history import JointHistory
    from rehab_pose.exercise.settings import ExerciseSettings

__all__ = ["Cycle", "CycleDetector", "RepetitionCounter"]

RETURN_SHARE = 0.65
"""A one-sided cycle ends when this share of its rise has been taken back: patients rarely return all the way."""
REVERSAL_SHARE = 0.4
"""An extreme of a two-sided cycle stands when the signal has turned back by this share of the swing."""
ADAPT_SHARE = 0.35
"""After the first cycle, a rise below this share of the person's median range is not a repetition."""
SMOOTHING_S = 0.08
"""Time constant of the low-pass before the detector [s]."""


STEADY_NS = 500_000_000
"""A label that was away for less than this has been said without a break [ns]."""


@dataclass(frozen=True)
class Cycle:
    """One full cycle of a signal."""

    start_ns: int
    end_ns: int
    minimum: float
    maximum: float


class CycleDetector:
    """Finds the full cycles of one signal, sample by sample.

    One-sided: rest, away, back (a squat). Two-sided: one extreme, then the opposite one, then back towards the middle
    (a tilt to the left and to the right is one cycle). Somebody who only ever goes to one side gets one cycle a
    movement; its last one is counted when the next begins.
    """

    def __init__(self, minimum_range: float, *, two_sided: bool, shortest_s: float, longest_s: float) -> None:
        self._minimum_range = minimum_range
        self._two_sided = two_sided
        self._shortest_ns = int(shortest_s * 1e9)
        self._longest_ns = int(longest_s * 1e9)
        self._ranges: deque[float] = deque(maxlen=5)
        self._stamp_ns = 0
        self._value = float("nan")
        self._restart(0, float("nan"))

    def _restart(self, stamp_ns: int, value: float) -> None:
        self._direction = 0
        self._low = self._high = self._rest = value
        self._departure_ns = stamp_ns
        self._extremes: list[float] = []

    def update(self, stamp_ns: int, value: float) -> Cycle | None:
        """Take one sample; return the cycle that it completes. NaN is passed over."""
        if not np.isfinite(value):
            return None
        if not np.isfinite(self._value):
            self._value = value
            self._restart(stamp_ns, value)
        else:
            step_s = max(stamp_ns - self._stamp_ns, 0) * 1e-9
            self._value += (value - self._value) * step_s / (step_s + SMOOTHING_S)
        self._stamp_ns = stamp_ns
        threshold = self._threshold()
        if self._direction == 0 and abs(self._value - self._rest) < 0.2 * threshold:
            self._departure_ns = stamp_ns
        if self._direction != 0 and stamp_ns - self._departure_ns > self._longest_ns:
            self._restart(stamp_ns, self._value)
        return self._two_sided_step(threshold) if self._two_sided else self._one_sided_step(threshold)

    def _threshold(self) -> float:
        if not self._ranges:
            return self._minimum_range
        return max(self._minimum_range, ADAPT_SHARE * float(np.median(self._ranges)))

    def _finish(self, minimum: float, maximum: float) -> Cycle | None:
        start_ns, end_ns = self._departure_ns, self._stamp_ns
        self._departure_ns = end_ns
        if end_ns - start_ns < self._shortest_ns:
            return None
        self._ranges.append(maximum - minimum)
        return Cycle(start_ns, end_ns, minimum, maximum)

    def _one_sided_step(self, threshold: float) -> Cycle | None:
        value = self._value
        if self._direction == 0:
            if value < self._low:
                self._low = self._rest = value
                self._departure_ns = self._stamp_ns
            elif value > self._low + threshold:
                self._direction, self._high = 1, value
            return None
        self._high = max(self._high, value)
        if value > self._high - RETURN_SHARE * (self._high - self._low):
            return None
        cycle = self._finish(self._low, self._high)
        self._direction = 0
        self._low = self._rest = value
        return cycle

    def _two_sided_step(self, threshold: float) -> Cycle | None:
        value = self._value
        if self._direction == 0:
            self._low, self._high = min(self._low, value), max(self._high, value)
            half = 0.5 * threshold  # from the middle to one side is half the swing
            if value > self._low + half:
                self._direction, self._high = 1, value
            elif value < self._high - half:
                self._direction, self._low = -1, value
            return None
        if self._direction > 0:
            self._high = max(self._high, value)
            turned, extreme = self._high - value, self._high
        else:
            self._low = min(self._low, value)
            turned, extreme = value - self._low, self._low
        swing = self._high - self._low
        if turned < max(0.5 * threshold, REVERSAL_SHARE * swing):
            return None
        self._direction = -self._direction
        if self._direction > 0:
            self._high = value
        else:
            self._low = value
        self._extremes.append(extreme)
        if len(self._extremes) < 2:
            return None
        minimum, maximum = min(self._extremes), max(self._extremes)
        self._extremes = []
        return self._finish(minimum, maximum) if maximum - minimum >= threshold else None


@dataclass
class _Set:
    """The repetitions of one exercise without a long pause."""

    label: str
    detector: CycleDetector
    axes: NDArray[Any]
    fed_ns: int
    """Stamp of the last sample that the detector took."""
    said_ns: int
    """Since when the label has been said without a break."""
    seen_ns: int
    """When the label was last said."""
    confirmed: bool = False
    count: int = 0


class RepetitionCounter:
    """Counts the repetitions of whatever exercise the recogniser names."""

    def __init__(self, settings: ExerciseSettings) -> None:
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Forget all sets."""
        self._sets: dict[str, _Set] = {}
        self._current: _Set | None = None
        self._counted_ns = 0
        self._waiting: deque[Repetition] = deque()

    def update(self, stamp_ns: int, frame_id: str, label: str, history: JointHistory) -> Repetition | None:
        """Take the newest sample of the history.

        When a label appears, the seconds before it are replayed: a repetition done before the label was known counts.
        Nothing is reported before the label has lasted a moment, and a set outlives a short wrong label or `none`.
        At most one repetition is returned a frame; a second one waits for the next.

        Args:
            stamp_ns: Of the newest sample.
            frame_id: Of the camera.
            label: The recogniser's answer at this frame.
            history: Joints up to this frame.
        """
        settings = self._settings
        gap_ns = settings.set_gap_s * 1e9
        self._sets = {name: kept for name, kept in self._sets.items() if stamp_ns - kept.seen_ns <= gap_ns}
        if self._current is not None and self._current.label not in self._sets:
            self._current = None
        if label != NONE:
            current = self._sets.get(label)
            if current is None:
                current = self._sets[label] = self._begin(label, stamp_ns, history)
            elif current is not self._current or current.seen_ns < stamp_ns - STEADY_NS:
                current.said_ns = stamp_ns
            current.seen_ns = stamp_ns
            current.confirmed = current.confirmed or stamp_ns - current.said_ns >= settings.confirm_s * 1e9
            self._current = current
        if self._current is not None and self._current.confirmed:
            self._feed(self._current, stamp_ns, frame_id, history)
        return self._waiting.popleft() if self._waiting else None

    def _begin(self, label: str, stamp_ns: int, history: JointHistory) -> _Set:
        spec, settings = SIGNALS[label], self._settings
        detector = CycleDetector(
            spec.minimum_range * settings.minimum_range_share,
            two_sided=spec.two_sided,
            shortest_s=settings.shortest_repetition_s,
            longest_s=settings.longest_repetition_s,
        )
        since_ns = max(stamp_ns - int(settings.lookback_s * 1e9), self._counted_ns)
        axes = body_axes(history.positions_m, history.up)
        return _Set(label, detector, axes, fed_ns=since_ns, said_ns=stamp_ns, seen_ns=stamp_ns)

    def _feed(self, current: _Set, stamp_ns: int, frame_id: str, history: JointHistory) -> None:
        """Give the detector every sample that it has not seen: one, or the seconds before the set was confirmed."""
        first = int(np.searchsorted(history.stamps_ns, current.fed_ns, side="right"))
        values = signal_values(current.label, history.positions_m[first:], current.axes)
        for sample_ns, value in zip(history.stamps_ns[first:].tolist(), values.tolist(), strict=True):
            cycle = current.detector.update(sample_ns, value)
            if cycle is None:
                continue
            current.count += 1
            self._counted_ns = max(self._counted_ns, cycle.end_ns)
            self._waiting.append(
                Repetition(
                    stamp_ns=stamp_ns,
                    frame_id=frame_id,
                    label=current.label,
                    count=current.count,
                    start_ns=cycle.start_ns,
                    end_ns=cycle.end_ns,
                    signal_name=SIGNALS[current.label].name,
                    signal_minimum=cycle.minimum,
                    signal_maximum=cycle.maximum,
                    quality=float("nan"),
                )
            )
        current.fed_ns = stamp_ns
