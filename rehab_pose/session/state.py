"""A session: the repetitions of one person between start and stop. Counting and naming only; no ROS here."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from rehab_pose.datatypes import Side
from rehab_pose.errors import InputError
from rehab_pose.exercise.catalogue import LABELS

if TYPE_CHECKING:
    from rehab_pose.datatypes import Repetition

__all__ = ["ANY_EXERCISE", "Recording", "Session", "SessionStage", "Tally", "check_code", "check_exercise"]

ANY_EXERCISE = 0
MAX_CODE = 64
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)


class SessionStage(IntEnum):
    """The constants of SessionState.msg."""

    IDLE = 1
    RUNNING = 2
    DONE = 3


class Recording(IntEnum):
    """Tiers of recording (the constants of StartSession.srv); each tier contains the one above it."""

    NOTHING = 0
    RESULTS = 1
    MESH = 2
    IMAGES = 3


def check_code(what: str, code: str) -> str:
    """Return a code that may name files: letters, digits, - and _, at most 64, the first a letter or digit; or ''.

    Raises:
        InputError: It holds anything else, and so might leave its folder or be a person's name.
    """
    if code and (not CODE.fullmatch(code) or len(code) > MAX_CODE):
        msg = (
            f"{what}: expected a code of at most {MAX_CODE} letters, digits, - and _ that begins with a letter or "
            f"digit, got {code[: MAX_CODE + 1]!r}; a code, not a name: it becomes part of file names"
        )
        raise InputError(msg)
    return code


def check_exercise(exercise_id: int) -> int:
    """Return the number of an exercise, 0 = any.

    Raises:
        InputError: There is no such exercise.
    """
    if exercise_id >= len(LABELS):
        msg = f"expected an exercise_id from 0 to {len(LABELS) - 1}, got {exercise_id}"
        raise InputError(msg)
    return exercise_id


@dataclass
class Tally:
    """Counts the repetitions of one exercise (or of any), done to or with one side (or any)."""

    exercise_id: int = ANY_EXERCISE
    side: Side = Side.ANY
    target: int = 0
    """0 = none."""
    since_ns: int = 0
    """Repetitions that ended earlier are not counted, although they may be reported later [ns]."""
    counted: list[Repetition] = field(default_factory=list)
    others: int = 0
    """Repetitions of other exercises."""

    def count(self, repetition: Repetition) -> bool:
        """Count a repetition if it is wanted; return whether it was."""
        # A stamp before the start means that time jumped back, not that the repetition is old.
        if repetition.end_ns < self.since_ns <= repetition.stamp_ns:
            return False
        if self.exercise_id not in {ANY_EXERCISE, LABELS.index(repetition.label)}:
            self.others += 1
            return False
        if not _involves(repetition, self.side):
            return False
        self.counted.append(repetition)
        return True

    @property
    def done(self) -> bool:
        """The target is reached."""
        return 0 < self.target <= len(self.counted)

    def of_side(self, side: Side) -> int:
        """Return how many of the counted repetitions were done to or with one side."""
        return sum(_involves(repetition, side) for repetition in self.counted)

    @property
    def mean_quality(self) -> float:
        """Over the repetitions that were judged; NaN where none was."""
        judged = [repetition.quality for repetition in self.counted if not math.isnan(repetition.quality)]
        return sum(judged) / len(judged) if judged else math.nan


def _involves(repetition: Repetition, side: Side) -> bool:
    """Return whether a repetition involves a side; one with both sides involves each."""
    return side is Side.ANY or repetition.side in {side, Side.BOTH}


@dataclass
class Session:
    """The running or the last session."""

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
        """It was started and has not ended."""
        return self.stage is SessionStage.RUNNING

    @property
    def file_stem(self) -> str:
        """Name of its folder."""
        return f"{self.subject_code}_{self.session_id}" if self.subject_code else self.session_id

    def count(self, repetition: Repetition) -> bool:
        """Count a repetition if a session runs and it belongs to it; return whether it did."""
        if not self.running:
            return False
        self.repetitions.append(repetition)
        if not self.tally.count(repetition):
            return False
        self.message = f"{repetition.label}: {len(self.tally.counted)}"
        return True

    def end(self, message: str) -> None:
        """End it."""
        self.stage, self.message = SessionStage.DONE, message
