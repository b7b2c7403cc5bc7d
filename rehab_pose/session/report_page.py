"""The HTML page of a session's repetitions: ranges, tempo, symmetry, smoothness, quality and its reasons."""

from __future__ import annotations

import math
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from rehab_pose.datatypes import Side
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehab_pose.datatypes import Repetition

__all__ = ["repetition_page"]

ROW_PX, LEFT_PX, COLUMN_PX, COLUMN_GAP_PX, TOP_PX = 26, 60, 190, 34, 30
"""Layout of the chart [px]."""
COLUMNS = 5
"""Number of columns of the chart."""
BAR_PX = COLUMN_PX - 50
"""Longest bar; its number is next to it [px]."""
NUMBER_PX = 60
"""Width of the number next to a bar of symmetry [px]."""
INK, PALE, OUT_COLOUR, BACK_COLOUR = "#24323d", "#d9e0e5", "#3b7ea1", "#9cc3d5"
QUALITY_COLOURS = ((0.75, "#4c9f70"), (0.5, "#e0b03a"), (-1.0, "#c8553d"))
"""Lower limit of the quality and colour of its bar; repetitions in the last colour should be checked by a therapist."""
MAX_ASYMMETRY = 0.5
"""Magnitude of the asymmetry at which its bar has full length."""
STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;color:#24323d;max-width:1240px;margin:2em auto;padding:0 1em}"
    "h1{font-size:1.4em}h2{font-size:1.15em;margin:1.6em 0 .3em}p{margin:.3em 0}li{margin:.15em 0}"
    "svg{width:100%;height:auto;display:block}.small{color:#5b6b77;font-size:.9em}"
)


def repetition_page(title: str, repetitions: Sequence[Repetition]) -> str:
    """Return a self-contained HTML page.

    Args:
        title: The title, already escaped for HTML.
        repetitions: Repetitions in the order in which they were counted.
    """
    sections = [
        _section(label, list(run)) for label, run in groupby(repetitions, key=lambda repetition: repetition.label)
    ]
    body = "".join(sections) or "<p>No repetition was counted.</p>"
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"</head><body><h1>{title}</h1>{body}"
        '<p class="small">Range: highest minus lowest value of the counted signal. Tempo: outward movement dark, '
        "return light. Symmetry: how much larger the movement to one side is, as a fraction of both sides. "
        "Smoothness: spectral arc length; values closer to 0 are smoother. Quality: 1 = as healthy people do it; the "
        "line is its 95 % interval. "
        "This page describes a movement; it is not a diagnosis.</p></body></html>\n"
    )


def _section(label: str, run: list[Repetition]) -> str:
    durations_s = [(repetition.end_ns - repetition.start_ns) / NS_PER_S for repetition in run]
    mean_s = sum(durations_s) / len(run)
    times = "1 repetition" if len(run) == 1 else f"{len(run)} repetitions"
    notes = "".join(
        f"<li>{escape(reason if reason.startswith('repetition') else f'repetition {repetition.count}: {reason}')}</li>"
        for repetition in run
        for reason in repetition.reasons
    )
    notes += "".join(f"<li>{escape(sentence)}</li>" for sentence in _withheld(run))
    return (
        f"<h2>{escape(label.replace('_', ' '))}</h2><p>{times}, {mean_s:.1f} s each on average "
        f"({min(durations_s):.1f} to {max(durations_s):.1f} s).</p>{_chart(run)}"
        + (f"<ul>{notes}</ul>" if notes else "<p>Nothing unusual was found.</p>" if _has_quality(run) else "")
    )


def _withheld(run: list[Repetition]) -> list[str]:
    """Return why repetitions have no quality, with their numbers, each reason once."""
    numbers: dict[str, list[str]] = {}
    for repetition in run:
        if repetition.quality_withheld:
            numbers.setdefault(repetition.quality_withheld, []).append(str(repetition.count))
    return [
        f"repetition{'s' if len(counts) > 1 else ''} {', '.join(counts)}: {reason}"
        for reason, counts in numbers.items()
    ]


def _has_quality(run: list[Repetition]) -> bool:
    return any(math.isfinite(repetition.quality) for repetition in run)


def _displayed_unit(signal_name: str) -> tuple[float, str]:
    """Return the factor from the signal's unit to the displayed unit, and the displayed unit."""
    unit = signal_name.rpartition("_")[2]
    return {"rad": (180.0 / math.pi, "°"), "m": (100.0, " cm")}.get(unit, (1.0, ""))


