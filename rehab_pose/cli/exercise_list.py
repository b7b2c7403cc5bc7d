"""`rehab-pose exercise list`: the exercises that are known, one a line."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_folder_option", "add_parser", "run"]


def add_folder_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the folder of the user's exercises."""
    parser.add_argument(
        "--library",
        default="",
        metavar="DIR",
        help="folder of your own exercises (default: $XDG_DATA_HOME/rehab_pose/exercises)",
    )


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `list`."""
    parser = subparsers.add_parser("list", help="name, posture, sides and title of every exercise")
    add_folder_option(parser)
    parser.add_argument("--json", action="store_true", help="print the definitions as one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the exercises with the way in which their label is known: trained, simulated, or one of the user's own.

    Raises:
        InputError: The folder does not exist, or a file in it is wrong.
    """
    from rehab_pose.exercise.catalogue import EXERCISES  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.exercise.exercise_library import ExerciseLibrary, shipped_library  # noqa: PLC0415

    library = ExerciseLibrary.load(arguments.library)
    if arguments.json:
        print(json.dumps({entry.name: asdict(entry) for entry in library.definitions}, indent=1, ensure_ascii=False))
        return 0
    shipped = shipped_library()
    width = max(len(name) for name in library.names)
    for entry in library.definitions:
        own = entry.name not in shipped.names or shipped.definition(entry.name) != entry
        mark = "own" if own else "trained" if entry.name in EXERCISES else "simulated"
        print(f"{entry.name:{width}s}  {entry.posture:12s}  {entry.sides:11s}  {mark:9s}  {entry.title}")
    return 0
