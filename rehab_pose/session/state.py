"""The state of a session: the repetitions of one person between start and stop. Imports no ROS."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from rehab_pose.datatypes import Side
from rehab_pose.errors import InputError
from rehab_pose.exercise.catalogue import LABELS, NONE, UNLISTED_ID, label_id
from rehab_pose.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehab_pose.datatypes import Repetition

__all__ = [
    "ANY_EXERCISE",
    "Recording",
    "Session",
    "SessionStage",
    "Tally",
    "check_code",
    "check_exercise",
    "check_side",
]

ANY_EXERCISE = ""
"""Name of the exercise in a tally that counts every exercise; its exercise_id is 0."""
MAX_CODE = 64
"""Largest length of a code [characters]."""
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)
"""Pattern of codes, which become parts of file names."""


class SessionStage(IntEnum):
    """The constants of SessionState.msg."""

    IDLE = 1
    RUNNING = 2
    DONE = 3
    INTERRUPTED = 4
    """Ended by a crash or by a long outage."""


class Recording(IntEnum):
    """Tiers of recording (the constants of StartSession.srv); each tier includes the tiers with lower numbers."""

    NOTHING = 0
    RESULTS = 1
    MESH = 2
    IMAGES = 3


def check_code(name: str, code: str) -> str:
    """Check a code and return it: at most 64 letters, digits, - and _, beginning with a letter or digit; or ''.

    Raises:
        InputError: The code has another form, and could be a path or a person's name.
    """
    if code and (not CODE.fullmatch(code) or len(code) > MAX_CODE):
        msg = (
            f"{name}: expected a code of at most {MAX_CODE} letters, digits, - and _ that begins with a letter or "
            f"digit, got {code[: MAX_CODE + 1]!r}; a code, not a name: it becomes part of file names"
        )
        raise InputError(msg)
    return code


def check_exercise(exercise_id: int, exercise: str = "", known: Sequence[str] | None = None) -> str:
    """Return the name of the exercise that a request selects; ANY_EXERCISE for any.

    Args:
        exercise_id: Index in the shipped recogniser's labels, 0 = any; used where no name is given.
        exercise: Name of the exercise; '' = by its number.
        known: Names that the running recogniser knows, `none` first; None = it has not sent them.

    Raises:
        InputError: The name or the number is unknown.
    """
    names = [label for label in known or LABELS if label != NONE]
    if exercise:
        if exercise in names:
            return exercise
        hint = did_you_mean(exercise, names, most=3) or "add it with `rehab-pose exercise add`"
        if known is None:
            hint = "the recogniser has not sent its list, start the node `exercise` for the added ones"
        msg = f"exercise: expected one that the recogniser knows ({', '.join(names)}), got {exercise!r}; {hint}"
        raise InputError(msg)
    if exercise_id >= len(LABELS):
        hint = "; an added exercise is selected by its name" if exercise_id == UNLISTED_ID else ""
        msg = f"expected an exercise_id from 0 to {len(LABELS) - 1}, got {exercise_id}{hint}"
        raise InputError(msg)
    return LABELS[exercise_id] if exercise_id else ANY_EXERCISE


def check_side(number: int) -> Side:
    """Return the side that a request selects by its number.

    Raises:
        InputError: The number is unknown.
    """
    if number not in set(Side):
        msg = f"expected a side of 0 (any), 1 (left), 2 (right), 3 (both), got {number}"
        raise InputError(msg)
    return Side(number)


@dataclass
class Tally:
    """Counts the repetitions of one exercise (or any) that involve one side (or any)."""

    exercise: str = ANY_EXERCISE
    """Name of the exercise that is counted, from `check_exercise`."""
    side: Side = Side.ANY
    target: int = 0
    """Number of repetitions to count; 0 = no limit."""
    since_ns: int = 0
    """Repetitions that ended before this stamp are not counted, although they may be reported later [ns]."""
    counted: list[Repetition] = field(default_factory=list)
    others: int = 0
    """Number of repetitions of other exercises."""

    def count(self, repetition: Repetition) -> bool:
        """Count a repetition if its exercise, side and time match; return whether it was counted."""
        # A stamp before the start means that time jumped back, not that the repetition is old.
        if repetition.end_ns < self.since_ns <= repetition.stamp_ns:
            return False
        if self.exercise not in {ANY_EXERCISE, repetition.label}:
            self.others += 1
            return False
        if not _involves(repetition, self.side):
            return False
        self.counted.append(repetition)
        return True

    @property
    def exercise_id(self) -> int:
        """Index of the exercise in the catalogue; 0 = any, UNLISTED_ID = an added one."""
        return label_id(self.exercise) if self.exercise else 0

    @property
    def done(self) -> bool:
        """True if the target is reached."""
        return 0 < self.target <= len(self.counted)

    def of_side(self, side: Side) -> int:
        """Return the number of counted repetitions that involve a side."""
        return sum(_involves(repetition, side) for repetition in self.counted)

    @property
    def mean_quality(self) -> float:
        """Mean quality of the repetitions that have one; NaN if none has."""
        qualities = [repetition.quality for repetition in self.counted if not math.isnan(repetition.quality)]
        return sum(qualities) / len(qualities) if qualities else math.nan


def _involves(repetition: Repetition, side: Side) -> bool:
    """Return whether a repetition involves a side; one with both sides involves each.

    Exercises that the sides do together have repetitions of ANY side: they involve both, and neither alone.
    """
    return side is Side.ANY or repetition.side in {side, Side.BOTH} or (side, repetition.side) == (Side.BOTH, Side.ANY)


@dataclass
class Session:
    """The state of the running or the last session."""

    session_id: str = ""
    subject_code: str = ""
    stage: SessionStage = SessionStage.IDLE
    tally: Tally = field(default_factory=Tally)
    repetitions: list[Repetition] = field(default_factory=list)
    """All repetitions, also of other exercises: the report separates them."""
    recording: Recording = Recording.NOTHING
    recording_path: str = ""
    report_path: str = ""
    message: str = "no session yet"

    @property
    def running(self) -> bool:
        """True if the session was started and has not ended."""
        return self.stage is SessionStage.RUNNING

    @property
    def file_stem(self) -> str:
        """Name of the session's folder."""
        return f"{self.subject_code}_{self.session_id}" if self.subject_code else self.session_id

    def count(self, repetition: Repetition) -> bool:
        """Count a repetition if the session runs and its tally matches; return whether it was counted."""
        if not self.running:
            return False
        self.repetitions.append(repetition)
        if not self.tally.count(repetition):
            return False
        self.message = f"{repetition.label}: {len(self.tally.counted)}"
        return True

    def end(self, message: str, stage: SessionStage = SessionStage.DONE) -> None:
        """Mark the session as done or interrupted, with a message."""
        self.stage, self.message = stage, message
