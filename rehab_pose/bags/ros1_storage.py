"""Reading of a bag of ROS 1 (.bag); its messages have the fields of those of ROS 2."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.rosbag1 import ReaderError

from rehab_pose.bags.losses import BagLosses
from rehab_pose.bags.message_types import type_store
from rehab_pose.bags.storage import StoredTopic
from rehab_pose.errors import InputError, RecordingError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from rehab_pose.bags.storage import StoredMessage
    from rehab_pose.messages.factory import Message

__all__ = ["Ros1Storage"]

DAMAGED: Final = (
    AnyReaderError,
    ReaderError,
    OSError,
    struct.error,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    MemoryError,
    RuntimeError,
    EOFError,
)
"""Errors of the reader on damaged files."""
UPPER_CASE = "DKRP"
"""Fields of CameraInfo that have lower case in ROS 2."""


class Ros1Storage:
    """One bag of ROS 1.

    Attributes:
        topics: All topics.
        first_ns: Time of the earliest message [ns]; None = there is no message.
        last_ns: Time of the latest message [ns].
        losses: What could not be read so far.
    """

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            RecordingError: The file cannot be read.
        """
        self.losses = BagLosses()
        try:
            self._reader = AnyReader([path], default_typestore=type_store())
            self._reader.open()
        except DAMAGED as error:
            msg = f"{path} cannot be read: {error}"
            raise RecordingError(msg) from error
        self._connections: dict[int, Any] = dict(enumerate(self._reader.connections))
        self.topics = [
            StoredTopic(number, entry.topic, entry.msgtype, count=entry.msgcount)
            for number, entry in self._connections.items()
        ]
        count = self._reader.message_count
        self.first_ns = self._reader.start_time if count else None
        self.last_ns = self._reader.end_time if count else 0

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def messages(self, numbers: Collection[int]) -> Iterator[StoredMessage]:
        """Yield the messages of some topics in the order of their times, up to the first damage."""
        chosen = [self._connections[number] for number in numbers]
        number_of = {id(connection): number for number, connection in self._connections.items()}
        if not chosen:
            return
        try:
            for connection, time_ns, data in self._reader.messages(connections=chosen):
                yield time_ns, number_of[id(connection)], bytes(data)
        except DAMAGED as error:
            if not self.losses.damaged_records:  # the file may be read several times
                self.losses.damaged_records = 1
                self.losses.notes.append(f"the rest behind the damage is not read: {error}")

    def decode(self, number: int, data: bytes) -> Message:
        """Return a message of a topic.

        Raises:
            InputError: The bytes do not fit its type.
        """
        kind = self._connections[number].msgtype
        try:
            message: Any = self._reader.deserialize(data, kind)
        except DAMAGED as error:
            msg = f"expected a message of the type {kind}, {len(data)} bytes cannot be decoded: {error}"
            raise InputError(msg) from error
        for name in UPPER_CASE:
            if hasattr(message, name):
                object.__setattr__(message, name.lower(), getattr(message, name))
        return message
