"""The command `rehab-pose`, and functions that the other packages' commands share."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose import __version__
from rehab_pose.cli.command_line import CommandParser, chosen_output
from rehab_pose.errors import RehabPoseError
from rehab_pose.launching.exit_codes import EXIT_INTERRUPTED
from rehab_pose.launching.parent_process import end_with_parent
from rehab_pose.launching.start_signals import ending_while_loading, restore_command_handlers
from rehab_pose.session.audit import audit_reading

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

__all__ = ["command_parser", "main", "program_parser", "run_program"]

PROGRAM = "rehab-pose"
DESCRIPTION = "Analyse rehabilitation exercises of a person with one RGB-D camera."
COMMANDS = (
    "run",
    "play",
    "record",
    "view",
    "bag",
    "process",
    "overlay",
    "export",
    "bones",
    "exercise",
    "session",
    "doctor",
    "warm_up",
    "completion",
)
"""Modules of this package. Each has `add_parser(subparsers)`, which sets the default `run(arguments) -> int`."""
EXIT_UNUSABLE_INPUT = 2
"""Exit code of a command whose input or settings cannot be used."""


def command_parser(program: str, description: str, modules: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of a program whose commands are modules with `add_parser(subparsers)`."""
    parser = CommandParser(prog=program, description=description)
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in modules:
        importlib.import_module(module).add_parser(subparsers)
    parser.add_output_options()
    return parser


def run_program(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None,
    *,
    prepare: Callable[[argparse.Namespace], None] | None = None,
) -> int:
    """Run a command; return its exit code: 0 done, 1 a program ended early, 2 unusable input, 130 after Ctrl-C.

    Args:
        parser: Parser of the program.
        arguments: Command line; None = that of the process.
        prepare: Called with the arguments before the command runs.
    """
    end_with_parent()
    args = parser.parse_args(arguments)
    try:
        restore_command_handlers()
        _audit(args)
        if prepare is not None:
            prepare(args)
        with chosen_output(args):
            code: int = args.run(args)
    except RehabPoseError as error:
        print(f"{parser.prog} {args.command}: {error}", file=sys.stderr)
        return EXIT_UNUSABLE_INPUT
    except OSError as error:
        # Files that vanish, full disks, and folders without permission while a command runs.
        place = f"{error.filename}: " if error.filename else ""
        print(f"{parser.prog} {args.command}: {place}{error.strerror or error}", file=sys.stderr)
        return EXIT_UNUSABLE_INPUT
    except KeyboardInterrupt:
        print(f"{parser.prog} {args.command}: stopped by Ctrl-C", file=sys.stderr)
        return EXIT_INTERRUPTED
    return code


def _audit(args: argparse.Namespace) -> None:
    """Note in the audit log of its folder that a session's recording is read.

    Raises:
        RecordingError: The audit log cannot be written.
    """
    for name in ("bag", "recording"):
        given = getattr(args, name, None)
        for path in given if isinstance(given, list) else [given]:
            if isinstance(path, (str, Path)):
                audit_reading(Path(path), args.command)


def program_parser() -> argparse.ArgumentParser:
    """Return the parser of `rehab-pose`."""
    return command_parser(PROGRAM, DESCRIPTION, [f"rehab_pose.cli.{name}" for name in COMMANDS])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `rehab-pose`; return its exit code."""
    with ending_while_loading(active=arguments is None):
        parser = program_parser()
    return run_program(parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
