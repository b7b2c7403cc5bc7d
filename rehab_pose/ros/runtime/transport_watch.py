"""End a node whose Fast DDS has come to a standstill, so that its launcher starts it again. Linux only.

Fast DDS 3.2 can deadlock: a receiving thread that removes a writer of an ended program holds the lock of the discovery
and waits for the thread of the timers, which waits for that lock (github.com/eProsima/Fast-DDS/issues/6502, open;
seen once in about 75 kills of nodes). The participant then neither sends nor receives anything any more, and calls of
rclpy do not return, some of them with Python's interpreter lock. Only a new process helps.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

from rehab_pose.launching.exit_codes import EXIT_TRANSPORT_STUCK

__all__ = ["TransportWatch"]

TASKS = Path("/proc/self/task")
"""Folder with the state of each thread of this process."""
FAST_DDS = "dds."
"""Beginning of the names of Fast DDS's threads (since version 2.11)."""
FUTEX_CALLS = {202, 98}
"""Numbers of the system call `futex` on x86-64 and on arm64."""
FUTEX_PRIVATE = 128
"""Bit of the operation (linux/futex.h) for locks within one process."""
FUTEX_WAIT = 0
"""Operation (linux/futex.h) by which a thread waits for a mutex, without end. Idle threads wait for conditions, which
glibc implements by another operation."""
PERIOD_S = 1.0
"""Time between two looks at the threads [s]."""
STUCK_S = 4.0
"""Duration of a wait of one of Fast DDS's threads for a mutex that is taken for a deadlock [s]: Fast DDS holds its
mutexes for milliseconds."""
UNRESPONSIVE_S = 15.0
"""Longest time without an instruction of Python [s], far more than any call of a library holds the interpreter lock."""


class _Wait(NamedTuple):
    """A wait for a mutex."""

    switches: str
    """Numbers of times that the thread stopped running; equal ones belong to one wait."""
    since_s: float


class TransportWatch:
    """Looks each second at the threads of Fast DDS, and ends this process when they wait for each other."""

    def __init__(self, stuck_s: float = STUCK_S, unresponsive_s: float = UNRESPONSIVE_S) -> None:
        """Prepare the watch.

        Args:
            stuck_s: Time after which a wait for a mutex is a deadlock [s]; the process ends with EXIT_TRANSPORT_STUCK.
            unresponsive_s: Time after which the kernel ends the process (SIGALRM) when no Python runs [s].
        """
        self._stuck_s, self._unresponsive_s = stuck_s, unresponsive_s
        self._waits: dict[str, _Wait] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="transport_watch", daemon=True)

    def start(self) -> None:
        """Start watching; without effect where Linux's /proc is missing."""
        if TASKS.is_dir():
            self._thread.start()

    def stop(self) -> None:
        """Stop watching, and leave the process's alarm to others."""
        if not self._stopped.is_set() and self._thread.is_alive():
            self._stopped.set()
            self._thread.join()

    def stuck_thread(self) -> str:
        """Return the name of a thread of Fast DDS that waits for one mutex for too long; empty = there is none."""
        now_s = time.monotonic()
        waits = {}
        for task in _tasks():
            switches = _mutex_wait(task)
            if switches:
                before = self._waits.get(task.name)
                waits[task.name] = before if before and before.switches == switches else _Wait(switches, now_s)
        self._waits = waits
        stuck = [name for name, wait in waits.items() if now_s - wait.since_s >= self._stuck_s]
        return _name(TASKS / stuck[0]) if stuck else ""

    def _watch(self) -> None:
        while not self._stopped.wait(PERIOD_S):
            signal.setitimer(signal.ITIMER_REAL, self._unresponsive_s)
            if name := self.stuck_thread():
                # Not by the logger, which publishes the line through Fast DDS too.
                sys.stderr.write(
                    f"Fast DDS came to a standstill (its thread {name} waits for a lock without end, a known error of "
                    "Fast DDS): this process ends and has to be started again\n"
                )
                sys.stderr.flush()
                os._exit(EXIT_TRANSPORT_STUCK)
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def _tasks() -> list[Path]:
    return [task for task in TASKS.iterdir() if _name(task).startswith(FAST_DDS)]


def _name(task: Path) -> str:
    return _read(task / "comm").strip()


def _mutex_wait(task: Path) -> str:
    """Return how often a thread stopped running if it waits for a mutex now; empty if it does not."""
    words = _read(task / "syscall").split()
    number, *arguments = words if words and words[0].isdigit() else ["0"]
    if int(number) not in FUTEX_CALLS or int(arguments[1], 16) & ~FUTEX_PRIVATE != FUTEX_WAIT:
        return ""
    lines = _read(task / "status").splitlines()
    return " ".join(line for line in lines if "ctxt_switches" in line)


def _read(path: Path) -> str:
    """Return the text of a file of the kernel; empty if the thread has ended or the kernel does not show it."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
