"""Table of the joint angles that move most in an exercise, in degrees, left beside right."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from rehab_pose.biomechanics.display_names import angle_display_name
from rehab_pose.session.reports.measures import mean, measures_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehab_pose.session.journal_content import JournalledRepetition

__all__ = ["angle_ranges", "angle_table"]

MAX_ROWS = 5
"""Angles that are listed: more do not fit a sheet, and the JSON file has all."""
MIN_RANGE_DEG = 10.0
"""Angles that move less are left out [degrees]: about the error of an angle."""
SIDES = ("left", "right")
TO_THE_LEFT = ("lateral_tilt", "axial_rotation", "pelvis_rotation")
"""Ends of the names of angles that are positive to the left and negative to the right (angle_model.yaml)."""


def angle_ranges(entries: Sequence[JournalledRepetition]) -> dict[str, tuple[float, float]]:
    """Return mean smallest and mean largest value of each angle over the well tracked repetitions [degrees].

    Where all were tracked poorly, the means are over all.
    """
    courses: dict[str, list[tuple[int, int]]] = {}
    for entry in [entry for entry in entries if not measures_of(entry).poor_tracking] or entries:
        if entry.movement is not None:
            for name, low, high in entry.movement.angles_deg:
                courses.setdefault(name, []).append((low, high))
    return {
        name: (mean(float(low) for low, _ in ends), mean(float(high) for _, high in ends))
        for name, ends in courses.items()
    }


def angle_table(entries: Sequence[JournalledRepetition]) -> str:
    """Return the table as HTML; empty if no angle was recorded."""
    ranges = angle_ranges(entries)
    movement: dict[str, float] = {}
    for name, (low, high) in ranges.items():
        stem = _stem(name)
        movement[stem] = max(movement.get(stem, 0.0), high - low)
    stems = sorted((stem for stem, size in movement.items() if size >= MIN_RANGE_DEG), key=lambda stem: -movement[stem])
    if not stems:
        return ""
    rows = "".join(_row(stem, ranges) for stem in stems[:MAX_ROWS])
    poor = all(measures_of(entry).poor_tracking for entry in entries)
    which = "all tracked poorly" if poor else "mean of the repetitions"
    return (
        f"<h2>Joint angles, smallest to largest ({which})</h2><table><thead><tr><th>Angle</th>"
        f"<th>Left</th><th>Right</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _stem(name: str) -> str:
    side, _, rest = name.partition("_")
    return rest if side in SIDES else name


def _row(stem: str, ranges: dict[str, tuple[float, float]]) -> str:
    words = angle_display_name(stem)
    head = f"<td>{escape(words[:1].upper() + words[1:])}</td>"
    if stem in ranges:
        ends = _left_and_right(ranges[stem]) if stem.endswith(TO_THE_LEFT) else _ends(ranges[stem])
        return f'<tr>{head}<td colspan="2">{ends}</td></tr>'
    cells = (_ends(ranges.get(f"{side}_{stem}")) for side in SIDES)
    return f"<tr>{head}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _ends(ends: tuple[float, float] | None) -> str:
    return "not measured" if ends is None else f"{ends[0]:.0f}° to {ends[1]:.0f}°"


def _left_and_right(ends: tuple[float, float]) -> str:
    """Return an angle to both sides, as `36° right to 34° left`."""
    words = [f"{abs(end):.0f}° {'left' if end > 0 else 'right'}" for end in ends]
    return " to ".join(words)
