"""Table of the repetitions of an exercise: range, tempo, hold, symmetry, smoothness and quality of each."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from rehab_pose.datatypes import Side
from rehab_pose.session.reports.measures import measures_of, seconds, smoothness_words, symmetry_words
from rehab_pose.session.reports.page import ACCENT, INK, PALE, quality_colour
from rehab_pose.session.words import amount, side_words, signal_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehab_pose.datatypes import Repetition
    from rehab_pose.session.journal_content import JournalledRepetition

__all__ = ["repetition_table"]

BAR_PX, BAR_HEIGHT_PX = 96, 14
"""Size of a bar [px]."""
WORST_SMOOTHNESS, BEST_SMOOTHNESS = -4.0, -1.4
"""Ends of the scale of smoothness (spectral arc length)."""
HEADS = ("No.", "Range", "Out", "Back", "Hold", "Symmetry", "Smoothness", "Quality, 0 to 100")

WIDE = HEADS[-3:]
"""Cells that fill a line on a phone."""


def repetition_table(entries: Sequence[JournalledRepetition]) -> str:
    """Return the table as HTML; rows of poorly tracked repetitions are grey."""
    what = signal_words(entries[0].repetition.signal_name)
    heads = "".join(f"<th>{head}</th>" for head in HEADS)
    rows = "".join(_row(number, entry) for number, entry in enumerate(entries, start=1))
    return (
        f"<h2>Repetitions (range: {escape(what)})</h2>"
        f'<table class="cards"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _row(number: int, entry: JournalledRepetition) -> str:
    repetition, measures = entry.repetition, measures_of(entry)
    side = side_words(repetition.side) if repetition.side is not Side.BOTH else ""
    cells = (
        f"{number}{' ' + side.split()[0] if side else ''}",
        amount(measures.range, measures.unit),
        seconds(measures.out_s),
        seconds(measures.back_s),
        seconds(measures.hold_s),
        symmetry_words(repetition.asymmetry),
        _smoothness(repetition.smoothness),
        _quality(repetition),
    )
    filled = "".join(
        f'<td{_wide(head)} data-label="{escape(head)}"><span{_unbroken(head)}>{cell}</span></td>'
        for head, cell in zip(HEADS, cells, strict=True)
    )
    return f'<tr class="poor">{filled}</tr>' if measures.poor_tracking else f"<tr>{filled}</tr>"


def _wide(head: str) -> str:
    """Return the class of cells that fill a line on a phone."""
    return ' class="wide"' if head in WIDE else ""


def _unbroken(head: str) -> str:
    return "" if head == "Symmetry" else ' class="nowrap"'


def _smoothness(smoothness: float) -> str:
    if math.isnan(smoothness):
        return "not measured"
    place = (smoothness - WORST_SMOOTHNESS) / (BEST_SMOOTHNESS - WORST_SMOOTHNESS)
    x = 4 + max(0.0, min(place, 1.0)) * (BAR_PX - 8)
    scale = (
        f'<rect x="0" y="5" width="{BAR_PX}" height="4" rx="2" fill="{PALE}"/>'
        f'<circle cx="{x:.1f}" cy="7" r="4" fill="{ACCENT}"/>'
    )
    words = smoothness_words(smoothness)
    return f"{_svg(scale, f'smoothness {smoothness:.1f}')}{words}"


def _quality(repetition: Repetition) -> str:
    quality = repetition.quality
    if math.isnan(quality):
        return "not assessed"
    bar = (
        f'<rect x="0" y="0" width="{BAR_PX}" height="{BAR_HEIGHT_PX}" rx="2" fill="{PALE}"/>'
        f'<rect x="0" y="0" width="{BAR_PX * _clip(quality):.1f}" height="{BAR_HEIGHT_PX}" rx="2" '
        f'fill="{quality_colour(quality)}"/>'
    )
    text = f"{100.0 * quality:.0f}"
    low, high = repetition.quality_low, repetition.quality_high
    if math.isfinite(low) and math.isfinite(high):
        bar += (
            f'<line x1="{BAR_PX * _clip(low):.1f}" x2="{BAR_PX * _clip(high):.1f}" y1="7" y2="7" stroke="{INK}" '
            'stroke-width="2"/>'
        )
        text += f" ({100.0 * low:.0f} to {100.0 * high:.0f})"
    return f"{_svg(bar, f'quality {text}')}{text}"


def _clip(fraction: float) -> float:
    return max(0.0, min(fraction, 1.0))


def _svg(content: str, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {BAR_PX} {BAR_HEIGHT_PX}" width="{BAR_PX}" height="{BAR_HEIGHT_PX}" role="img" '
        f'aria-label="{escape(title)}">{content}</svg>'
    )
