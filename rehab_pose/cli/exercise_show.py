"""`rehab-pose exercise show NAME`: the definition of one exercise."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rehab_pose.cli.exercise_list import add_folder_option

if TYPE_CHECKING:
    import argparse

    from rehab_pose.exercise.definition import ExerciseDefinition

__all__ = ["add_parser", "run"]

WIDTH = 100
"""Longest printed line, in characters."""
SIDES = {
    "both": "the body moves as one",
    "alternating": "a repetition goes to the left and to the right",
    "single": "one side at a time",
}
"""Sides in words."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `show`."""
    parser = subparsers.add_parser("show", help="the definition of one exercise")
    parser.add_argument("name", metavar="NAME", help="name of the exercise, as `rehab-pose exercise list` prints it")
    add_folder_option(parser)
    parser.add_argument("--yaml", action="store_true", help="print the YAML file, to start a file of your own from")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the definition.

    Raises:
        InputError: There is no such exercise, or a file of the user's folder is wrong.
    """
    from rehab_pose.exercise.definition import definition_text  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.exercise.exercise_library import ExerciseLibrary  # noqa: PLC0415

    definition = ExerciseLibrary.load(arguments.library).definition(arguments.name)
    if arguments.yaml:
        print(definition_text(definition), end="")
    else:
        print("\n".join(_lines(definition)))
    return 0


def _lines(definition: ExerciseDefinition) -> list[str]:
    """Return the definition in words, one paragraph for each entry."""
    signal = definition.signal
    unit = "rad" if signal.name.endswith("_rad") else "m"
    low, high = signal.typical_range
    entries = [
        (definition.name, definition.title),
        ("", definition.description),
        ("posture", definition.posture.replace("_", " ")),
        ("sides", f"{definition.sides}: {SIDES[definition.sides]}"),
        ("signal", f"{signal.name} = {signal.expression}"),
        ("range", f"usually {low:g} to {high:g} {unit}; a movement counts from {signal.minimum_range:g} {unit}"),
        ("side", f"the greater of {signal.limb}" if signal.limb else ""),
        ("tempo", f"{definition.repetition_s[0]:g} to {definition.repetition_s[1]:g} s a repetition"),
        ("hold", f"up to {definition.hold_s:g} s" if definition.hold_s else "none"),
        ("good", definition.good),
        ("source", definition.source),
    ]
    width = max(len(name) for name, _ in entries) + 2
    return [
        line
        for name, words in entries
        if words
        for line in textwrap.wrap(
            words, WIDTH, initial_indent=f"{name:{width}s}", subsequent_indent=" " * width, break_long_words=False
        )
    ]
