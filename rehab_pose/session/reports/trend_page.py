"""The trend of a person over sessions as an HTML page: charts, a table, and the last session against the one before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from rehab_pose.exercise.display_names import exercise_display_name
from rehab_pose.session.reports.change_words import against_last_time
from rehab_pose.session.reports.measures import healthy_people, mean, measures_of, quality_of_set, seconds
from rehab_pose.session.reports.page import html_page
from rehab_pose.session.reports.trend_chart import Place, trend_chart
from rehab_pose.session.words import amount, date_words, day_words, signal_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehab_pose.session.journal_content import JournalContent, JournalledRepetition

__all__ = ["ExerciseResult", "exercise_results", "trend_page"]

PERCENT = 100.0
HEADS = ("Date", "Repetitions", "Range", "Time each", "Hold", "Tracking", "Quality, 0 to 100")
WIDE = HEADS[-2:]
"""Cells that fill a line on a phone."""


@dataclass(frozen=True)
class ExerciseResult:
    """One exercise in one session; NaN = not measured. Means leave out poorly tracked repetitions, unless all are."""

    started: str
    """Date and time, ISO 8601."""
    repetitions: int
    target: int
    """0 = no target."""
    signal_name: str
    range: float
    """Mean, in the displayed unit."""
    unit: str
    """Displayed unit, with its space."""
    total_s: float
    hold_s: float
    quality: float
    quality_low: float
    quality_high: float
    """0 to 1."""
    poor: int
    """Number of poorly tracked repetitions."""

    @property
    def quality_words(self) -> str:
        """Quality and its interval from 0 to 100."""
        if not math.isfinite(self.quality):
            return "not assessed"
        quality, low, high = (PERCENT * value for value in (self.quality, self.quality_low, self.quality_high))
        return f"{quality:.0f} ({low:.0f} to {high:.0f})" if math.isfinite(low + high) else f"{quality:.0f}"


def exercise_results(sessions: Sequence[JournalContent]) -> dict[str, list[ExerciseResult]]:
    """Return the results of each exercise in the order of the sessions, for sessions in which it was counted."""
    found: dict[str, list[ExerciseResult]] = {}
    for content in sessions:
        by_label: dict[str, list[JournalledRepetition]] = {}
        for entry in content.repetitions:
            if entry.counted:
                by_label.setdefault(entry.repetition.label, []).append(entry)
        for label, entries in by_label.items():
            found.setdefault(label, []).append(_result(content, entries))
    return found


def _result(content: JournalContent, entries: list[JournalledRepetition]) -> ExerciseResult:
    well = [entry for entry in entries if not measures_of(entry).poor_tracking]
    measured = [measures_of(entry) for entry in well or entries]
    quality, low, high = quality_of_set(entries)
    return ExerciseResult(
        started=content.header.started,
        repetitions=len(entries),
        target=content.header.target,
        signal_name=entries[0].repetition.signal_name,
        range=mean(measure.range for measure in measured),
        unit=measured[0].unit,
        total_s=mean(measure.total_s for measure in measured),
        hold_s=mean(measure.hold_s for measure in measured),
        quality=quality,
        quality_low=low,
        quality_high=high,
        poor=len(entries) - len(well),
    )


def trend_page(subject_code: str, sessions: Sequence[JournalContent], unreadable: int = 0) -> str:
    """Return the page of a person's sessions; it loads nothing else.

    Args:
        subject_code: Code of the person.
        sessions: Their journals, in the order of time.
        unreadable: Number of sessions that could not be read, which the page says.
    """
    first, last = (day_words(content.header.started) for content in (sessions[0], sessions[-1]))
    span = first if first == last else f"{first} to {last}"
    results = exercise_results(sessions)
    sections = "".join(_section(label, entries) for label, entries in results.items())
    number = "1 session" if len(sessions) == 1 else f"{len(sessions)} sessions"
    missing = f"<p>{unreadable} more could not be read.</p>" if unreadable else ""
    people, _ = healthy_people()
    return html_page(
        f"Trend of person {subject_code}",
        f"<h1>Trend of person {escape(subject_code)}</h1><p>{number}, {escape(span)}</p>{missing}"
        f"{sections or '<p>No repetition was counted.</p>'}"
        '<p class="small">Range: mean over the repetitions of largest minus smallest value of the movement. Quality: '
        f"against {escape(people)}, 100 is within their usual range; the lines are 95 % intervals of a repetition. "
        "Poorly tracked repetitions are no part of the means. Changes up to 5°, 3 cm, 0.3 s or 5 of quality are called "
        "about the same.</p>",
    )


def _section(label: str, results: list[ExerciseResult]) -> str:
    what = signal_words(results[-1].signal_name)
    sentences = "".join(f"<li>{escape(sentence)}</li>" for sentence in against_last_time(results))
    unit = results[-1].unit.strip() or "value"
    days = [day_words(result.started, short=True) for result in results]
    charts = (
        (f"Range [{unit}]", [Place(day, result.range) for day, result in zip(days, results, strict=True)], None),
        ("Time each [s]", [Place(day, result.total_s) for day, result in zip(days, results, strict=True)], None),
        (
            "Quality",
            [
                Place(day, PERCENT * result.quality, PERCENT * result.quality_low, PERCENT * result.quality_high)
                for day, result in zip(days, results, strict=True)
            ],
            PERCENT,
        ),
    )
    drawn = "".join(f"<div>{trend_chart(title, places, top)}</div>" for title, places, top in charts)
    rows = "".join(_row(result) for result in results)
    heads = "".join(f"<th>{head}</th>" for head in HEADS)
    return (
        f"<h2>{escape(exercise_display_name(label))} (range: {escape(what)})</h2>"
        f'<h3>Against last time</h3><ul>{sentences}</ul><div class="charts">{drawn}</div>'
        f'<table class="cards"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _row(result: ExerciseResult) -> str:
    cells = (
        date_words(result.started),
        f"{result.repetitions} of {result.target}" if result.target else f"{result.repetitions}",
        amount(result.range, result.unit),
        seconds(result.total_s),
        seconds(result.hold_s),
        f"{result.poor} tracked poorly" if result.poor else "all tracked well",
        result.quality_words,
    )
    filled = "".join(
        f'<td{" class=wide" if head in WIDE else ""} data-label="{escape(head)}"><span>{escape(cell)}</span></td>'
        for head, cell in zip(HEADS, cells, strict=True)
    )
    grey = ' class="poor"' if result.poor == result.repetitions else ""
    return f"<tr{grey}>{filled}</tr>"
