"""Programs that end well when told to: SIGINT and SIGTERM, at whatever moment they come."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import rclpy
from rclpy.exceptions import NotInitializedException
from rclpy.executors import ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from rclpy.context import Context

__all__ = ["quiet_end", "until_told_to_stop"]

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
ENDED_UNDERWAY = (rclpy_implementation.RCLError, rclpy_implementation.InvalidHandle, NotInitializedException)
"""What rclpy raises where its context ends in the middle of a call, say of `publish`, or before a node is made."""


@contextmanager
def quiet_end(context: Context) -> Iterator[None]:
    """Leave the block without an error when rclpy's context has ended; other errors go on."""
    try:
        yield
    except ExternalShutdownException:
        return
    except ENDED_UNDERWAY:
        if context.ok():
            raise


@contextmanager
def until_told_to_stop(arguments: Sequence[str] | None = None) -> Iterator[None]:
    """Initialise rclpy for a block that SIGINT and SIGTERM end without an error; its `finally` clauses run undisturbed.

    Ctrl-C in a terminal reaches a program twice, from the terminal and from its launcher. As KeyboardInterrupt the
    second would break off the tidying up after the first, which finishes files. So Python's handlers only remember that
    a signal came, for the time before rclpy listens; rclpy hears both signals itself and ends its context.

    Args:
        arguments: The command line, with its `--ros-args`.
    """
    told: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        told.append(number)

    for number in STOP_SIGNALS:
        signal.signal(number, remember)
    try:
        rclpy.init(args=None if arguments is None else list(arguments))
        context = rclpy.get_default_context()
        if told:
            rclpy.try_shutdown()
        with quiet_end(context):
            yield
    finally:
        rclpy.try_shutdown()
        for number in STOP_SIGNALS:  # the program is ending, and Python forgets its handlers before it has ended
            signal.signal(number, signal.SIG_IGN)
