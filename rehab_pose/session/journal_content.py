"""Content of a session's journal: its lines as JSON objects, and the session that they add up to.

A journal is a text file with one JSON object a line. Each has `kind` and `time_ns` (the system's clock [ns]):

| kind | further fields |
|---|---|
| session | the first line: format, version, and the fields of `JournalHeader` |
| recording | path (in the session's folder), state (started, ended, failed), message |
| repetition | counted (true if it belongs to the tally), the fields of `Repetition` (null = not measured), and where
joints were received `movement` with the fields of `RepetitionMovement` |
| observed | the fields of `Observation`, cumulated since the last line `session` or `resumed` |
| gap | reason, start_ns, end_ns (stamps of the camera) |
| note | message: an event that people should know, for example a failed recording |
| resumed | message: the session node was started again and continues |
| end | state (done, interrupted), message: the last line of a session that has ended |

Readers skip and count lines that they cannot read, and lines of a kind that they do not know. The version rises when
the meaning of a field changes; new optional fields do not raise it, because older readers leave out fields that they
do not know.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeGuard

from rehab_pose.datatypes import Repetition, Side
from rehab_pose.session.movement import RepetitionMovement
from rehab_pose.session.observation import Gap, GapReason, Observation

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FORMAT",
    "VERSION",
    "JournalContent",
    "JournalHeader",
    "JournalledRepetition",
    "json_object",
    "repetition_fields",
    "repetition_key",
]

FORMAT = "rehab_pose session journal"
VERSION = 1
"""Version of the format; a reader accepts its own and lower ones."""
MAX_INTEGER = 2**63
"""Whole numbers are smaller, as those of messages; a damaged line may have any."""


def repetition_key(repetition: Repetition) -> tuple[str, int, int]:
    """Return what identifies a repetition: label, start and end [ns]. A repetition with the same key is the same."""
    return repetition.label, repetition.start_ns, repetition.end_ns


@dataclass(frozen=True)
class JournalHeader:
    """The first line of a journal."""

    session_id: str
    subject_code: str = ""
    exercise: str = ""
    """Name of the exercise to count; '' = any."""
    side: str = "any"
    """Side to count, a name of `Side` in lower case."""
    target: int = 0
    """Repetitions to count; 0 = no limit."""
    since_ns: int = 0
    """Stamp of the newest frame at the start [ns]; 0 = none yet."""
    recording: str = "nothing"
    """Tier that is recorded, a name of `Recording` in lower case."""
    started: str = ""
    """Date and time of the start, ISO 8601 with the offset from UTC."""
    goal: bool = False
    """True if the session belongs to a goal of RunExercise and ends with it."""
    node: str = ""
    """Full name of the node that keeps the session."""
    software: str = ""
    """Name and version of the program."""
    encrypt_to: str = ""
    """Public key of age for which the files are encrypted after the end; '' = they stay plain."""

    @classmethod
    def from_line(cls, line: Mapping[str, Any]) -> JournalHeader:
        """Return the header of a first line.

        Raises:
            ValueError: The line is no header of a journal, or one of a newer version.
        """
        if line.get("kind") != "session" or line.get("format") != FORMAT:
            msg = f"expected a first line of the format {FORMAT!r}"
            raise ValueError(msg)
        version = line.get("version")
        if type(version) is not int or not 1 <= version <= VERSION:
            msg = f"expected a version from 1 to {VERSION}, got {version!r}; update this program"
            raise ValueError(msg)
        header = cls(**_checked_fields(cls, line))
        if header.side.upper() not in Side.__members__:
            msg = f"expected a side of {', '.join(side.name.lower() for side in Side)}, got {header.side!r}"
            raise ValueError(msg)
        return header

    def line(self) -> dict[str, Any]:
        """Return the fields of the first line."""
        return {"format": FORMAT, "version": VERSION, **dataclasses.asdict(self)}


@dataclass(frozen=True, slots=True)
class JournalledRepetition:
    """A repetition during the session."""

    repetition: Repetition
    counted: bool
    """True if its exercise and side are those of the tally."""
    movement: RepetitionMovement | None = None
    """None = no joints were received, or the journal is of a version without it."""


@dataclass
class JournalContent:
    """A session, as its journal tells it."""

    header: JournalHeader
    repetitions: list[JournalledRepetition] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=lambda: [Observation()])
    """One for each start of the session node during the session."""
    gaps: list[Gap] = field(default_factory=list)
    recordings: list[str] = field(default_factory=list)
    """Paths of the bags in the session's folder."""
    notes: list[str] = field(default_factory=list)
    """Events that people should know."""
    resumptions: int = 0
    state: str = "running"
    """running, done or interrupted."""
    message: str = ""
    """Reason of the end."""
    first_time_ns: int = 0
    last_time_ns: int = 0
    """Time of the first and the last line by the system's clock [ns]."""
    unreadable_lines: int = 0
    repeated: int = 0
    """Repetitions that had the key of an earlier one, and were not counted again."""

    def __post_init__(self) -> None:
        """Remember the repetitions by their keys."""
        self._keys = {repetition_key(entry.repetition) for entry in self.repetitions}

    @property
    def ended(self) -> bool:
        """True if the session has ended."""
        return self.state != "running"

    @property
    def counted(self) -> list[Repetition]:
        """The repetitions that belong to the tally."""
        return [entry.repetition for entry in self.repetitions if entry.counted]

    @property
    def last_stamp_ns(self) -> int:
        """Stamp of the newest frame that the journal tells of [ns]; 0 = none."""
        return max(
            self.header.since_ns,
            *(observation.last_ns for observation in self.observations),
            *(gap.end_ns for gap in self.gaps),
            *(entry.repetition.stamp_ns for entry in self.repetitions),
        )

    def knows(self, repetition: Repetition) -> bool:
        """Return whether a repetition is in the journal."""
        return repetition_key(repetition) in self._keys

    def add_repetition(self, entry: JournalledRepetition) -> None:
        """Add a repetition, or count it as repeated."""
        if self.knows(entry.repetition):
            self.repeated += 1
            return
        self._keys.add(repetition_key(entry.repetition))
        self.repetitions.append(entry)

    def apply(self, line: Mapping[str, Any]) -> None:
        """Add a line after the first one.

        Raises:
            ValueError: The line cannot be read.
        """
        time_ns = line.get("time_ns")
        if not _is_integer(time_ns):
            msg = f"expected a whole number in time_ns, got {time_ns!r}"
            raise ValueError(msg)
        kind = line.get("kind")
        add = getattr(self, f"_add_{kind}", None) if isinstance(kind, str) else None
        if add is None:
            msg = f"unknown kind {kind!r}"
            raise ValueError(msg)
        add(line)
        self.last_time_ns = time_ns

    def _add_repetition(self, line: Mapping[str, Any]) -> None:
        repetition = _repetition(line)
        moved = line.get("movement")
        movement = None if moved is None else RepetitionMovement.from_fields(moved)
        self.add_repetition(JournalledRepetition(repetition, line.get("counted") is True, movement))

    def _add_observed(self, line: Mapping[str, Any]) -> None:
        self.observations[-1] = Observation(**_checked_fields(Observation, line))

    def _add_gap(self, line: Mapping[str, Any]) -> None:
        fields = {"start_ns": line.get("start_ns"), "end_ns": line.get("end_ns")}
        if not all(map(_is_integer, fields.values())):
            msg = f"expected stamps of a gap, got {fields}"
            raise ValueError(msg)
        self.gaps.append(Gap(GapReason(line.get("reason")), **fields))  # type: ignore[arg-type]  # checked above

    def _add_recording(self, line: Mapping[str, Any]) -> None:
        path = _text(line, "path")
        if path != PurePath(path).name:
            msg = f"expected a name in the session's folder, got {path!r}"
            raise ValueError(msg)
        if path not in self.recordings:
            self.recordings.append(path)
        if line.get("state") == "failed":
            self.notes.append(_text(line, "message"))

    def _add_note(self, line: Mapping[str, Any]) -> None:
        self.notes.append(_text(line, "message"))

    def _add_resumed(self, line: Mapping[str, Any]) -> None:
        self.notes.append(_text(line, "message"))
        self.resumptions += 1
        self.observations.append(Observation())
        self.state, self.message = "running", ""

    def _add_end(self, line: Mapping[str, Any]) -> None:
        state = _text(line, "state")
        if state not in {"done", "interrupted"}:
            msg = f"expected the state done or interrupted, got {state!r}"
            raise ValueError(msg)
        self.state, self.message = state, _text(line, "message")

    @classmethod
    def parse(cls, data: bytes) -> JournalContent:
        """Return the content of a journal's file.

        A last line without its end, or any other line that cannot be read, is skipped and counted.

        Raises:
            ValueError: The first line is no header of a journal.
        """
        lines = data.split(b"\n")
        first = json_object(lines.pop(0))
        if first is None:
            msg = "expected a JSON object as first line"
            raise ValueError(msg)
        content = cls(JournalHeader.from_line(first))
        time_ns = first.get("time_ns")
        content.first_time_ns = content.last_time_ns = time_ns if _is_integer(time_ns) else 0
        for text in lines:
            if not text:
                continue
            line = json_object(text)
            try:
                if line is None:
                    content.unreadable_lines += 1
                else:
                    _check_plausible(line)
                    content.apply(line)
            except ValueError:
                content.unreadable_lines += 1
        return content


