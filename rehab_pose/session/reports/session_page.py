"""The report of a session as an HTML page: what was planned and reached, pictures, angles, and each repetition."""

from __future__ import annotations

import math
import re
from html import escape
from typing import TYPE_CHECKING

from rehab_pose.exercise.display_names import exercise_display_name
from rehab_pose.session.report_observation import observation_facts, observation_lines
from rehab_pose.session.reports.angle_table import angle_table
from rehab_pose.session.reports.measures import (
    NO_NORMS,
    healthy_people,
    mean,
    measures_of,
    quality_of_set,
    seconds,
    tracking_words,
)
from rehab_pose.session.reports.page import html_page
from rehab_pose.session.reports.repetition_table import repetition_table
from rehab_pose.session.reports.skeleton_picture import skeleton_picture
from rehab_pose.session.words import amount, date_words, exercise_words, number_of_repetitions, range_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehab_pose.session.journal_content import JournalContent, JournalledRepetition

__all__ = ["session_page"]

MAX_NOTES = 5
"""Largest number of unusual measures that the page lists of an exercise; the JSON file has all."""
SET_NUMBER = re.compile(r"^repetition \d+: ")
"""Number in the recogniser's set at the beginning of a reason; the page has the number in the session."""
S_PER_MIN = 60.0
PERCENT = 100.0


def session_page(content: JournalContent) -> str:
    """Return the page of a session's journal; it loads nothing else, and fits one sheet up to 14 repetitions."""
    header = content.header
    person = f"Person {header.subject_code}" if header.subject_code else "No person code"
    date = date_words(header.started)
    title = f"{exercise_words(header)}, {person.lower()}, {date}"
    others = [entry for entry in content.repetitions if not entry.counted]
    sections = "".join(_section(label, entries) for label, entries in _by_exercise(content))
    return html_page(
        title,
        f"<h1>{escape(exercise_words(header))}</h1>"
        f"<p>{escape(person)} · {escape(date)} · session {escape(header.session_id)}</p>"
        f"{_facts(content)}{sections or '<p>No repetition was counted.</p>'}{_not_counted(others)}{_course(content)}",
    )


def _by_exercise(content: JournalContent) -> list[tuple[str, list[JournalledRepetition]]]:
    """Return the counted repetitions of each exercise, the most frequent exercise first."""
    found: dict[str, list[JournalledRepetition]] = {}
    for entry in content.repetitions:
        if entry.counted:
            found.setdefault(entry.repetition.label, []).append(entry)
    return sorted(found.items(), key=lambda item: -len(item[1]))


def _facts(content: JournalContent) -> str:
    facts = observation_facts(content)
    counted = [entry for entry in content.repetitions if entry.counted]
    minutes = f"{facts['observed_s'] / S_PER_MIN:.1f} of {facts['duration_s'] / S_PER_MIN:.1f} min"
    seen = PERCENT * facts["frames_with_person"] / facts["frames"] if facts["frames"] else math.nan
    quality, low, high = quality_of_set(counted)
    assessed = sum(math.isfinite(entry.repetition.quality) for entry in counted)
    interval = f", {_hundred(low)} to {_hundred(high)}" if math.isfinite(low) and math.isfinite(high) else ""
    cells = (
        ("Repetitions", number_of_repetitions(content), _end(content)),
        (
            "Quality",
            f"{_hundred(quality)} of 100" if math.isfinite(quality) else "not assessed",
            f"mean of {assessed}{interval}" if assessed else "",
        ),
        ("Observed", minutes, f"person in {amount(seen, ' %')} of the images" if math.isfinite(seen) else ""),
        ("Tracking", *_tracking(counted)),
    )
    return (
        '<div class="facts">'
        + "".join(
            f"<div><span>{escape(name)}</span><b>{escape(value)}</b><span>{escape(more)}</span></div>"
            for name, value, more in cells
        )
        + "</div>"
    )


def _end(content: JournalContent) -> str:
    if not content.header.target:
        return "no target"
    missing = content.header.target - len(content.counted)
    return "target reached" if missing <= 0 else f"{missing} missing"


def _tracking(entries: Sequence[JournalledRepetition]) -> tuple[str, str]:
    """Return a word for the tracking of the repetitions, and how many of them are grey."""
    poor = sum(measures_of(entry).poor_tracking for entry in entries)
    if poor:
        return "poor" if 2 * poor > len(entries) else "partly poor", f"{poor} of {len(entries)} repetitions (grey)"
    word = tracking_words(mean(entry.movement.tracking for entry in entries if entry.movement is not None))
    return word, "no repetition tracked poorly" if entries else ""


