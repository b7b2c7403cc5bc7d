"""Clean termination of programs on SIGINT and SIGTERM, also during start and clean-up."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import rclpy
from rclpy.exceptions import NotInitializedException
from rclpy.executors import ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation

from rehab_pose.launching.start_signals import STOP_SIGNALS, handled_stop_signals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from rclpy.context import Context

__all__ = ["ignore_shutdown_errors", "until_stop_signal"]

SHUTDOWN_ERRORS = (rclpy_implementation.RCLError, rclpy_implementation.InvalidHandle, NotInitializedException)
"""Errors of rclpy when its context ends in the middle of a call, for example of `publish`, or before a node is made."""


@contextmanager
def ignore_shutdown_errors(context: Context) -> Iterator[None]:
    """Suppress rclpy's errors in a block when they result from the end of its context; raise all others."""
    try:
        yield
    except ExternalShutdownException:
        return
    except SHUTDOWN_ERRORS:
        if context.ok():
            raise


@contextmanager
def until_stop_signal(arguments: Sequence[str] | None = None) -> Iterator[None]:
    """Initialise rclpy for a block that stop signals end without an error and without interrupting its clean-up.

    Ctrl-C in a terminal sends a program two signals, one from the terminal and one from its launcher. As a
    KeyboardInterrupt the second would interrupt the clean-up after the first, which finishes files. So Python's
    handlers only record signals that arrive before rclpy is initialised; rclpy then handles SIGINT and SIGTERM itself
    and ends its context. SIGHUP, of a terminal that was closed, ends it from Python.

    Args:
        arguments: The command line, with its `--ros-args`; None = none.
    """
    received: list[int] = []

    def record_signal(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if number == signal.SIGHUP:
            rclpy.try_shutdown()

    for number in handled_stop_signals():
        signal.signal(number, record_signal)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)  # a launcher starts programs with them blocked
    try:
        rclpy.init(args=None if arguments is None else list(arguments))
        context = rclpy.get_default_context()
        if received:
            rclpy.try_shutdown()
        with ignore_shutdown_errors(context):
            yield
    finally:
        rclpy.try_shutdown()
        for number in STOP_SIGNALS:  # Python removes its handlers before the process has ended
            signal.signal(number, signal.SIG_IGN)
