"""Names of exercises and of sides in the words of people, for pages, reports and speech."""

from __future__ import annotations

from rehab_pose.datatypes import Side
from rehab_pose.exercise.catalogue import NONE
from rehab_pose.exercise.exercise_library import shipped_library

__all__ = ["exercise_display_name", "side_display_name"]

NO_EXERCISE = "No exercise"
_SIDES = {Side.ANY: "either side", Side.LEFT: "left", Side.RIGHT: "right", Side.BOTH: "both sides"}


def exercise_display_name(label: str) -> str:
    """Return the name of an exercise, for example `Squat` for squat and `No exercise` for none or an empty label.

    Shipped exercises have the title of their definition; of others the label is made readable.
    """
    if label in {"", NONE}:
        return NO_EXERCISE
    library = shipped_library()
    if label in library.names:
        return library.definition(label).title
    words = label.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def side_display_name(side: Side) -> str:
    """Return the name of a side of the person, for example `both sides`."""
    return _SIDES[side]
