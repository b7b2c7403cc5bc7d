"""`rehab-pose exercise`: the library of exercises, shipped and the user's own."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser"]

ACTIONS = ("exercise_list", "exercise_show", "exercise_add", "exercise_remove")
"""Modules of this package. Each has `add_parser(subparsers)`, which sets the default `run(arguments) -> int`."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `exercise` and those of its actions."""
    parser = subparsers.add_parser(
        "exercise",
        help="list, show, add and remove exercises",
        description="The exercises that are known: those of the product, and your own in a folder of YAML files.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action in ACTIONS:
        importlib.import_module(f"rehab_pose.cli.{action}").add_parser(actions)
