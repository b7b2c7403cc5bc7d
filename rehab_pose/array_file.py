"""Reader of files of arrays (.npz) from users: bounded in size and number, and without executing anything in them."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["READ_ERRORS", "check_sizes", "read_arrays"]

READ_ERRORS = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
"""Errors of reading a missing, damaged, hostile or too large file."""


def check_sizes(path: Path, max_bytes: int) -> int:
    """Return the number of members of a file, none of which unpacks to more than `max_bytes` [bytes].

    Raises:
        ValueError: A member is larger; nothing was unpacked. Or another one of READ_ERRORS.
    """
    with zipfile.ZipFile(path) as members:
        sizes = {member.filename: member.file_size for member in members.infolist()}
    for name, size in sizes.items():
        if size > max_bytes:
            msg = f"expected arrays of at most {max_bytes} bytes, got {name}: {size}"
            raise ValueError(msg)
    return len(sizes)


def read_arrays(
    path: Path, names: Sequence[str], *, max_bytes: int, optional: Sequence[str] = ()
) -> dict[str, NDArray[Any]]:
    """Return arrays of a file by name.

    Args:
        path: The file.
        names: Arrays that it has to contain.
        max_bytes: Largest unpacked size of one array [bytes].
        optional: Arrays that are returned if it contains them.

    Raises:
        KeyError: An array is missing.
        ValueError: An array is too large, or there are more than twice as many as named. Or another one of READ_ERRORS.
    """
    count, most = check_sizes(path, max_bytes), 2 * (len(names) + len(optional))
    if count > most:
        msg = f"expected at most {most} arrays, got {count}"
        raise ValueError(msg)
    with np.load(path, allow_pickle=False) as stored:
        present = [name for name in optional if name in stored]
        return {name: stored[name] for name in (*names, *present)}