def _chart(run: list[Repetition]) -> str:
    factor, unit = _displayed_unit(run[0].signal_name)
    ranges = [factor * (repetition.signal_maximum - repetition.signal_minimum) for repetition in run]
    longest_s = max((repetition.end_ns - repetition.start_ns) / NS_PER_S for repetition in run)
    widest = max([value for value in ranges if math.isfinite(value)], default=1.0)
    name = run[0].signal_name.rpartition("_")[0].replace("_", " ") or "signal"
    heads = (f"Range of {name}", "Tempo", "Symmetry", "Smoothness", "Quality")
    parts = [_text(_x(column), 16, head, weight="600") for column, head in enumerate(heads)]
    for row, (repetition, size) in enumerate(zip(run, ranges, strict=True)):
        top = TOP_PX + row * ROW_PX
        side = "" if repetition.side in {Side.ANY, Side.BOTH} else " " + repetition.side.name.lower()
        parts.append(_text(4, top + 15, f"{repetition.count}{side}"))
        if math.isfinite(size):
            parts.append(_bar(_x(0), top, size / max(widest, 1e-9), OUT_COLOUR, f"{size:.0f}{unit}"))
        parts.append(_tempo(repetition, top, longest_s))
        parts.append(_symmetry(repetition, top))
        if math.isfinite(repetition.smoothness):
            parts.append(_text(_x(3), top + 15, f"{repetition.smoothness:.1f}"))
        if math.isfinite(repetition.quality):
            colour = next(colour for minimum, colour in QUALITY_COLOURS if repetition.quality >= minimum)
            shown_to = max(repetition.quality, repetition.quality_high if _has_interval(repetition) else 0.0)
            parts.append(_box(_x(4), top, min(repetition.quality, 1.0) * BAR_PX, colour))
            parts.append(_text(_x(4) + min(shown_to, 1.0) * BAR_PX + 5, top + 15, f"{repetition.quality:.2f}"))
            parts.append(_interval(repetition, top))
    width, height = _x(COLUMNS), TOP_PX + len(run) * ROW_PX + 6
    return f'<svg viewBox="0 0 {width:.0f} {height}" role="img">{"".join(parts)}</svg>'


def _has_interval(repetition: Repetition) -> bool:
    return math.isfinite(repetition.quality_low) and math.isfinite(repetition.quality_high)


def _interval(repetition: Repetition, top: float) -> str:
    """Return a line over the bar of the quality, from the lower to the upper end of its interval, if it has one."""
    if not _has_interval(repetition):
        return ""
    ends = (repetition.quality_low, repetition.quality_high)
    left, right = (_x(4) + max(0.0, min(end, 1.0)) * BAR_PX for end in ends)
    middle = top + (ROW_PX - 6) / 2
    return f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{middle}" y2="{middle}" stroke="{INK}" stroke-width="2"/>'


def _tempo(repetition: Repetition, top: float, longest_s: float) -> str:
    scale = BAR_PX / max(longest_s, 1e-9)
    total_px = (repetition.end_ns - repetition.start_ns) / NS_PER_S * scale
    has_turn = repetition.start_ns < repetition.turn_ns <= repetition.end_ns
    out_px = (repetition.turn_ns - repetition.start_ns) / NS_PER_S * scale if has_turn else total_px
    return (
        _box(_x(1), top, out_px, OUT_COLOUR)
        + _box(_x(1) + out_px, top, total_px - out_px, BACK_COLOUR)
        + _text(_x(1) + total_px + 5, top + 15, f"{total_px / scale:.1f} s")
    )


def _symmetry(repetition: Repetition, top: float) -> str:
    if not math.isfinite(repetition.asymmetry):
        return ""
    half = (COLUMN_PX - NUMBER_PX) / 2
    middle = _x(2) + half
    size = min(abs(repetition.asymmetry) / MAX_ASYMMETRY, 1.0) * half
    start = middle - size if repetition.asymmetry > 0 else middle  # the person's left is drawn on the left
    text = f"{abs(repetition.asymmetry) * 100:.0f} % {'left' if repetition.asymmetry > 0 else 'right'}"
    return (
        _box(_x(2), top, 2 * half, PALE)
        + _box(start, top, size, OUT_COLOUR)
        + f'<line x1="{middle}" x2="{middle}" y1="{top}" y2="{top + ROW_PX - 6}" stroke="{INK}"/>'
        + _text(_x(2) + 2 * half + 5, top + 15, text)
    )


def _x(column: int) -> float:
    return LEFT_PX + column * (COLUMN_PX + COLUMN_GAP_PX)


def _bar(left: float, top: float, fraction: float, colour: str, text: str) -> str:
    length = max(0.0, min(fraction, 1.0)) * BAR_PX
    return _box(left, top, length, colour) + _text(left + length + 5, top + 15, text)


def _box(left: float, top: float, length: float, colour: str) -> str:
    return (
        f'<rect x="{left:.1f}" y="{top}" width="{max(length, 0.0):.1f}" height="{ROW_PX - 6}" rx="2" fill="{colour}"/>'
    )


def _text(left: float, base: float, text: str, weight: str = "400") -> str:
    return f'<text x="{left:.1f}" y="{base}" font-size="13" font-weight="{weight}" fill="{INK}">{escape(text)}</text>'
