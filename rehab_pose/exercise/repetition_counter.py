"""Counting and measuring the repetitions of the recognised exercise."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.datatypes import Repetition, RepetitionPhase, RepetitionProgress
from rehab_pose.exercise.catalogue import NONE
from rehab_pose.exercise.cycle_detector import Cycle, CycleDetector
from rehab_pose.exercise.repetition_quality import QualityAssessor
from rehab_pose.exercise.repetition_signals import body_axes, definition_of, signal_values
from rehab_pose.exercise.smoothness_and_symmetry import measure_repetition

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.exercise.joint_history import JointHistory
    from rehab_pose.exercise.settings import ExerciseSettings

__all__ = ["RepetitionCounter"]

STEADY_NS = 500_000_000
"""An interruption of a label that is shorter than this is ignored [ns]."""
MIDDLE_NS = 2_000_000_000
"""The middle of a two-sided signal is its median over this time before the first repetition of a set [ns]."""
MIN_MIDDLE_SAMPLES = 10
"""Smallest number of samples in MIDDLE_NS; with fewer the middle is unknown."""


@dataclass
class _Set:
    """State of one set: repetitions of one exercise without a long pause."""

    label: str
    detector: CycleDetector
    axes: NDArray[Any]
    processed_ns: int
    """Stamp of the last sample that the detector has processed [ns]."""
    label_since_ns: int
    """Stamp since which the label has been reported without interruption [ns]."""
    label_last_ns: int
    """Stamp at which the label was last reported [ns]."""
    confirmed: bool = False
    count: int = 0
    value: float = field(default=float("nan"))
    """The signal at the newest frame; NaN = missing."""
    middle: float = field(default=float("nan"))
    """Value of a two-sided signal between the sides; NaN = unknown."""


class RepetitionCounter:
    """Counts the repetitions of the exercise that the recogniser reports."""

    def __init__(self, settings: ExerciseSettings) -> None:
        """Load the norms of the repetition quality.

        Args:
            settings: Settings of the exercise stage.

        Raises:
            ModelFileError: The file of norms is missing or damaged.
        """
        self.settings = settings
        self._assessor = QualityAssessor()
        self.reset()

    def reset(self) -> None:
        """Discard all sets."""
        self._sets: dict[str, _Set] = {}
        self._current: _Set | None = None
        self._counted_ns = 0
        self._queued: deque[Repetition] = deque()

    def update(self, stamp_ns: int, frame_id: str, label: str, history: JointHistory) -> Repetition | None:
        """Process the newest sample of the history and return a finished repetition, if any.

        When a label appears, the preceding seconds of the history are processed too, so that a repetition before the
        label was known is counted. Repetitions are reported once the label has lasted for `confirm_s`. A set continues
        through a short wrong label or `none`. At most one repetition is returned per frame; further ones are queued.

        Args:
            stamp_ns: Stamp of the newest sample [ns].
            frame_id: Frame of the camera.
            label: The recogniser's label at this frame.
            history: Joints up to this frame.
        """
        settings = self.settings
        gap_ns = settings.set_gap_s * 1e9
        self._sets = {name: entry for name, entry in self._sets.items() if stamp_ns - entry.label_last_ns <= gap_ns}
        if self._current is not None and self._current.label not in self._sets:
            self._current = None
        if label != NONE:
            current = self._sets.get(label)
            if current is None:
                current = self._sets[label] = self._begin(label, stamp_ns, history)
            elif current is not self._current or current.label_last_ns < stamp_ns - STEADY_NS:
                current.label_since_ns = stamp_ns
            current.label_last_ns = stamp_ns
            current.confirmed = current.confirmed or stamp_ns - current.label_since_ns >= settings.confirm_s * 1e9
            self._current = current
        if self._current is not None and self._current.confirmed:
            self._feed(self._current, stamp_ns, frame_id, history)
        return self._queued.popleft() if self._queued else None

    def progress(self, stamp_ns: int, frame_id: str) -> RepetitionProgress | None:
        """Return the progress of the current repetition after the last update; None where no exercise is counted.

        Args:
            stamp_ns: Stamp of the last update [ns].
            frame_id: Frame of the camera.
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
            count=current.count - len(self._queued),
            phase=phase,
            signal_name=definition_of(current.label).signal.name,
            signal=current.value,
            elapsed_s=(stamp_ns - current.detector.started_ns) * 1e-9 if moving else float("nan"),
        )

    def _begin(self, label: str, stamp_ns: int, history: JointHistory) -> _Set:
        definition, settings = definition_of(label), self.settings
        detector = CycleDetector(
            definition.signal.minimum_range * settings.minimum_range_share,
            two_sided=definition.two_sided,
            shortest_s=settings.shortest_repetition_s,
            longest_s=settings.longest_repetition_s,
        )
        since_ns = max(stamp_ns - int(settings.lookback_s * 1e9), self._counted_ns)
        axes = body_axes(history.positions_m, history.up)
        return _Set(label, detector, axes, processed_ns=since_ns, label_since_ns=stamp_ns, label_last_ns=stamp_ns)

    def _feed(self, current: _Set, stamp_ns: int, frame_id: str, history: JointHistory) -> None:
        """Process all samples that the detector has not processed yet: one, or the seconds before the confirmation."""
        first = int(np.searchsorted(history.stamps_ns, current.processed_ns, side="right"))
        values = signal_values(current.label, history.positions_m[first:], current.axes)
        for sample_ns, value in zip(history.stamps_ns[first:].tolist(), values.tolist(), strict=True):
            cycle = current.detector.update(sample_ns, value)
            if cycle is not None:
                current.count += 1
                self._counted_ns = max(self._counted_ns, cycle.end_ns)
                self._queued.append(self._finished(current, cycle, stamp_ns, frame_id, history))
        current.value = float(values[-1]) if len(values) else float("nan")
        current.processed_ns = stamp_ns

    def _finished(self, current: _Set, cycle: Cycle, stamp_ns: int, frame_id: str, history: JointHistory) -> Repetition:
        """Measure and assess a repetition; the history still contains its joints."""
        definition = definition_of(current.label)
        if definition.two_sided and current.count == 1:
            current.middle = _middle(current, cycle.start_ns, history)
        first, end = np.searchsorted(history.stamps_ns, [cycle.start_ns, cycle.end_ns], side="left")
        stamps_ns, positions_m = history.stamps_ns[first : end + 1], history.positions_m[first : end + 1]
        measures = measure_repetition(current.label, cycle, stamps_ns, positions_m, current.axes, current.middle)
        assessment = self._assessor.assess(current.label, current.count, stamps_ns, positions_m, current.axes)
        return Repetition(
            stamp_ns=stamp_ns,
            frame_id=frame_id,
            label=current.label,
            count=current.count,
            start_ns=cycle.start_ns,
            end_ns=cycle.end_ns,
            signal_name=definition.signal.name,
            signal_minimum=cycle.minimum,
            signal_maximum=cycle.maximum,
            quality=assessment.quality,
            side=measures.side,
            turn_ns=cycle.turn_ns,
            smoothness=measures.smoothness,
            asymmetry=measures.asymmetry,
            reasons=assessment.reasons,
        )


def _middle(current: _Set, start_ns: int, history: JointHistory) -> float:
    """Return the signal's median over MIDDLE_NS before the first repetition; NaN with too few samples."""
    first, end = np.searchsorted(history.stamps_ns, [start_ns - MIDDLE_NS, start_ns], side="left")
    values = signal_values(current.label, history.positions_m[first:end], current.axes)
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) >= MIN_MIDDLE_SAMPLES else float("nan")
