"""Files of results, written completely or not at all.

New files are never written over one that was there before; private files are replaced in one step.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["refuse_existing", "replace_private", "writable_place", "write_new"]

OTHERS_MODE = 0o666
"""Mode of a new file before the mask of the process is applied."""
OWNER_MODE = 0o600
"""Mode of a private file: only its owner can read it."""


def refuse_existing(paths: Iterable[Path]) -> None:
    """Check that outputs are new, before anything is computed.

    Raises:
        RecordingError: One exists already, or no file can be created at its place.
    """
    for path in paths:
        if path.exists() or path.is_symlink():
            msg = f"expected a new place for the results, {path} exists already; choose another or remove it"
            raise RecordingError(msg)
        writable_place(path)


def writable_place(path: Path) -> None:
    """Check that a new file or folder can be made at a path.

    Raises:
        RecordingError: Its folder cannot be written, or a part of the path is a file.
    """
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        kind = "a folder that can be written" if folder.is_dir() else "a folder"
        msg = f"expected to write {path}: {folder} is not {kind}; choose another place"
        raise RecordingError(msg)


def write_new(path: Path, content: bytes) -> None:
    """Write a file under a temporary name and move it to its place, making its folder where there is none.

    Raises:
        RecordingError: The file exists already or cannot be written; what was there is unchanged.
    """
    refuse_existing([path])
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
        mask = os.umask(0o077)
        os.umask(mask)
        temporary.chmod(OTHERS_MODE & ~mask)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        msg = f"expected to write {path}: {error.strerror or error}; free space, or choose another place"
        raise RecordingError(msg) from error


def replace_private(path: Path, content: str | bytes, *, sync: bool) -> None:
    """Write or replace a file in one step, so that there is always a whole one; only its owner can read it.

    Args:
        path: The file, in a folder that exists.
        content: Its bytes, or its text, which is written as UTF-8.
        sync: Wait until the disk has it.

    Raises:
        OSError: The file cannot be written; what was there is unchanged.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, OWNER_MODE)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            if sync:
                os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
