"""The records of MCAP files (https://mcap.dev/spec): numbers of their kinds, and their fields as bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MAGIC",
    "MESSAGE",
    "RECORD",
    "Channel",
    "Cursor",
    "Op",
    "Schema",
    "channel_record",
    "record",
    "schema_record",
    "text",
]

MAGIC = b"\x89MCAP0\r\n"
RECORD = struct.Struct("<BQ")
"""Head of a record: kind and length of what follows [bytes]."""
MESSAGE = struct.Struct("<HIQQ")
"""Head of a message: channel, sequence number, log time [ns], publish time [ns]."""


class Op(IntEnum):
    """Kinds of records."""

    HEADER = 0x01
    FOOTER = 0x02
    SCHEMA = 0x03
    CHANNEL = 0x04
    MESSAGE = 0x05
    CHUNK = 0x06
    MESSAGE_INDEX = 0x07
    CHUNK_INDEX = 0x08
    ATTACHMENT = 0x09
    ATTACHMENT_INDEX = 0x0A
    STATISTICS = 0x0B
    METADATA = 0x0C
    METADATA_INDEX = 0x0D
    SUMMARY_OFFSET = 0x0E
    DATA_END = 0x0F


@dataclass(frozen=True)
class Schema:
    """A message type."""

    number: int
    name: str
    encoding: str
    definition: bytes


@dataclass(frozen=True)
class Channel:
    """A topic with one message type."""

    number: int
    schema: int
    topic: str
    encoding: str
    metadata: Mapping[str, str]


def text(value: str) -> bytes:
    """Return a string with its length."""
    data = value.encode()
    return struct.pack("<I", len(data)) + data


def record(op: Op, *parts: bytes | memoryview) -> bytes:
    """Return a record of some parts."""
    return b"".join((RECORD.pack(op, sum(map(len, parts))), *parts))


def schema_record(schema: Schema) -> bytes:
    """Return the record of a message type."""
    definition = struct.pack("<I", len(schema.definition)) + schema.definition
    return record(Op.SCHEMA, struct.pack("<H", schema.number), text(schema.name), text(schema.encoding), definition)


def channel_record(channel: Channel) -> bytes:
    """Return the record of a topic."""
    entries = b"".join(text(key) + text(value) for key, value in channel.metadata.items())
    numbers = struct.pack("<HH", channel.number, channel.schema)
    metadata = struct.pack("<I", len(entries)) + entries
    return record(Op.CHANNEL, numbers, text(channel.topic), text(channel.encoding), metadata)


class Cursor:
    """Reads the fields of a record; every length is checked before it is used."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)
        self._place = 0

    @property
    def left(self) -> int:
        """Number of bytes that were not read yet."""
        return len(self._data) - self._place

    def take(self, length: int) -> memoryview:
        """Return the next bytes.

        Raises:
            ValueError: The record is shorter.
        """
        if length > self.left:
            msg = f"expected {length} bytes, {self.left} are left"
            raise ValueError(msg)
        start, self._place = self._place, self._place + length
        return self._data[start : self._place]

    def numbers(self, form: str) -> tuple[int, ...]:
        """Return little-endian numbers of a `struct` format.

        Raises:
            ValueError: The record is shorter.
        """
        numbers: tuple[int, ...] = struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))
        return numbers

    def block(self) -> memoryview:
        """Return bytes with their length before them.

        Raises:
            ValueError: The record is shorter.
        """
        return self.take(self.numbers("I")[0])

    def text(self) -> str:
        """Return a string.

        Raises:
            ValueError: The record is shorter, or it is no UTF-8.
        """
        return bytes(self.block()).decode()

    def schema(self) -> Schema:
        """Return the message type of a record.

        Raises:
            ValueError: The record is damaged.
        """
        return Schema(self.numbers("H")[0], self.text(), self.text(), bytes(self.block()))

    def channel(self) -> Channel:
        """Return the topic of a record.

        Raises:
            ValueError: The record is damaged.
        """
        number, schema = self.numbers("HH")
        topic, encoding, entries = self.text(), self.text(), Cursor(self.block())
        metadata = {}
        while entries.left:
            key = entries.text()
            metadata[key] = entries.text()
        return Channel(number, schema, topic, encoding, metadata)