def _section(label: str, entries: list[JournalledRepetition]) -> str:
    measured = [measures_of(entry) for entry in entries]
    spans_s = [measure.total_s for measure in measured]
    times = "1 repetition" if len(entries) == 1 else f"{len(entries)} repetitions"
    return (
        f"<h2>{escape(exercise_display_name(label))}: {times}, {seconds(mean(spans_s))} each "
        f"({min(spans_s):.1f} to {seconds(max(spans_s))})</h2>"
        f"{_pictures(entries)}{angle_table(entries)}{repetition_table(entries)}{_notes(label, entries)}"
    )


def _pictures(entries: list[JournalledRepetition]) -> str:
    """Return the pictures of the best and the worst repetition, by quality, or by range where none was assessed."""
    recorded = [entry for entry in entries if entry.movement is not None and entry.movement.joints_cm]
    drawn = [entry for entry in recorded if not measures_of(entry).poor_tracking] or recorded
    assessed = [entry for entry in drawn if math.isfinite(entry.repetition.quality)]
    if assessed:
        ranked, names = sorted(assessed, key=lambda entry: -entry.repetition.quality), ("Best", "Weakest")
    else:
        ranked = sorted(drawn, key=lambda entry: -measures_of(entry).range)
        names = ("Largest", "Smallest")
    chosen = [*zip(names, [ranked[0], ranked[-1]] if len(ranked) > 1 else ranked, strict=False)]
    figures = "".join(_figure(name, entries.index(entry) + 1, entry) for name, entry in chosen)
    if not figures:
        return ""
    legend = 'Body at the far point: <span class="left">left</span> and <span class="right">right</span> of the person.'
    return f'<div class="pictures">{figures}</div><p class="small">{legend}</p>'


def _figure(name: str, number: int, entry: JournalledRepetition) -> str:
    repetition, movement = entry.repetition, entry.movement
    if movement is None:
        return ""
    heading = f"{name}: repetition {number}"
    picture = skeleton_picture(movement.joints_cm, f"{heading}, body at the far point")
    if not picture:
        return ""
    words = [f"range {range_words(repetition)}"]
    if math.isfinite(repetition.quality):
        words.append(f"quality {_hundred(repetition.quality)} of 100")
    poor = measures_of(entry).poor_tracking
    words += ["tracked poorly"] if poor else []
    caption = f"<figcaption><b>{escape(heading)}</b>, {escape(', '.join(words))}</figcaption>"
    return f"<figure{' class=poor' if poor else ''}>{picture}{caption}</figure>"


def _notes(label: str, entries: list[JournalledRepetition]) -> str:
    reasons = [
        f"repetition {number}: {SET_NUMBER.sub('', reason)}"
        for number, entry in enumerate(entries, start=1)
        for reason in entry.repetition.reasons
    ]
    notes = reasons[:MAX_NOTES]
    if len(reasons) > MAX_NOTES:
        notes.append(f"{len(reasons) - MAX_NOTES} more in the JSON file")
    numbers: dict[str, list[str]] = {}
    for number, entry in enumerate(entries, start=1):
        if entry.repetition.quality_withheld and NO_NORMS not in entry.repetition.quality_withheld:
            numbers.setdefault(entry.repetition.quality_withheld, []).append(str(number))
    notes += [
        f"repetition{'s' if len(counts) > 1 else ''} {', '.join(counts)}: quality {reason}"
        for reason, counts in numbers.items()
    ]
    people, exercises = healthy_people()
    against = (
        f"Quality: 24 measures of the movement against those of {people}; 100 is within their usual range; the line "
        "over the bar is its 95 % interval."
        if label in exercises
        else "Quality is not assessed: there are no recordings of healthy people doing this exercise."
    )
    items = "".join(f"<li>{escape(note[:1].upper() + note[1:])}.</li>" for note in notes)
    return (f"<ul>{items}</ul>" if items else "") + (
        f'<p class="small">{escape(against)} Range: largest minus smallest value of the movement. Out and back: to the '
        "far point and from it; hold: time near the far point, a part of both, known once the exercise "
        "is named. Smoothness: spectral arc length, -1.4 "
        "is the best possible.</p>"
    )


def _not_counted(others: list[JournalledRepetition]) -> str:
    if not others:
        return ""
    counts: dict[str, int] = {}
    for entry in others:
        counts[entry.repetition.label] = counts.get(entry.repetition.label, 0) + 1
    words = ", ".join(f"{count} of {exercise_display_name(label)}" for label, count in counts.items())
    return f"<p>Seen and not counted: {escape(words)}.</p>"


def _course(content: JournalContent) -> str:
    """Return gaps and events of the session; its first sentence is in the facts already."""
    lines = observation_lines(content)[1:]
    if content.message and content.state == "done":
        lines.insert(0, f"The session ended: {content.message}.")
    if not lines:
        return ""
    return "<h2>Course</h2><ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _hundred(quality: float) -> str:
    return f"{PERCENT * quality:.0f}" if math.isfinite(quality) else "not assessed"
