"""Common interface to the messages of rclpy and of rosbags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rehab_pose.errors import InputError
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

__all__ = [
    "BODY_ID",
    "NO_BODY_ID",
    "Message",
    "MessageFactory",
    "header",
    "numbers",
    "stamp_ns",
    "time_message",
]

MAX_SECONDS = 2**31
"""End of the time of builtin_interfaces/Time [s]."""
BODY_ID = "aaaaa"
"""Id of the one subject that this package follows: five lower-case letters, as the tools of REP-155 expect."""
NO_BODY_ID = ""
"""body_id in the messages of a frame without a person."""

Message = Any
"""A message of rclpy or rosbags; its fields are attributes."""


class MessageFactory(Protocol):
    """Interface to the message classes of one library."""

    def make(self, type_name: str, **fields: object) -> Message:
        """Return a message of a type such as `std_msgs/msg/Header` with the given fields; others keep their default."""

    def array(self, values: NDArray[Any]) -> object:
        """Return a flat array in the type that the library expects in array fields."""


def time_message(factory: MessageFactory, stamp: int) -> Message:
    """Return builtin_interfaces/Time for a stamp [ns]."""
    seconds, nanoseconds = divmod(stamp, NS_PER_S)
    return factory.make("builtin_interfaces/msg/Time", sec=seconds, nanosec=nanoseconds)


def stamp_ns(time: Message) -> int:
    """Return the stamp [ns] of a builtin_interfaces/Time.

    Raises:
        InputError: It is negative, or its nanoseconds are a second or more.
    """
    seconds, nanoseconds = int(time.sec), int(time.nanosec)
    if not (0 <= seconds < MAX_SECONDS and 0 <= nanoseconds < NS_PER_S):
        msg = f"stamp: expected seconds from 0 and nanoseconds below {NS_PER_S}, got {seconds} s and {nanoseconds} ns"
        raise InputError(msg)
    return seconds * NS_PER_S + nanoseconds


def header(factory: MessageFactory, stamp: int, frame_id: str) -> Message:
    """Return std_msgs/Header."""
    return factory.make("std_msgs/msg/Header", stamp=time_message(factory, stamp), frame_id=frame_id)


def numbers(factory: MessageFactory, values: NDArray[Any], dtype: DTypeLike) -> object:
    """Return an array of any shape as a flat field of numbers of the given type."""
    return factory.array(np.ascontiguousarray(values, dtype=dtype).reshape(-1))
