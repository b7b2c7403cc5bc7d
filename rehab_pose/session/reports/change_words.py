"""Changes between the last two sessions of an exercise, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rehab_pose.session.words import amount, date_words, day_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehab_pose.session.reports.trend_page import ExerciseResult

__all__ = ["against_last_time"]

SAME = {"°": 5.0, " cm": 3.0}
"""Changes of the range up to these are called about the same: 5 degrees is what two measurements with a goniometer
differ by; the centimetres were chosen by hand."""
SAME_S = 0.3
"""Changes of a time up to this are called about the same; chosen by hand [s]."""
SAME_QUALITY = 0.05
"""Changes of the mean quality up to this are called about the same; chosen by hand."""
PERCENT = 100.0


def against_last_time(results: Sequence[ExerciseResult]) -> list[str]:
    """Return sentences about the last session of an exercise, compared with the one before it."""
    last = results[-1]
    if len(results) == 1:
        return ["This is the first session with this exercise; there is nothing to compare with yet."]
    before = results[-2]
    day = day_words(before.started)
    if day == day_words(last.started):
        day = date_words(before.started)
    return [
        _repetitions(last.repetitions, before.repetitions, day),
        *_sentence("Range", last.range, before.range, last.unit, SAME.get(last.unit, 0.0), ("larger", "smaller")),
        *_sentence("Time of a repetition", last.total_s, before.total_s, " s", SAME_S, ("slower", "faster"), digits=1),
        *_sentence("Hold", last.hold_s, before.hold_s, " s", SAME_S, ("longer", "shorter"), digits=1),
        *_quality(last, before),
    ]


def _repetitions(last: int, before: int, day: str) -> str:
    done = "1 repetition" if last == 1 else f"{last} repetitions"
    if last == before:
        return f"{done}, as many as on {day}."
    return f"{done}, {abs(last - before)} {'more' if last > before else 'fewer'} than on {day}."


def _sentence(
    name: str, last: float, before: float, unit: str, same: float, words: tuple[str, str], *, digits: int = 0
) -> list[str]:
    """Return a sentence about a measure; none where it was not measured both times."""
    change = last - before
    if not math.isfinite(change):
        return []
    value = amount(last, unit, digits)
    if abs(change) <= same:
        return [f"{name} {value}, about the same ({amount(before, unit, digits)})."]
    return [f"{name} {value}, {amount(abs(change), unit, digits)} {words[0] if change > 0 else words[1]}."]


def _quality(last: ExerciseResult, before: ExerciseResult) -> list[str]:
    change = last.quality - before.quality
    if not math.isfinite(change):
        return ["Quality cannot be compared: it was not assessed both times."]
    value = f"Quality {PERCENT * last.quality:.0f} of 100"
    if abs(change) <= SAME_QUALITY:
        return [f"{value}, about the same ({PERCENT * before.quality:.0f})."]
    words = f"{value}, {PERCENT * abs(change):.0f} {'better' if change > 0 else 'worse'}"
    apart = last.quality_low > before.quality_high or last.quality_high < before.quality_low
    return [f"{words}, more than their intervals explain." if apart else f"{words}; their intervals overlap."]
