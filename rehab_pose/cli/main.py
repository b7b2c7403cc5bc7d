"""The command `rehab-pose`."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING

from rehab_pose import __version__
from rehab_pose.errors import RehabPoseError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

COMMANDS = (
    "demo",
    "run",
    "play",
    "record",
    "bag",
    "process",
    "overlay",
    "bones",
    "doctor",
    "bench",
    "train",
    "evaluate",
    "docs",
    "warm_up",
)
"""Each is a module beside this one: its `add_parser(subparsers)` sets `run(arguments) -> int`."""
EXIT_UNUSABLE_INPUT = 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rehab-pose", description="Watch a person do rehabilitation exercises with one RGB-D camera."
    )
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"rehab_pose.cli.{name}").add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0 done, 1 something died, 2 the input or the settings cannot be used."""
    args = _parser().parse_args(arguments)
    try:
        code: int = args.run(args)
    except RehabPoseError as error:
        print(f"rehab-pose {args.command}: {error}", file=sys.stderr)
        return EXIT_UNUSABLE_INPUT
    return code


if __name__ == "__main__":
    sys.exit(main())
