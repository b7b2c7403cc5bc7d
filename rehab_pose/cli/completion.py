"""`rehab-pose completion`: a script by which a shell completes commands, options and values with the tab key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

SHELLS = ("bash", "zsh", "fish", "tcsh")
PREFIX = "rehab_pose_completion"
"""Prefix of the script's functions: the program's name has a sign that names of functions may not have."""
DESCRIPTION = """Print a script for a shell. It does not start Python when it completes.

bash: rehab-pose completion bash > ~/.local/share/bash-completion/completions/rehab-pose
zsh: rehab-pose completion zsh > DIR/_rehab-pose, with DIR in $fpath
fish: rehab-pose completion fish > ~/.config/fish/completions/rehab-pose.fish"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `completion`."""
    from argparse import RawDescriptionHelpFormatter  # noqa: PLC0415

    parser = subparsers.add_parser(
        "completion",
        help="print a script for completion by the tab key",
        description=DESCRIPTION,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the script.

    Raises:
        MissingDependencyError: shtab is not installed.
    """
    from rehab_pose.cli.main import program_parser  # noqa: PLC0415  (it imports this module)
    from rehab_pose.optional_packages import optional_package  # noqa: PLC0415

    shtab = optional_package("shtab", "completion")
    print(shtab.complete(program_parser(), shell=args.shell, root_prefix=PREFIX))
    return 0
