"""Parser of the commands: suggests names that are near to a misspelt one, and gives every command -q and -v."""

from __future__ import annotations

import argparse
import os
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from rehab_pose.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["CommandParser", "chosen_output"]

INVALID_CHOICE = re.compile(r"invalid choice: '?(?P<given>[^'\s]+)'? \((?:choose from|maybe you meant) (?P<names>.*)\)")
"""Message of argparse about a name that is none of the choices."""
NEAR = 0.6
"""Smallest similarity of a suggested name, 0 to 1 (`difflib`'s default)."""
NO_PROGRESS = "TQDM_DISABLE"
"""Environment variable by which progress bars are left out."""


class CommandParser(argparse.ArgumentParser):
    """An argparse parser whose errors suggest names."""

    _subcommands: argparse._SubParsersAction[argparse.ArgumentParser] | None = None

    def add_subparsers(self, **options: object) -> argparse._SubParsersAction[argparse.ArgumentParser]:  # type: ignore[override]
        """Add commands; see argparse."""
        self._subcommands = super().add_subparsers(**options)  # type: ignore[call-overload]
        return self._subcommands

    @property
    def option_names(self) -> list[str]:
        """Names of this parser's own options."""
        return [*self._option_string_actions]

    def add_output_options(self) -> None:
        """Add -q and -v to each command that has no options of these names."""
        if self._subcommands is not None:
            for parser in dict.fromkeys(self._subcommands.choices.values()):
                if isinstance(parser, CommandParser):
                    parser.add_output_options()
            return
        if {"-q", "-v", "--quiet", "--verbose"} & {*self.option_names}:
            return
        output = self.add_mutually_exclusive_group()
        output.add_argument("-q", "--quiet", action="store_true", help="print errors only")
        output.add_argument("-v", "--verbose", action="store_true", help="print figures too")

    def parse_args(  # type: ignore[override]  # argparse has overloads for its namespace
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Return the arguments; unknown options end the program with the near ones of the chosen command."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            parser = self.chosen(parsed)
            options = [word.partition("=")[0] for word in unknown]
            hint = did_you_mean(options, parser.option_names, similarity=NEAR)
            parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint and f'; {hint}'}")
        return parsed

    def error(self, message: str) -> NoReturn:
        """Print usage and message with the names that are near to a wrong one, and exit with 2."""
        found = INVALID_CHOICE.search(message)
        if found:
            names = re.findall(r"[\w.-]+", found["names"])
            hint = did_you_mean(found["given"], names, most=2, similarity=NEAR)
            message = f"{message}{hint and f'; {hint}'}"
        super().error(message)

    def chosen(self, parsed: argparse.Namespace) -> CommandParser:
        """Return the parser of the command that was chosen."""
        if self._subcommands is None:
            return self
        parser = self._subcommands.choices.get(getattr(parsed, self._subcommands.dest, None) or "")
        return parser.chosen(parsed) if isinstance(parser, CommandParser) else self


@contextmanager
def chosen_output(arguments: argparse.Namespace) -> Iterator[None]:
    """Print nothing but errors while a command runs with --quiet; its exit code tells the rest."""
    arguments.verbose = getattr(arguments, "verbose", False)
    if not getattr(arguments, "quiet", False):
        yield
        return
    before, progress = sys.stdout, os.environ.get(NO_PROGRESS)
    os.environ[NO_PROGRESS] = "1"
    try:
        with open(os.devnull, "w", encoding="utf-8") as nothing:  # noqa: PTH123  (a device)
            sys.stdout = nothing
            yield
    finally:
        sys.stdout = before
        if progress is None:
            del os.environ[NO_PROGRESS]
        else:
            os.environ[NO_PROGRESS] = progress
