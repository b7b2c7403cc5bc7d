"""Observation of one call of a reader: its result or error, its time and its memory."""

from __future__ import annotations

import signal
import time
import traceback
import warnings
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import RehabPoseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["Outcome", "observe"]

MAX_SECONDS = 5.0
"""Longest time of the processor for one input [s]; other programs on the machine do not change it."""
MAX_WALL_SECONDS = 30.0
"""Longest time of one input by the clock, for readers that wait [s]."""
MAX_BYTES = 500_000_000
"""Largest growth of the resident memory for one input [bytes]."""
KIB = 1024


class Outcome(Enum):
    """Outcome of one input; the last four are findings."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    TRACEBACK = "traceback"
    HANG = "hang"
    MEMORY = "memory"
    NONSENSE = "nonsense"


class _TooLongError(BaseException):
    """An input took longer than one of the limits; no handler of errors in the code under test catches it."""


def observe(read: Callable[[], str]) -> tuple[Outcome, str]:
    """Call a reader once; return the outcome and, for a finding, its description.

    Args:
        read: Reads an input, and returns a sentence if it accepted one that is not plausible, else ''.
    """
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak (man 5 proc)
    started = time.process_time()
    outcome, text = _call(read)
    if time.process_time() - started > MAX_SECONDS:
        return Outcome.HANG, text
    grown = _status("VmHWM") - before
    if grown > MAX_BYTES:
        return Outcome.MEMORY, f"{grown / 1e6:.0f} MB"
    return outcome, text


def _call(read: Callable[[], str]) -> tuple[Outcome, str]:
    try:
        with _limited(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sentence = read()
    except RehabPoseError as error:
        return Outcome.REFUSED, str(error)
    except MemoryError:
        return Outcome.MEMORY, traceback.format_exc()
    except _TooLongError:
        return Outcome.HANG, traceback.format_exc()
    except Exception:  # noqa: BLE001  (this is what is measured)
        return Outcome.TRACEBACK, traceback.format_exc()
    return (Outcome.NONSENSE, sentence) if sentence else (Outcome.ACCEPTED, "")


@contextmanager
def _limited() -> Iterator[None]:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise _TooLongError

    timers = ((signal.ITIMER_PROF, signal.SIGPROF, MAX_SECONDS), (signal.ITIMER_REAL, signal.SIGALRM, MAX_WALL_SECONDS))
    previous = {number: signal.signal(number, interrupt) for _, number, _ in timers}
    for timer, _, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for timer, number, _ in timers:
            signal.setitimer(timer, 0.0)
            signal.signal(number, previous[number])


def _status(name: str) -> int:
    """Return an entry of /proc/self/status [bytes]."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return KIB * int(line.split()[1])
    return 0
