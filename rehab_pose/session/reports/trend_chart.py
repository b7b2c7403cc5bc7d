"""Small chart of a measure over sessions, as SVG: a point a session, with its interval."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from rehab_pose.session.reports.page import ACCENT, INK, MUTED, PALE

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Place", "trend_chart"]

WIDTH_PX, HEIGHT_PX, LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 280, 150, 34, 14, 26, 24
"""Size of the chart and its margins [px]."""
MAX_DATES = 4
"""Dates that fit below the chart."""
HEADROOM = 1.15
"""Upper end of the scale relative to the largest value."""
FONT = 'font-family="Liberation Sans, Arial, sans-serif"'


class Place(NamedTuple):
    """A session in the chart."""

    date: str
    value: float
    """NaN = not measured: no point is drawn."""
    low: float = math.nan
    high: float = math.nan
    """Interval; NaN = none."""


def trend_chart(title: str, places: Sequence[Place], top: float | None = None) -> str:
    """Return an SVG element.

    Args:
        title: Name of the measure with its unit.
        places: Sessions in the order of time.
        top: Upper end of the scale; None = from the values. The lower end is 0.
    """
    values = [value for place in places for value in (place.value, place.high) if math.isfinite(value)]
    upper = top or HEADROOM * max(values, default=1.0) or 1.0
    points = [(_x(index, len(places)), place) for index, place in enumerate(places) if math.isfinite(place.value)]
    line = " ".join(f"{x:.1f},{_y(place.value, upper):.1f}" for x, place in points)
    marks = "".join(_mark(x, place, upper) for x, place in points)
    words = ", ".join(f"{place.date} {place.value:.0f}" for place in places if math.isfinite(place.value))
    return (
        f'<svg viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}" role="img" aria-label="{escape(f"{title}: {words}")}">'
        f'<text x="0" y="13" font-size="12" font-weight="600" fill="{INK}" {FONT}>{escape(title)}</text>'
        f"{_grid(upper)}{_dates(places)}"
        f'<polyline points="{line}" fill="none" stroke="{ACCENT}" stroke-width="1.5"/>{marks}</svg>'
    )


def _x(index: int, count: int) -> float:
    room = WIDTH_PX - LEFT_PX - RIGHT_PX
    return LEFT_PX + room * (0.5 if count == 1 else 0.06 + 0.88 * index / (count - 1))


def _y(value: float, upper: float) -> float:
    return HEIGHT_PX - BOTTOM_PX - min(max(value / upper, 0.0), 1.0) * (HEIGHT_PX - TOP_PX - BOTTOM_PX)


def _grid(upper: float) -> str:
    parts = []
    for value in (0.0, 0.5 * upper, upper):
        y = _y(value, upper)
        digits = 0 if upper >= 10.0 or value == 0.0 else 1  # a tenth of a second is visible, of a degree is not
        parts.append(
            f'<line x1="{LEFT_PX}" x2="{WIDTH_PX - RIGHT_PX}" y1="{y:.1f}" y2="{y:.1f}" stroke="{PALE}"/>'
            f'<text x="{LEFT_PX - 5}" y="{y + 4:.1f}" text-anchor="end" font-size="11" fill="{MUTED}" {FONT}>'
            f"{value:.{digits}f}</text>"
        )
    return "".join(parts)


def _dates(places: Sequence[Place]) -> str:
    step = max(1, math.ceil(len(places) / MAX_DATES))
    shown = {*range(0, len(places), step)}
    return "".join(
        f'<text x="{_x(index, len(places)):.1f}" y="{HEIGHT_PX - 7}" text-anchor="middle" font-size="11" '
        f'fill="{MUTED}" {FONT}>{escape(place.date)}</text>'
        for index, place in enumerate(places)
        if index in shown
    )


def _mark(x: float, place: Place, upper: float) -> str:
    interval = ""
    if math.isfinite(place.low) and math.isfinite(place.high):
        interval = (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_y(place.low, upper):.1f}" y2="{_y(place.high, upper):.1f}" '
            f'stroke="{INK}" stroke-width="1.5"/>'
        )
    return f'{interval}<circle cx="{x:.1f}" cy="{_y(place.value, upper):.1f}" r="3.5" fill="{ACCENT}"/>'
