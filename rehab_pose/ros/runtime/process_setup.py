"""Set up a node's process before it spins: allocator, garbage collector and scheduling priority."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ended_at_latest", "freeze_garbage", "keep_memory", "raise_niceness", "return_freed_memory"]

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Parameter numbers of `mallopt` (glibc's malloc.h)."""
TRIM_THRESHOLD_BYTES = 256 * 1024**2
"""Freed memory up to this size is kept for the next image instead of being returned to the kernel [bytes]."""
MAX_BLOCK_BYTES = 32 * 1024**2
"""Largest block that the heap serves [bytes], the maximum that glibc accepts (HEAP_MAX_SIZE / 2); larger blocks are
mapped by the kernel each time."""


def keep_memory() -> bool:
    """Make the C library keep the memory of freed images; return whether it accepted that.

    A worker thread's heap is otherwise returned to the kernel after each frame and requested again: measured on
    the node rgbd_sync, that costs 1,300 page faults a frame and more than half of the thread's time. One heap for all
    threads is set here for nodes that are started without `launching.node_commands.PROCESS_VARIABLES`; it has no effect
    where a second thread has allocated memory before.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    options = {M_ARENA_MAX: 1, M_MMAP_THRESHOLD: MAX_BLOCK_BYTES, M_TRIM_THRESHOLD: TRIM_THRESHOLD_BYTES}
    accepted = [library.mallopt(option, value) == 1 for option, value in options.items()]
    return all(accepted)


def freeze_garbage() -> None:
    """Exclude all current objects from garbage collection: they live on, and scanning them takes tens of ms."""
    gc.collect()
    gc.freeze()


def return_freed_memory() -> None:
    """Return memory that was freed up to now to the kernel, where the C library can do that (glibc).

    `keep_memory` keeps it, but after a node's construction it is that of files and arrays from which stages were built:
    measured on the node pipeline, 17 MB. Later it is that of holes in the heap.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)


def raise_niceness(niceness: int) -> None:
    """Raise the niceness of this process by `niceness`, so that the scheduler prefers other processes."""
    os.nice(niceness)


@contextmanager
def ended_at_latest(seconds: int) -> Iterator[None]:
    """End this process if a block takes longer [s], also where its main thread is in a library that never returns.

    The kernel ends it (SIGALRM), because Python's own handlers and threads do not run meanwhile.
    """
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
