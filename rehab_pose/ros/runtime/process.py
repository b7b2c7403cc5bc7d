"""Set up a node's process before it spins: kept memory, no pauses of the garbage collector, scheduling priority."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

__all__ = ["freeze_garbage", "give_way", "keep_memory"]

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Of mallopt (glibc's malloc.h)."""
KEPT_BYTES = 256 * 1024**2
"""Free memory up to this is kept for the next image instead of given back to the kernel."""
MAX_BLOCK_BYTES = 32 * 1024**2
"""The largest value that glibc takes (HEAP_MAX_SIZE / 2); larger blocks come from the kernel each time."""


def keep_memory() -> bool:
    """Have the C library keep the memory of freed images; return whether it does.

    A worker thread's heap is otherwise returned to the kernel after each frame and requested again: measured on
    rgbd_sync, 1,300 page faults a frame, more than half of the thread's time.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    options = {M_ARENA_MAX: 1, M_MMAP_THRESHOLD: MAX_BLOCK_BYTES, M_TRIM_THRESHOLD: KEPT_BYTES}
    taken = [library.mallopt(option, value) == 1 for option, value in options.items()]
    return all(taken)


def freeze_garbage() -> None:
    """Exclude all present objects from garbage collection: they stay, and scanning them takes tens of ms."""
    gc.collect()
    gc.freeze()


def give_way(niceness: int) -> None:
    """Raise the niceness of this process by `niceness`, so that the scheduler prefers others."""
    os.nice(niceness)
