"""A session's repetitions as CSV, one a line, with the unit of each column in its name."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

from rehab_pose.biomechanics.display_names import angle_display_name
from rehab_pose.exercise.display_names import exercise_display_name
from rehab_pose.session.reports.measures import measures_of
from rehab_pose.session.wall_clock import wall_time
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from rehab_pose.session.journal_content import JournalContent, JournalledRepetition

__all__ = ["repetition_csv"]

COLUMNS = (
    "session",
    "person",
    "exercise",
    "label",
    "number in the set",
    "counted",
    "side",
    "start [date and time]",
    "start [s since the first]",
    "duration [s]",
    "out [s]",
    "back [s]",
    "hold [s]",
    "movement",
    "range [deg]",
    "range [cm]",
    "smoothness [spectral arc length]",
    "asymmetry [(left - right) / (left + right)]",
    "quality [0 to 1]",
    "quality, lower end of the 95 % interval [0 to 1]",
    "quality, upper end of the 95 % interval [0 to 1]",
    "tracking [median confidence, 0 to 1]",
    "tracked poorly",
    "remarks",
)
DIGITS = 4
"""Decimal places of numbers."""


def repetition_csv(content: JournalContent) -> str:
    """Return all repetitions of a session as CSV with a header line (RFC 4180); a value that was not measured is empty.

    Two columns follow for each joint angle that was recorded: its smallest and its largest value [deg].
    """
    angles: dict[str, None] = {}
    for entry in content.repetitions:
        angles.update(dict.fromkeys(name for name, _, _ in (entry.movement.angles_deg if entry.movement else ())))
    columns = [
        *COLUMNS,
        *(f"{angle_display_name(name)}, {end} [deg]" for name in angles for end in ("smallest", "largest")),
    ]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    first_ns = min((entry.repetition.start_ns for entry in content.repetitions), default=0)
    for entry in content.repetitions:
        ends = {name: (low, high) for name, low, high in (entry.movement.angles_deg if entry.movement else ())}
        writer.writerow(
            [*_cells(content, entry, first_ns), *(str(end) for name in angles for end in ends.get(name, ("", "")))]
        )
    return text.getvalue()


def _cells(content: JournalContent, entry: JournalledRepetition, first_ns: int) -> list[str]:
    repetition, measures, header = entry.repetition, measures_of(entry), content.header
    start = wall_time(content, repetition.start_ns)
    degrees = measures.unit == "°"
    remarks = [*repetition.reasons, *([repetition.quality_withheld] if repetition.quality_withheld else [])]
    return [
        header.session_id,
        header.subject_code,
        exercise_display_name(repetition.label),
        repetition.label,
        str(repetition.count),
        "yes" if entry.counted else "no",
        repetition.side.name.lower(),
        start.isoformat(timespec="milliseconds") if start else "",
        _number((repetition.start_ns - first_ns) / NS_PER_S),
        _number(measures.total_s),
        _number(measures.out_s),
        _number(measures.back_s),
        _number(measures.hold_s),
        repetition.signal_name,
        _number(measures.range if degrees else math.nan),
        _number(math.nan if degrees else measures.range),
        _number(repetition.smoothness),
        _number(repetition.asymmetry),
        _number(repetition.quality),
        _number(repetition.quality_low),
        _number(repetition.quality_high),
        _number(entry.movement.tracking if entry.movement else math.nan),
        "yes" if measures.poor_tracking else "no",
        "; ".join(remarks),
    ]


def _number(value: float) -> str:
    return f"{round(value, DIGITS):g}" if math.isfinite(value) else ""