def _check_plausible(line: Mapping[str, Any]) -> None:
    """Check a line of a repetition that was read from a file.

    Raises:
        ValueError: Its stamps do not increase, or a number is out of its range: the line is damaged.
    """
    if line.get("kind") != "repetition":
        return
    repetition = _repetition(line)
    start_ns, turn_ns, end_ns = repetition.start_ns, repetition.turn_ns, repetition.end_ns
    increasing = 0 <= start_ns <= (turn_ns or start_ns) <= end_ns <= repetition.stamp_ns
    qualities = (repetition.quality, repetition.quality_low, repetition.quality_high)
    wrong = any(value < 0.0 or value > 1.0 for value in qualities) or abs(repetition.asymmetry) > 1.0
    if not increasing or repetition.count < 1 or wrong:
        msg = f"expected a repetition with stamps that increase and qualities from 0 to 1, got {repetition}"
        raise ValueError(msg)


def repetition_fields(repetition: Repetition) -> dict[str, Any]:
    """Return the fields of a repetition for JSON; NaN becomes None."""
    fields: dict[str, Any] = {}
    for item in dataclasses.fields(repetition):
        value = getattr(repetition, item.name)
        if isinstance(value, Side):
            value = value.name.lower()
        elif isinstance(value, tuple):
            value = list(value)
        elif isinstance(value, float):
            value = value if math.isfinite(value) else None
        fields[item.name] = value
    return fields


