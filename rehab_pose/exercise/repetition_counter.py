"""Counting and measuring the repetitions of the recognised exercise."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.datatypes import Repetition, RepetitionPhase, RepetitionProgress
from rehab_pose.exercise.catalogue import NONE
from rehab_pose.exercise.exercise_library import ExerciseLibrary, shipped_library
from rehab_pose.exercise.repetition_quality import QualityAssessor
from rehab_pose.exercise.repetition_set import RepetitionSet, detector_of, follows
from rehab_pose.exercise.repetition_signals import body_axes, signal_values
from rehab_pose.exercise.smoothness_and_symmetry import measure_repetition

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.exercise.cycle_detector import Cycle
    from rehab_pose.exercise.joint_history import JointHistory
    from rehab_pose.exercise.settings import ExerciseSettings

__all__ = ["HISTORY_S", "RepetitionCounter"]

HISTORY_S = 45.0
"""Length of the history that the counter reads: an alternating repetition with two holds of 10 s, its label's delay
and the longest `lookback_s` [s]."""
AXES_S = 16.0
"""The axes of the body are the median over up to this time before the label [s]."""
MIN_AXES_SAMPLES = 10
"""Samples after which the axes are determined again when the person returns into view."""
MIDDLE_NS = 2_000_000_000
"""The middle of a two-sided signal is its median over this time before the first repetition of a set [ns]."""
MIN_MIDDLE_SAMPLES = 10
"""Smallest number of samples in MIDDLE_NS; with fewer the middle is unknown."""
MOVES_FRACTION, MOVES_PERCENTILES = 0.5, (10.0, 90.0)
"""A signal moves where its range between two percentiles [%] exceeds this fraction of the smallest that counts."""
REST_NS = 2_000_000_000
"""Before the first repetition of a set a two-sided signal is taken to be in the middle until this long before the
label: the label comes 0.7 to 1.3 s after the movement begins [ns]."""


class RepetitionCounter:
    """Counts the repetitions of the exercise that the recogniser reports."""

    def __init__(self, settings: ExerciseSettings, library: ExerciseLibrary | None = None) -> None:
        """Load the norms of the repetition quality.

        Args:
            settings: Settings of the exercise stage.
            library: Definitions of the exercises; None = the shipped ones. A label without one is not counted.

        Raises:
            ModelFileError: The file of norms is missing or damaged.
            InputError: The shipped library is damaged.
        """
        self.settings = settings
        self.library = library or shipped_library()
        self._assessor = QualityAssessor()
        self.reset()

    def reset(self) -> None:
        """Discard all sets."""
        self._sets: dict[str, RepetitionSet] = {}
        self._current: RepetitionSet | None = None
        self._last_label = NONE
        self._stamp_ns: int | None = None
        self._counted_ns = 0
        self._queued: deque[Repetition] = deque()

    def interrupt(self) -> None:
        """Keep the sets, but determine the body's axes again: the person was out of view and may have turned."""
        for entry in self._sets.values():
            entry.axes = None

    def turn(self, rotation: NDArray[np.float64]) -> None:
        """Turn the axes of the sets by a rotation (3, 3), as the history was."""
        for entry in self._sets.values():
            if entry.axes is not None:
                entry.axes = entry.axes @ rotation.T

    def holding(self, stamp_ns: int) -> bool:
        """Return whether the person holds a position in the middle of a repetition at a stamp [ns]."""
        return self._current is not None and self._current.holds(stamp_ns)

    def signal_moves(self, label: str, positions_m: NDArray[Any], up: NDArray[Any]) -> bool:
        """Return whether the signal of an exercise moves in samples, by half of the smallest range that counts.

        Args:
            label: The exercise; False for one without a definition.
            positions_m: (T, J, 3) FEATURE_JOINTS [m]; NaN = missing.
            up: (3) unit vector against gravity in the same frame.
        """
        if label not in self.library.names:
            return False
        signal = self.library.definition(label).signal
        values = signal.parsed.evaluate(positions_m, body_axes(positions_m, up))
        values = values[np.isfinite(values)]
        smallest = MOVES_FRACTION * signal.minimum_range * self.settings.minimum_range_share
        return len(values) > 0 and float(np.ptp(np.percentile(values, MOVES_PERCENTILES))) > smallest

    def update(self, stamp_ns: int, frame_id: str, label: str, history: JointHistory) -> Repetition | None:
        """Process the newest sample of the history and return a finished repetition, if any.

        When a label appears, the preceding seconds of the history are processed too, so that a repetition before the
        label was known is counted. Repetitions are reported once the label has lasted for `confirm_s`. A set continues
        through a wrong label or `none` for `set_gap_s`, and while the person is hidden for `interruption_s`. A cycle
        counts if the label was reported during most of it, or if it is followed by such a cycle within `lookback_s`: a
        single crouch that looks like a squat for a moment is none. Where an exercise goes to both sides, a first
        movement to one side counts with the second one to that side: a therapist's hand turns the trunk once. At most
        one repetition is returned per frame; further ones are queued.

        Args:
            stamp_ns: Stamp of the newest sample [ns].
            frame_id: Frame of the camera.
            label: The recogniser's label at this frame.
            history: Joints up to this frame.
        """
        self._forget(stamp_ns, history)
        if label != NONE and label in self.library.names:
            self._report(stamp_ns, label, history)
        self._last_label, self._stamp_ns = label, stamp_ns
        if self._current is not None and self._current.confirmed:
            self._feed(self._current, stamp_ns, history)
            self._accept(self._current, stamp_ns, frame_id, history)
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
            signal_name=current.definition.signal.name,
            signal=current.value,
            elapsed_s=(stamp_ns - current.detector.started_ns) * 1e-9 if moving else float("nan"),
        )

    def _forget(self, stamp_ns: int, history: JointHistory) -> None:
        """End the sets whose pause or interruption is too long; time out of view is not part of a pause."""
        settings = self.settings
        step_ns = 0 if self._stamp_ns is None else stamp_ns - self._stamp_ns
        visible = bool(len(history)) and bool(np.isfinite(history.positions_m[-1, :, 0]).any())
        for entry in [*self._sets.values()]:
            hidden_ns = stamp_ns - entry.seen_ns
            if visible:
                entry.seen_ns = stamp_ns
                entry.visible_pause_ns += min(step_ns, hidden_ns)
            if hidden_ns > settings.interruption_s * 1e9 or entry.visible_pause_ns > settings.set_gap_s * 1e9:
                del self._sets[entry.label]
                if self._current is entry:
                    self._current = None

    def _report(self, stamp_ns: int, label: str, history: JointHistory) -> None:
        """Take the label of a frame: begin a set or go on with one."""
        entry = self._sets.get(label)
        if entry is None:
            entry = self._sets[label] = self._begin(label, stamp_ns, history)
        entry.times.report(stamp_ns, continues=self._last_label in {label, NONE})
        entry.visible_pause_ns = 0
        if not entry.confirmed:
            entry.confirmed = stamp_ns - entry.times.since_ns >= self.settings.confirm_s * 1e9
        if self._current is None or entry.confirmed:
            self._current = entry

    def _begin(self, label: str, stamp_ns: int, history: JointHistory) -> RepetitionSet:
        definition = self.library.definition(label)
        since_ns = max(stamp_ns - int(self.settings.lookback_s * 1e9), self._counted_ns)
        axes = _axes(history, stamp_ns - int(AXES_S * 1e9))
        middle = float("nan")
        if definition.two_sided and axes is not None:
            first, end = np.searchsorted(history.stamps_ns, [since_ns, stamp_ns - REST_NS])
            middle = _median(signal_values(definition, history.positions_m[first:end], axes))
        detector = detector_of(definition, self.settings, middle)
        return RepetitionSet(definition, detector, axes, processed_ns=since_ns, seen_ns=stamp_ns)

    def _feed(self, current: RepetitionSet, stamp_ns: int, history: JointHistory) -> None:
        """Process all samples that the detector has not processed yet: one, or the seconds before the confirmation."""
        if current.axes is None:
            current.axes = _axes(history, current.processed_ns, MIN_AXES_SAMPLES)
            if current.axes is None:
                return
        first = int(np.searchsorted(history.stamps_ns, current.processed_ns, side="right"))
        values = signal_values(current.definition, history.positions_m[first:], current.axes)
        for sample_ns, value in zip(history.stamps_ns[first:].tolist(), values.tolist(), strict=True):
            cycle = current.detector.update(sample_ns, value)
            if cycle is not None:
                current.waiting.append(cycle)
        current.value = float(values[-1]) if len(values) else float("nan")
        current.processed_ns = stamp_ns

    def _accept(self, current: RepetitionSet, stamp_ns: int, frame_id: str, history: JointHistory) -> None:
        """Count the waiting cycles that were labelled well enough, and those just before one that was."""
        while current.waiting:
            cycles = list(current.waiting)
            decided = next((place for place in range(len(cycles)) if current.is_certain(cycles, place)), None)
            if decided is None:
                # A cycle that is not certain by itself waits for the next one, to which it then belongs.
                last = cycles[-1]
                if stamp_ns - last.end_ns > self._longest_wait_ns:
                    current.waiting.clear()
                return
            first = decided
            while first and follows(cycles[first - 1], cycles[first], self.settings.lookback_s):
                first -= 1
            for cycle in cycles[first : decided + 1]:
                if (cycle.start_ns + cycle.end_ns) // 2 > self._counted_ns:
                    current.count += 1
                    current.last_side = cycle.side
                    self._counted_ns = max(self._counted_ns, cycle.end_ns)
                    self._queued.append(self._finished(current, cycle, stamp_ns, frame_id, history))
            for _ in range(decided + 1):
                current.waiting.popleft()

    @property
    def _longest_wait_ns(self) -> int:
        return int((self.settings.lookback_s + self.settings.longest_repetition_s) * 1e9)

    def _finished(
        self, current: RepetitionSet, cycle: Cycle, stamp_ns: int, frame_id: str, history: JointHistory
    ) -> Repetition:
        """Measure and assess a repetition; the history still contains its joints."""
        definition, axes = current.definition, current.axes
        if axes is None:  # the person came back into view and is not measured yet: those of the newest samples
            axes = body_axes(history.positions_m[-MIN_AXES_SAMPLES:], history.up)
        if definition.two_sided and current.count == 1:
            first, end = np.searchsorted(history.stamps_ns, [cycle.start_ns - MIDDLE_NS, cycle.start_ns], side="left")
            current.middle = _median(signal_values(definition, history.positions_m[first:end], axes))
        first, end = np.searchsorted(history.stamps_ns, [cycle.start_ns, cycle.end_ns], side="left")
        stamps_ns, positions_m = history.stamps_ns[first : end + 1], history.positions_m[first : end + 1]
        measures = measure_repetition(definition, cycle, stamps_ns, positions_m, axes, current.middle)
        confidence = history.confidence[first : end + 1]
        assessment = self._assessor.assess(current.label, current.count, stamps_ns, positions_m, axes, confidence)
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
            reasons=current.reasons.first_said(assessment),
            quality_low=assessment.interval[0],
            quality_high=assessment.interval[1],
            quality_withheld=assessment.withheld,
        )


def _axes(history: JointHistory, since_ns: int, minimum: int = 1) -> NDArray[np.float64] | None:
    """Return the axes of the body (3, 3) over the samples after a stamp [ns]; None with fewer than `minimum`."""
    positions_m = history.positions_m[np.searchsorted(history.stamps_ns, since_ns, side="right") :]
    if np.isfinite(positions_m[:, :, 0]).any(axis=1).sum() < minimum:
        return None
    return body_axes(positions_m, history.up)


def _median(values: NDArray[Any]) -> float:
    """Return the median of the values that are not missing; NaN with too few."""
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) >= MIN_MIDDLE_SAMPLES else float("nan")
