"""Sessions in words: dates, exercises, numbers of repetitions and measures as people read them."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from rehab_pose.datatypes import Side
from rehab_pose.exercise.display_names import exercise_display_name, side_display_name
from rehab_pose.exercise.exercise_library import shipped_library

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehab_pose.datatypes import Repetition
    from rehab_pose.session.journal_content import JournalContent, JournalHeader
    from rehab_pose.session.store import StoredSession

__all__ = [
    "amount",
    "date_words",
    "day_words",
    "displayed_unit",
    "exercise_words",
    "movement_words",
    "number_of_repetitions",
    "range_words",
    "session_row",
    "session_title",
    "side_words",
    "signal_words",
    "table_lines",
]

HEADS = ("NAME", "STARTED", "EXERCISE", "REPETITIONS", "STATE", "SIZE")
_SIGNALS = {
    "arm_elevation": "height of the arms",
    "back_arch": "arch of the back",
    "both_knees_flexion": "flexion of both knees",
    "foot_lift": "lift of the foot",
    "hip_rise": "rise of the hip",
    "knee_distance": "distance of the knees",
    "knee_lift": "lift of the knee",
    "knee_to_chest": "way of the knee to the chest",
    "limbs_fall": "lowering of arm and leg",
    "limbs_rise": "rise of arm and leg",
    "pelvis_above_knees": "height of the pelvis above the knees",
    "pelvis_drop": "lowering of the pelvis",
    "pelvis_rise": "rise of the pelvis",
    "pelvis_sway": "sway of the pelvis",
    "shoulder_rise": "rise of the shoulders",
    "shoulder_yaw": "turn of the shoulders",
    "trunk_inclination": "forward lean of the trunk",
    "trunk_lateral_tilt": "sideways tilt of the trunk",
}
"""Counted signals whose name is not their own in plain words."""


def date_words(started: str) -> str:
    """Return a date and time of ISO 8601 in words, as 27 November 2026, 14:05; `no date` where there is none."""
    moment = _moment(started)
    return "no date" if moment is None else f"{moment.day} {moment:%B %Y, %H:%M}"


def day_words(started: str, *, short: bool = False) -> str:
    """Return the day of a date and time of ISO 8601, as 27 November 2026 or, short, 27 Nov; `no date` without one."""
    moment = _moment(started)
    if moment is None:
        return "no date"
    return f"{moment.day} {moment:%b}" if short else f"{moment.day} {moment:%B %Y}"


def _moment(started: str) -> datetime | None:
    try:
        return datetime.fromisoformat(started)
    except ValueError:
        return None


def exercise_words(header: JournalHeader) -> str:
    """Return the exercise of a session, with its side if one is counted."""
    name = exercise_display_name(header.exercise) if header.exercise else "Any exercise"
    side = side_words(Side[header.side.upper()])
    return f"{name}, {side}" if side else name


def side_words(side: Side) -> str:
    """Return `left side`, `right side` or `both sides`; '' where the sides are not told apart."""
    if side is Side.ANY:
        return ""
    return side_display_name(side) + ("" if side is Side.BOTH else " side")


def number_of_repetitions(content: JournalContent) -> str:
    """Return the counted repetitions against the target, as `5 of 10`."""
    target = content.header.target
    return f"{len(content.counted)} of {target}" if target else f"{len(content.counted)}"


def session_row(session: StoredSession) -> tuple[str, ...]:
    """Return the cells of a session in the table of `session list`."""
    size = f"{session.size_mb:.1f} MB"
    if session.content is None:
        return session.folder.name, "", "", "", session.state, size
    content = session.content
    started = date_words(content.header.started)
    return (
        session.folder.name,
        started,
        exercise_words(content.header),
        number_of_repetitions(content),
        session.state,
        size,
    )


def session_title(session: StoredSession) -> str:
    """Return a line about a session with a readable journal."""
    content = session.content
    if content is None:
        return f"{session.folder.name}: {session.state}"
    header = content.header
    person = f", person {header.subject_code}" if header.subject_code else ""
    done = number_of_repetitions(content)
    return f"{date_words(header.started)}{person}: {exercise_words(header)}, {done} repetitions, {session.state}"


def table_lines(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows below HEADS as lines with aligned columns."""
    every = [HEADS, *rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(HEADS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in every]


def displayed_unit(signal_name: str) -> tuple[float, str]:
    """Return the factor from a signal's unit to the displayed one, and the displayed unit with its space."""
    unit = signal_name.rpartition("_")[2]
    return {"rad": (180.0 / math.pi, "°"), "m": (100.0, " cm")}.get(unit, (1.0, ""))


def signal_words(signal_name: str) -> str:
    """Return what a signal measures, as `lowering of the pelvis` for pelvis_drop_m."""
    stem = signal_name.rpartition("_")[0]
    return _SIGNALS.get(stem, stem.replace("_", " ") or "movement")


def amount(value: float, unit: str, digits: int = 0) -> str:
    """Return a number with its unit; `not measured` for NaN."""
    return f"{value:.{digits}f}{unit}" if math.isfinite(value) else "not measured"


def range_words(repetition: Repetition) -> str:
    """Return the range of a repetition's signal in degrees or centimetres."""
    factor, unit = displayed_unit(repetition.signal_name)
    return amount(factor * (repetition.signal_maximum - repetition.signal_minimum), unit)


def movement_words(repetition: Repetition) -> str:
    """Return the movement of a repetition, as `height of the arms from 12 to 163 degrees`, or `... by 29 cm`."""
    name, unit = signal_words(repetition.signal_name), repetition.signal_name.rpartition("_")[2]
    low, high = repetition.signal_minimum, repetition.signal_maximum
    if not math.isfinite(low + high):
        return f"{name} not measured"
    library = shipped_library()
    to_both_sides = repetition.label in library.names and library.definition(repetition.label).two_sided
    if unit == "rad" and to_both_sides and low < 0.0 < high:
        return f"{name} from {math.degrees(-low):.0f} degrees right to {math.degrees(high):.0f} degrees left"
    if unit == "rad":
        return f"{name} from {math.degrees(low):.0f} to {math.degrees(high):.0f} degrees"
    return f"{name} by {range_words(repetition)}"