def _repetition(line: Mapping[str, Any]) -> Repetition:
    return Repetition(**_checked_fields(Repetition, line))


def _checked_fields(kind: type[Any], line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a dataclass that a line has; each must have the field's type.

    Raises:
        ValueError: A value has another type, or a field without a default is missing.
    """
    fields: dict[str, Any] = {}
    for item in dataclasses.fields(kind):
        if item.name in line:
            fields[item.name] = _checked(item.name, str(item.type), line[item.name])
        elif item.default is dataclasses.MISSING:
            msg = f"expected the field {item.name}"
            raise ValueError(msg)
    return fields


def _checked(name: str, kind: str, value: Any) -> Any:  # noqa: ANN401  (a value of JSON)
    if kind == "float" and value is None:
        return math.nan
    if kind == "float" and (_is_integer(value) or (type(value) is float and math.isfinite(value))):
        return float(value)
    if kind == "int" and _is_integer(value):
        return value
    if (kind == "str" and isinstance(value, str)) or (kind == "bool" and isinstance(value, bool)):
        return value
    if kind == "Side" and isinstance(value, str) and value.upper() in Side.__members__:
        return Side[value.upper()]
    if kind.startswith("tuple[str") and isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return tuple(value)
    msg = f"expected {name} of the type {kind}, got {value!r}"
    raise ValueError(msg)


def _is_integer(value: object) -> TypeGuard[int]:
    """Return whether a value is a whole number of 64 bits, as stamps and counts are."""
    return type(value) is int and -MAX_INTEGER <= value < MAX_INTEGER


def _text(line: Mapping[str, Any], name: str) -> str:
    value = line.get(name)
    if not isinstance(value, str):
        msg = f"expected a text in {name}, got {value!r}"
        raise ValueError(msg)  # noqa: TRY004  (all errors of a line are ValueErrors)
    return value


def json_object(text: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a line; None if the line is no JSON object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
