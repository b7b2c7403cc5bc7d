"""Counting repetitions of whatever exercise is being done, and measuring each when it is finished."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.datatypes import Repetition, RepetitionPhase, RepetitionProgress
from rehab_pose.exercise.catalogue import NONE
from rehab_pose.exercise.cycles import Cycle, CycleDetector
from rehab_pose.exercise.quality import RepetitionJudge
from rehab_pose.exercise.repetition_measures import measure_repetition
from rehab_pose.exercise.signals import SIGNALS, body_axes, signal_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.exercise.history import JointHistory
    from rehab_pose.exercise.settings import ExerciseSettings

__all__ = ["Cycle", "CycleDetector", "RepetitionCounter"]

STEADY_NS = 500_000_000
"""A label that was away for less than this has been said without a break [ns]."""
MIDDLE_NS = 2_000_000_000
"""The middle between the sides is where the signal was in this time before the set's first repetition [ns]."""
MIN_MIDDLE_SAMPLES = 10


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
    value: float = field(default=float("nan"))
    """The signal at the newest frame; NaN = not seen."""
    middle: float = field(default=float("nan"))
    """The signal between the sides; NaN = not known."""


class RepetitionCounter:
    """Counts the repetitions of whatever exercise the recogniser names."""

    def __init__(self, settings: ExerciseSettings) -> None:
        """Load what healthy repetitions look like.

        Raises:
            ModelFileError: That file is damaged.
        """
        self.settings = settings
        self._judge = RepetitionJudge()
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
        settings = self.settings
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

    def progress(self, stamp_ns: int, frame_id: str) -> RepetitionProgress | None:
        """Return how far the repetition under way is at the frame of the last update; None where nothing is counted.

        Args:
            stamp_ns: Of that frame.
            frame_id: Of the camera.
        """
        current = self._current
        if current is None or not current.confirmed:
            return None
        phase = current.detector.phase
        moving = phase in {RepetitionPhase.OUT, RepetitionPhase.BACK}
        return RepetitionProgress(
            stamp_ns=stamp_ns,
            frame_id=frame_id,
            label=current.label,
            count=current.count - len(self._waiting),
            phase=phase,
            signal_name=SIGNALS[current.label].name,
            signal=current.value,
            elapsed_s=(stamp_ns - current.detector.started_ns) * 1e-9 if moving else float("nan"),
        )

    def _begin(self, label: str, stamp_ns: int, history: JointHistory) -> _Set:
        spec, settings = SIGNALS[label], self.settings
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
            if cycle is not None:
                current.count += 1
                self._counted_ns = max(self._counted_ns, cycle.end_ns)
                self._waiting.append(self._finished(current, cycle, stamp_ns, frame_id, history))
        current.value = float(values[-1]) if len(values) else float("nan")
        current.fed_ns = stamp_ns

    def _finished(self, current: _Set, cycle: Cycle, stamp_ns: int, frame_id: str, history: JointHistory) -> Repetition:
        """Measure and judge a repetition whose joints the history still holds."""
        spec = SIGNALS[current.label]
        if spec.two_sided and current.count == 1:
            current.middle = _middle(current, cycle.start_ns, history)
        first, end = np.searchsorted(history.stamps_ns, [cycle.start_ns, cycle.end_ns], side="left")
        stamps_ns, positions_m = history.stamps_ns[first : end + 1], history.positions_m[first : end + 1]
        measures = measure_repetition(current.label, cycle, stamps_ns, positions_m, current.axes, current.middle)
        judgement = self._judge.judge(current.label, current.count, stamps_ns, positions_m, current.axes)
        return Repetition(
            stamp_ns=stamp_ns,
            frame_id=frame_id,
            label=current.label,
            count=current.count,
            start_ns=cycle.start_ns,
            end_ns=cycle.end_ns,
            signal_name=spec.name,
            signal_minimum=cycle.minimum,
            signal_maximum=cycle.maximum,
            quality=judgement.quality,
            side=measures.side,
            turn_ns=cycle.turn_ns,
            smoothness=measures.smoothness,
            asymmetry=measures.asymmetry,
            reasons=judgement.reasons,
        )


def _middle(current: _Set, start_ns: int, history: JointHistory) -> float:
    """Return the signal's median in the moments before the first repetition; NaN where they were not seen."""
    first, end = np.searchsorted(history.stamps_ns, [start_ns - MIDDLE_NS, start_ns], side="left")
    values = signal_values(current.label, history.positions_m[first:end], current.axes)
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) >= MIN_MIDDLE_SAMPLES else float("nan")
