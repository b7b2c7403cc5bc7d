"""Measures of a repetition in the words and units of a clinician."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from rehab_pose.exercise.repetition_quality import MIN_CONFIDENCE, SHIPPED_NORMS
from rehab_pose.session.words import amount, displayed_unit
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rehab_pose.session.journal_content import JournalledRepetition

__all__ = [
    "FAIR_TRACKING",
    "NO_NORMS",
    "RepetitionMeasures",
    "healthy_people",
    "mean",
    "measures_of",
    "quality_of_set",
    "seconds",
    "smoothness_words",
    "symmetry_words",
    "tracking_words",
]

FAIR_TRACKING = 0.7
"""Median confidence of the joints above which tracking is called good; the simulated person has 0.89."""
NO_NORMS = "no norms"
"""Part of the sentence by which quality is withheld for exercises without norms: tracking was not the reason."""
EVEN = 0.05
"""Asymmetry up to which both sides are called even; chosen by hand."""
SMOOTHNESS_WORDS = ((-1.7, "smooth"), (-2.2, "slightly uneven"), (-3.0, "uneven"), (-math.inf, "jerky"))
"""Lower limit of the spectral arc length and its word; chosen by hand. A minimum-jerk movement has -1.41, its best."""
PERCENT = 100.0


@dataclass(frozen=True)
class RepetitionMeasures:
    """Numbers of one repetition; NaN = not measured."""

    range: float
    """Of the counted signal, in the displayed unit."""
    unit: str
    """Displayed unit, with its space."""
    total_s: float
    out_s: float
    back_s: float
    """Time from the start to the far point, and from there to the end [s]."""
    hold_s: float
    """Time near the far point, a part of the other two [s]."""
    poor_tracking: bool
    """True if the numbers cannot be relied on."""


def measures_of(entry: JournalledRepetition) -> RepetitionMeasures:
    """Return the measures of a repetition of the journal."""
    repetition, movement = entry.repetition, entry.movement
    factor, unit = displayed_unit(repetition.signal_name)
    has_turn = repetition.start_ns < repetition.turn_ns <= repetition.end_ns
    withheld = bool(repetition.quality_withheld) and NO_NORMS not in repetition.quality_withheld
    return RepetitionMeasures(
        range=factor * (repetition.signal_maximum - repetition.signal_minimum),
        unit=unit,
        total_s=(repetition.end_ns - repetition.start_ns) / NS_PER_S,
        out_s=(repetition.turn_ns - repetition.start_ns) / NS_PER_S if has_turn else math.nan,
        back_s=(repetition.end_ns - repetition.turn_ns) / NS_PER_S if has_turn else math.nan,
        hold_s=math.nan if movement is None else movement.hold_s,
        poor_tracking=withheld or (movement is not None and movement.tracking < MIN_CONFIDENCE),
    )


def smoothness_words(smoothness: float) -> str:
    """Return a word for a spectral arc length; `not measured` for NaN."""
    if math.isnan(smoothness):
        return "not measured"
    return next(word for limit, word in SMOOTHNESS_WORDS if smoothness >= limit)


def symmetry_words(asymmetry: float) -> str:
    """Return the larger side and by how much, as `left larger by 12 %`; `not measured` for NaN."""
    if math.isnan(asymmetry):
        return "not measured"
    if abs(asymmetry) <= EVEN:
        return "even"
    return f"{'left' if asymmetry > 0 else 'right'} larger by {abs(asymmetry) * PERCENT:.0f} %"


def tracking_words(tracking: float) -> str:
    """Return a word for a median confidence of the joints, 0 to 1; `not recorded` for NaN."""
    if math.isnan(tracking):
        return "not recorded"
    return "good" if tracking >= FAIR_TRACKING else "fair" if tracking >= MIN_CONFIDENCE else "poor"


def mean(values: Iterable[float]) -> float:
    """Return the mean of the finite values; NaN if there is none."""
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan


def quality_of_set(entries: Sequence[JournalledRepetition]) -> tuple[float, float, float]:
    """Return mean quality and the means of the lower and upper ends of the intervals, 0 to 1; NaN = none assessed.

    The errors of the repetitions of one set are not independent (the same camera, the same person), so the interval of
    the mean is not made narrower by their number.
    """
    assessed = [entry.repetition for entry in entries if math.isfinite(entry.repetition.quality)]
    return (
        mean(repetition.quality for repetition in assessed),
        mean(repetition.quality_low for repetition in assessed),
        mean(repetition.quality_high for repetition in assessed),
    )


@cache
def healthy_people() -> tuple[str, frozenset[str]]:
    """Return the people whom quality compares with, in words, and the exercises that they did."""
    content = json.loads(SHIPPED_NORMS.read_text(encoding="utf-8"))
    facts = content["facts"]
    words = f"{facts['subjects']} healthy people ({facts['data']}, {facts['joints_from']})"
    return words, frozenset(content["norms"])


def seconds(value: float) -> str:
    """Return a time in seconds with one digit; `not measured` for NaN."""
    return amount(value, " s", 1)
