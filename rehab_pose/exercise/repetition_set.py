"""State of one set: repetitions of one exercise without a long pause, and when its label was reported."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rehab_pose.exercise.cycle_detector import CycleDetector
from rehab_pose.exercise.repetition_quality import ReasonsOfSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.exercise.cycle_detector import Cycle
    from rehab_pose.exercise.definition import ExerciseDefinition
    from rehab_pose.exercise.settings import ExerciseSettings

__all__ = ["LabelTimes", "RepetitionSet", "detector_of", "follows", "longest_repetition_s"]

STEADY_NS = 500_000_000
"""An interruption of a label that is shorter than this is ignored [ns]."""
LABELLED_FRACTION, LABELLED_FRACTION_LATER = 0.5, 0.3
"""A cycle is labelled well enough if its label was reported for this fraction of its duration: the first repetition of
a set, and later ones. In the simulation first repetitions have 0.5 to 0.95, sitting down and picking up 0.1 to 0.45."""
LABEL_DELAY_NS = 1_500_000_000
"""It also is if the label was missing for at most this long: it comes 0.7 to 1.3 s after a movement begins [ns]."""
REMEMBERED_TIMES = 32
"""Intervals of a label that are kept: more than a minute of a label that changes every second."""


class LabelTimes:
    """The intervals of time in which a label was reported."""

    def __init__(self) -> None:
        self._intervals: deque[list[int]] = deque(maxlen=REMEMBERED_TIMES)

    @property
    def since_ns(self) -> int:
        """Stamp since which the label has been reported without an interruption [ns]."""
        return self._intervals[-1][0]

    @property
    def last_ns(self) -> int:
        """Stamp at which the label was last reported [ns]."""
        return self._intervals[-1][1]

    def report(self, stamp_ns: int, *, continues: bool) -> None:
        """Add a stamp at which the label is reported [ns].

        Args:
            stamp_ns: The stamp, later than those before [ns].
            continues: True if no other label was reported since the last stamp.
        """
        if self._intervals and continues and stamp_ns - self.last_ns <= STEADY_NS:
            self._intervals[-1][1] = stamp_ns
        else:
            self._intervals.append([stamp_ns, stamp_ns])

    def between_ns(self, start_ns: int, end_ns: int) -> int:
        """Return how long the label was reported between two stamps [ns]; at least 1 where it was reported."""
        return sum(
            max(min(last, end_ns) - max(first, start_ns), 0) + 1
            for first, last in self._intervals
            if first <= end_ns and last >= start_ns
        )


@dataclass(eq=False)
class RepetitionSet:
    """State of one set."""

    definition: ExerciseDefinition
    detector: CycleDetector
    axes: NDArray[Any] | None
    """(3, 3) rows: the person's left, up, front; None while they have to be determined again."""
    processed_ns: int
    """Stamp of the last sample that the detector has processed [ns]."""
    times: LabelTimes = field(default_factory=LabelTimes)
    seen_ns: int = 0
    """Stamp of the last frame with the person [ns]."""
    visible_pause_ns: int = 0
    """Time since the label was last reported in which the person was in view [ns]."""
    confirmed: bool = False
    count: int = 0
    last_side: int = 0
    """`Cycle.side` of the last repetition; 0 before the first one."""
    value: float = field(default=float("nan"))
    """The signal at the newest frame; NaN = missing."""
    middle: float = field(default=float("nan"))
    """Value of a two-sided signal between the sides; NaN = unknown."""
    waiting: deque[Cycle] = field(default_factory=deque)
    """Cycles during which the label was not reported, in order of time."""
    reasons: ReasonsOfSet = field(default_factory=ReasonsOfSet)
    """What was said about the quality of earlier repetitions."""

    @property
    def label(self) -> str:
        """Name of the exercise."""
        return self.definition.name

    def is_certain(self, cycles: Sequence[Cycle], place: int) -> bool:
        """Return whether one of the waiting cycles counts by itself."""
        cycle = cycles[place]
        if not self.is_labelled(cycle):
            return False
        if not cycle.side or cycle.side == self.last_side:
            return True
        return place > 0 and cycles[place - 1].side == cycle.side and follows(cycles[place - 1], cycle, 0.0)

    def is_labelled(self, cycle: Cycle) -> bool:
        """Return whether the label was reported during enough of a cycle to count it."""
        duration_ns = cycle.end_ns - cycle.start_ns
        labelled_ns = self.times.between_ns(cycle.start_ns, cycle.end_ns)
        if not labelled_ns and not self.count:
            return False
        if duration_ns - labelled_ns <= LABEL_DELAY_NS:
            return self.times.between_ns(cycle.start_ns, cycle.end_ns + LABEL_DELAY_NS) > 0
        return labelled_ns >= (LABELLED_FRACTION_LATER if self.count else LABELLED_FRACTION) * duration_ns

    def holds(self, stamp_ns: int) -> bool:
        """Return whether the person is in the middle of a repetition that may be held, at a stamp [ns]."""
        if not self.confirmed or self.definition.hold_s <= 0.0 or not self.detector.away:
            return False
        held_ns = stamp_ns - self.detector.extreme_ns
        return held_ns <= (self.definition.hold_s + HOLD_SLACK_S) * 1e9


def follows(first: Cycle, second: Cycle, pause_s: float) -> bool:
    """Return whether a cycle belongs to an earlier one: not much larger, and within a pause [s].

    The pause may be longer where both go to the same side.
    """
    if first.maximum - first.minimum < SIMILAR_FRACTION * (second.maximum - second.minimum):
        return False
    same_side = bool(first.side) and first.side == second.side
    return second.start_ns - first.end_ns <= (max(pause_s, SIDE_PAUSE_S) if same_side else pause_s) * 1e9


SIMILAR_FRACTION = 0.5
"""A movement before the label was known belongs to the set if its range is at least this fraction of the next one's:
noise, before the person's range is known, is smaller."""
SIDE_PAUSE_S = 9.0
"""Longest pause between the first two movements to one side of an exercise that goes to both [s]: a rest of 8 s."""
HOLD_SLACK_S = 3.0
"""A hold may exceed that of the definition by this time, in which the movement slows down and begins again [s]."""


def longest_repetition_s(definition: ExerciseDefinition, settings: ExerciseSettings) -> float:
    """Return the time after which an incomplete cycle is abandoned [s]: a hold at each far point is part of it."""
    holds = 2 if definition.two_sided else 1
    return min(definition.repetition_s[1] + holds * definition.hold_s, settings.longest_repetition_s)


def detector_of(definition: ExerciseDefinition, settings: ExerciseSettings, middle: float) -> CycleDetector:
    """Return the detector of an exercise's cycles.

    Args:
        definition: The exercise.
        settings: Settings of the exercise stage.
        middle: Value of a two-sided signal between the sides; NaN = unknown.
    """
    return CycleDetector(
        definition.signal.minimum_range * settings.minimum_range_share,
        two_sided=definition.two_sided,
        shortest_s=max(definition.repetition_s[0], settings.shortest_repetition_s),
        longest_s=longest_repetition_s(definition, settings),
        middle=middle,
    )
