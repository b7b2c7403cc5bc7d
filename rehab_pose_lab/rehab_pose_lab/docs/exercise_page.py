"""The tables of docs/exercises.md, from the library of exercises and the functions of its expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.exercise import signal_expression
from rehab_pose.exercise.exercise_library import shipped_library

if TYPE_CHECKING:
    from rehab_pose.exercise.definition import ExerciseDefinition

__all__ = ["END", "START", "exercise_page"]

START, END = "<!-- generated: rehab-pose-lab docs exercises -->", "<!-- end of the generated part -->"
"""Marks of the generated part of the page."""


def exercise_page() -> str:
    """Return the generated part of docs/exercises.md, with its marks."""
    library = shipped_library()
    parts = [START, "", f"## The {len(library.names)} exercises", ""]
    parts.append("| name | exercise | posture | sides | hold [s] |")
    parts.append("|---|---|---|---|---|")
    parts += [
        f"| [{entry.name}](#{entry.name}) | {entry.title} | {entry.posture.replace('_', ' ')} | {entry.sides} "
        f"| {entry.hold_s:g} |"
        for entry in library.definitions
    ]
    for entry in library.definitions:
        parts += ["", *_section(entry)]
    parts += ["", "## Functions of an expression", "", *_functions(), "", END]
    return "\n".join(parts) + "\n"


def _section(entry: ExerciseDefinition) -> list[str]:
    signal = entry.signal
    unit = "rad" if signal.name.endswith("_rad") else "m"
    low, high = signal.typical_range
    lines = [
        f"### {entry.name}",
        "",
        f"{entry.description} *Good:* {entry.good}",
        "",
        f"- Signal `{signal.name}`: `{signal.expression}`",
        f"- Usually {low:g} to {high:g} {unit}; a movement counts from {signal.minimum_range:g} {unit}",
    ]
    if signal.limb:
        lines.append(f"- Side: the greater of `{signal.limb}`")
    lines += [
        f"- A repetition takes {entry.repetition_s[0]:g} to {entry.repetition_s[1]:g} s",
        f"- Source: {entry.source}",
    ]
    return lines


def _functions() -> list[str]:
    """Return the table of the functions, from the module's documentation."""
    return [line for line in (signal_expression.__doc__ or "").splitlines() if line.startswith("|")]
