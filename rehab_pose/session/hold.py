"""Time for which a person holds the far point of a repetition."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rehab_pose.datatypes import RepetitionPhase
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from rehab_pose.datatypes import Repetition, RepetitionProgress
    from rehab_pose.exercise.definition import ExerciseDefinition

__all__ = ["HoldTimer"]

FAR_FRACTION = 0.6
"""Fraction of a repetition's range beyond which the person is at the far point; chosen by hand: a hold moves by less
than the rest of the range, and the way there takes a fraction of a second."""


class HoldTimer:
    """Measures the hold from the progress of each frame."""

    def __init__(self) -> None:
        self._label = ""
        self._rest, self._range = math.nan, math.nan
        self._since_ns: int | None = None

    def repetition(self, repetition: Repetition) -> None:
        """Take the range of a finished repetition: the next one is measured against it."""
        size = repetition.signal_maximum - repetition.signal_minimum
        if math.isfinite(size) and size > 0:
            self._label, self._range = repetition.label, size

    def progress(self, progress: RepetitionProgress | None, definition: ExerciseDefinition | None) -> float:
        """Return the time since the far point was reached in this repetition [s]; 0 = it is not held.

        Args:
            progress: None = no exercise is counted.
            definition: Of the exercise that is counted, for its typical range before the first repetition.
        """
        if progress is None or not math.isfinite(progress.signal):
            self._since_ns = None
            return 0.0
        if progress.label != self._label:
            self._label, self._rest, self._since_ns = progress.label, math.nan, None
            low, high = definition.signal.typical_range if definition is not None else (math.nan, math.nan)
            self._range = high - low
        if progress.phase is RepetitionPhase.REST or math.isnan(self._rest):
            self._rest, self._since_ns = progress.signal, None
            return 0.0
        if not abs(progress.signal - self._rest) >= FAR_FRACTION * self._reach(definition):
            self._since_ns = None
            return 0.0
        if self._since_ns is None or progress.stamp_ns < self._since_ns:
            self._since_ns = progress.stamp_ns
        return (progress.stamp_ns - self._since_ns) / NS_PER_S

    def _reach(self, definition: ExerciseDefinition | None) -> float:
        """Return the distance from rest to the far point; half the range where a repetition goes to both sides."""
        return self._range / 2.0 if definition is not None and definition.two_sided else self._range
