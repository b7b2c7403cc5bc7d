"""Stop signals that arrive while a started program still loads its modules: it ends at once, without a traceback.

A launcher starts a program with these signals blocked (`blocked_stop_signals`), so that none meets an interpreter
without handlers. The program lets them in (`end_on_stop_signals`) before it imports anything large. Once it has files
to finish, `rehab_pose.ros.runtime.stopping` takes the signals over.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rehab_pose.launching.exit_codes import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = [
    "OWN_GROUP",
    "STOP_SIGNALS",
    "blocked_stop_signals",
    "end_command_on_stop_signals",
    "end_on_stop_signals",
    "ending_while_loading",
    "handled_stop_signals",
    "restore_command_handlers",
]

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OWN_GROUP: dict[str, Any] = {"process_group": 0} if sys.version_info >= (3, 11) else {"start_new_session": True}
"""Arguments of Popen for a process group of its own: Ctrl-C then reaches only the launcher, which stops its programs.

A new session is used only before Python 3.11: Linux divides the processor between sessions first, and the niceness of
nodes in different sessions has no effect on each other."""
COMMAND = re.compile(r"rehab_pose(_sim|_lab)?\.cli\.main|(.*/)?rehab-pose(-sim|-lab)?")
"""Module or file of one of our commands."""
_replaced: dict[signal.Signals, Any] = {}
"""Handlers of before `end_command_on_stop_signals`."""


def handled_stop_signals() -> tuple[signal.Signals, ...]:
    """Return the stop signals that a program has to handle: not SIGHUP where it is ignored, as under nohup."""
    return tuple(
        number for number in STOP_SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
    )


@contextmanager
def blocked_stop_signals() -> Iterator[None]:
    """Block the stop signals of this thread; programs started in the block inherit that."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_on_stop_signals(exit_code: int = 0) -> None:
    """End this process at once on a stop signal, also on one that arrived while they were blocked.

    Args:
        exit_code: The process's exit code then.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        os._exit(exit_code)  # nothing was opened yet

    for number in handled_stop_signals():
        signal.signal(number, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


@contextmanager
def ending_while_loading(*, active: bool) -> Iterator[None]:
    """End the process on a stop signal during a block that only loads modules; then restore the handlers.

    Args:
        active: False: nothing changes, for example in a program that calls a command as a function.
    """
    if not active:
        yield
        return
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    end_on_stop_signals(EXIT_INTERRUPTED)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_command_on_stop_signals() -> None:
    """End this process at once on a stop signal, if it is one of our commands, until `restore_command_handlers`.

    The package of the commands calls this before their modules are loaded. Nothing changes in other programs.
    """
    words = sys.orig_argv
    program = words[words.index("-m") + 1] if "-m" in words[:-1] else sys.argv[0]
    if COMMAND.fullmatch(program):
        _replaced.update({number: signal.getsignal(number) for number in STOP_SIGNALS})
        end_on_stop_signals(EXIT_INTERRUPTED)


def restore_command_handlers() -> None:
    """Handle stop signals again as before `end_command_on_stop_signals`: a command that runs finishes its files."""
    while _replaced:
        signal.signal(*_replaced.popitem())
