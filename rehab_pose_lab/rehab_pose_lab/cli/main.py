"""The command `rehab-pose-lab`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.cli.main import command_parser, run_program
from rehab_pose_lab.cli.output_claim import claim_outputs

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["main", "program_parser"]

PROGRAM = "rehab-pose-lab"
DESCRIPTION = "Train, evaluate and benchmark rehab_pose, and generate its documentation."
COMMANDS = ("bench", "train", "convert", "evaluate", "summarise", "compare", "fuzz", "docs")
"""Each is a module in this folder: its `add_parser(subparsers)` sets `run(arguments) -> int`."""


def program_parser() -> argparse.ArgumentParser:
    """Return the parser of `rehab-pose-lab`."""
    return command_parser(PROGRAM, DESCRIPTION, [f"rehab_pose_lab.cli.{name}" for name in COMMANDS])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `rehab-pose-lab`; return its exit code."""
    return run_program(program_parser(), arguments, prepare=claim_outputs)


if __name__ == "__main__":
    sys.exit(main())
