"""`rehab-pose exercise remove NAME`: forget an exercise that was added."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.cli.exercise_list import add_folder_option
from rehab_pose.errors import InputError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

ENDINGS = (".npz", ".yaml", ".png")
"""Files of an added exercise."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `remove`."""
    parser = subparsers.add_parser("remove", help="forget an exercise that was added")
    parser.add_argument("name", metavar="NAME", help="name of the exercise")
    add_folder_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Remove the files of an exercise from the user's folder.

    Raises:
        InputError: The folder has no such exercise.
    """
    from rehab_pose.exercise.exercise_library import user_folder  # noqa: PLC0415  (loaded only when this command runs)

    folder = Path(arguments.library or user_folder())
    known = {path.stem for ending in ENDINGS[:2] for path in folder.glob(f"*{ending}")}
    if arguments.name not in known:
        msg = f"expected one of your own exercises ({', '.join(sorted(known)) or 'none yet'}), got {arguments.name!r}"
        raise InputError(msg)
    for ending in ENDINGS:
        path = folder / f"{arguments.name}{ending}"
        if path.is_file():
            path.unlink()
            print(f"removed {path}")
    return 0
