"""The command `rehab-pose-sim`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.cli.main import command_parser, run_program

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["main", "program_parser"]

PROGRAM = "rehab-pose-sim"
DESCRIPTION = "Simulated people in front of a simulated camera, and the demo of rehab_pose."
COMMANDS = ("demo", "bag", "bones", "warm_up")
"""Each is a module in this folder: its `add_parser(subparsers)` sets `run(arguments) -> int`."""


def program_parser() -> argparse.ArgumentParser:
    """Return the parser of `rehab-pose-sim`."""
    return command_parser(PROGRAM, DESCRIPTION, [f"rehab_pose_sim.cli.{name}" for name in COMMANDS])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `rehab-pose-sim`; return its exit code."""
    return run_program(program_parser(), arguments)


if __name__ == "__main__":
    sys.exit(main())
