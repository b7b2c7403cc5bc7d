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
"""Longest time of one input [s]."""
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
    """An input took longer than MAX_SECONDS; no handler of errors in the code under test catches it."""


def observe(read: Callable[[], str]) -> tuple[Outcome, str]:
    """Call a reader once; return the outcome and, for a finding, its description.

    Args:
        read: Reads an input, and returns a sentence if it accepted one that is not plausible, else ''.
    """
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak (man 5 proc)
    started = time.monotonic()
    outcome, text = _call(read)
    if time.monotonic() - started > MAX_SECONDS:
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

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, MAX_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)


def _status(name: str) -> int:
    """Return an entry of /proc/self/status [bytes]."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return KIB * int(line.split()[1])
    return 0
