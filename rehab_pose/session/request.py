"""Requests of clients to the session node of a running graph, and its answers. Imports no ROS."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from rehab_pose.datatypes import Side
from rehab_pose.errors import InputError
from rehab_pose.exercise.display_names import exercise_display_name
from rehab_pose.session.state import Recording, Session, SessionStage

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SessionReport", "SessionRequest", "StoppedSession", "find_exercise"]

MAX_SUGGESTIONS = 3
NEAR = 0.5
"""Smallest similarity of a suggested name, 0 to 1 (`difflib`); `sqat` and `squat` have 0.89."""


@dataclass(frozen=True)
class SessionRequest:
    """A session to be started."""

    subject_code: str
    """Code of the person; '' = none."""
    exercise: str = ""
    """Label of the exercise to count; '' = any."""
    repetitions: int = 0
    """Number of repetitions; 0 = no target."""
    side: Side = Side.ANY
    recording: Recording = Recording.RESULTS


@dataclass(frozen=True)
class SessionReport:
    """The state of the running or the last session of a graph."""

    session_id: str
    subject_code: str
    stage: SessionStage
    exercise: str
    """Label; '' = any."""
    repetitions: int
    target: int
    """0 = no target."""
    recording: Recording
    message: str

    @property
    def running(self) -> bool:
        """True if the session has not ended."""
        return self.stage is SessionStage.RUNNING

    @property
    def folder_name(self) -> str:
        """Name of the session's folder; '' = there was no session yet."""
        return Session(self.session_id, self.subject_code).file_stem

    @property
    def sentence(self) -> str:
        """The session in words: exercise and number of repetitions."""
        name = exercise_display_name(self.exercise) if self.exercise else "any exercise"
        of = f" of {self.target}" if self.target else ""
        return f"{name}, {self.repetitions}{of} repetitions"


@dataclass(frozen=True)
class StoppedSession:
    """Count and files of a session that was ended."""

    folder_name: str
    repetitions: int
    target: int
    report_path: str
    """'' = no report was written."""
    recording_path: str
    """'' = nothing was recorded."""
    message: str


def find_exercise(given: str, labels: Sequence[str]) -> str:
    """Return the label of an exercise that a person named by its label or by its name in words.

    Args:
        given: For example squat, Squat, "lateral trunk tilt" or lateral-trunk-tilt.
        labels: Labels that the running recogniser knows.

    Raises:
        InputError: There is no such exercise; near ones are suggested.
    """
    names = {_plain(text): label for label in labels for text in (label, exercise_display_name(label))}
    label = names.get(_plain(given))
    if label is not None:
        return label
    near = dict.fromkeys(names[name] for name in get_close_matches(_plain(given), names, 2 * MAX_SUGGESTIONS, NEAR))
    suggested = " or ".join([*near][:MAX_SUGGESTIONS])
    hint = f"did you mean {suggested}?" if suggested else f"it can be {', '.join(labels)}"
    msg = f"there is no exercise {given!r}; {hint}"
    raise InputError(msg)


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("_", " ").replace("-", " ").split())
