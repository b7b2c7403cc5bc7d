"""Outputs of commands: no command writes over what it did not make itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import RecordingError
from rehab_pose.output_file import refuse_existing, writable_place

if TYPE_CHECKING:
    import argparse

__all__ = ["MARK", "claim_outputs"]

MARK = ".rehab_pose_lab"
"""File in a folder that a command made, with the name of the command."""
OUTPUTS = ("output", "pictures")
"""Names of arguments with a place of results."""
CHECKED_LATER = ("real",)
"""Benchmarks that take only an empty folder."""
READ_WITHOUT = {"bench": "train"}
"""Commands that only read from their output, unless an argument of this name is given."""


def claim_outputs(args: argparse.Namespace) -> None:
    """Check that the places of a command's results are new, empty, or made by the same command, and mark folders.

    A command can then continue an interrupted run and replace its own results. A place with an ending is a file.

    Args:
        args: Arguments of the command, with its name in `command`.

    Raises:
        RecordingError: A place holds files of others, or cannot be written.
    """
    needed = READ_WITHOUT.get(args.command)
    for name in OUTPUTS:
        path = getattr(args, name, None)
        only_read = name == "output" and needed and not getattr(args, needed)
        if not isinstance(path, Path) or only_read or getattr(args, "benchmark", "") in CHECKED_LATER:
            continue
        if path.suffix:
            refuse_existing([path])
        else:
            _claim_folder(path, args.command)


def _claim_folder(folder: Path, command: str) -> None:
    mark = folder / MARK
    try:
        if folder.is_dir() and any(folder.iterdir()) and not (mark.is_file() and mark.read_text("utf-8") == command):
            msg = (
                f"expected a new or an empty folder, or one that `{command}` made: {folder} holds other files; choose "
                f"another (a folder of an earlier version is continued after `printf {command} > {mark}`)"
            )
            raise RecordingError(msg)
        writable_place(mark)
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(command, encoding="utf-8")
    except OSError as error:
        msg = f"expected a folder that can be written, {folder}: {error.strerror or error}; choose another"
        raise RecordingError(msg) from error
