"""Removal of Fast DDS's shared memory that ended programs left: a program that is killed leaves up to 35 MB.

A segment `fastdds_<number>` belongs to one program, which holds a lock (flock) on the file `fastdds_<number>_el` until
it ends. Segments of other users and of running programs are never touched, nor are files of another form.
"""

from __future__ import annotations

import fcntl
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from rehab_pose.launching.shared_memory import SHARED_MEMORY

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Removed", "remove_dead_segments"]

SEGMENT = re.compile(r"(fastdds|fastrtps)_[0-9a-f]{16}", re.ASCII)
"""Names of the segments of Fast DDS 3 and of Fast DDS 2."""
LOCK = "_el"
"""End of the name of the file that the owner locks."""


class Removed(NamedTuple):
    """Number and size of the segments that were removed."""

    segments: int
    total_bytes: int


def remove_dead_segments(folder: Path = SHARED_MEMORY) -> Removed:
    """Remove the segments of this user whose program has ended; return how many there were.

    Args:
        folder: Where the segments are; nothing happens if it does not exist.
    """
    removed, total_bytes = 0, 0
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    for name in names:
        if SEGMENT.fullmatch(name):
            size = _remove_if_dead(folder / name)
            removed, total_bytes = removed + (size is not None), total_bytes + (size or 0)
    return Removed(removed, total_bytes)


def _remove_if_dead(segment: Path) -> int | None:
    """Remove a segment and its lock file if it is this user's and its owner has ended; return its size [bytes]."""
    lock = segment.with_name(segment.name + LOCK)
    try:
        status = segment.stat()
        if status.st_uid != os.getuid():
            return None
        descriptor = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:  # removed by its owner meanwhile, or without a lock file: not known to be dead
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        segment.unlink(missing_ok=True)
        lock.unlink(missing_ok=True)
    except OSError:  # its owner runs
        return None
    finally:
        os.close(descriptor)
    return status.st_size
