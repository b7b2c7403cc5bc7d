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

__all__ = ["Removed", "lock_of_ended_program", "remove_dead_segments"]

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


def lock_of_ended_program(path: Path) -> int | None:
    """Lock a file whose owner holds a lock on it until it ends; return its descriptor, None while the owner runs.

    Also None for a file that cannot be opened: of another user, or removed meanwhile. The caller closes the descriptor.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_if_dead(segment: Path) -> int | None:
    """Remove a segment and its lock file if it is this user's and its owner has ended; return its size [bytes]."""
    lock = segment.with_name(segment.name + LOCK)
    try:
        status = segment.stat()
    except OSError:  # removed by its owner meanwhile
        return None
    if status.st_uid != os.getuid():
        return None
    descriptor = lock_of_ended_program(lock)
    if descriptor is None:  # its owner runs, or there is no lock file: not known to be dead
        return None
    try:
        segment.unlink(missing_ok=True)
        lock.unlink(missing_ok=True)
    except OSError:  # the folder does not let this user remove them
        return None
    finally:
        os.close(descriptor)
    return status.st_size
