"""Writing of an MCAP file in short chunks with checksums, so that a cut or damage costs little.

Types and topics are written in front of the chunks that use them, and again in the summary at the end. A chunk is
closed when its messages span a second or 64 KB, or by `flush`. Without `flush` the content depends on the messages
only, not on the clock.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING, Any

from rehab_pose.bags.mcap_records import (
    MAGIC,
    MESSAGE,
    RECORD,
    Channel,
    Op,
    Schema,
    channel_record,
    record,
    schema_record,
    text,
)
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["McapWriter"]

OWNER_ONLY = 0o600
"""File mode: a recording of a person is for its owner."""
CHUNK_BYTES = 64 * 1024
"""Length from which a chunk is closed [bytes]. Damage costs a chunk: an image, or twenty small messages."""
CHUNK_NS = NS_PER_S
"""Time span from which a chunk is closed [ns]."""
PROFILE, LIBRARY = "ros2", "rehab_pose"


class McapWriter:
    """Writes one file.

    Attributes:
        counts: Number of messages of each channel.
        first_ns: Time of the earliest message [ns]; None = no message.
        last_ns: Time of the latest message [ns].
    """

    def __init__(self, path: Path) -> None:
        """Create the file.

        Raises:
            OSError: The file exists already or cannot be written.
        """
        self.counts: dict[int, int] = {}
        self.first_ns: int | None = None
        self.last_ns = 0
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
        self._place = 0
        self._schemas: dict[str, Schema] = {}
        self._channels: list[Channel] = []
        self._chunk: list[bytes] = []
        self._chunk_bytes = 0
        self._chunk_times: dict[int, list[tuple[int, int]]] = {}
        self._chunk_first_ns, self._chunk_last_ns = 0, 0
        self._chunk_indexes: list[bytes] = []
        self._write(MAGIC + record(Op.HEADER, text(PROFILE), text(LIBRARY)))

    def add_channel(self, topic: str, schema: Schema, encoding: str, metadata: dict[str, str]) -> int:
        """Add a topic; return the number of its channel.

        Args:
            topic: Its name.
            schema: Its message type; the number is not used, types of one name are written once.
            encoding: Encoding of its messages.
            metadata: Further properties.

        Raises:
            OSError: The file cannot be written.
        """
        known = self._schemas.get(schema.name)
        data = b""
        if known is None:
            known = Schema(len(self._schemas) + 1, schema.name, schema.encoding, schema.definition)
            self._schemas[schema.name] = known
            data = schema_record(known)
        channel = Channel(len(self._channels) + 1, known.number, topic, encoding, metadata)
        self._channels.append(channel)
        self.counts[channel.number] = 0
        self.flush()
        self._write(data + channel_record(channel))
        return channel.number

    def write(self, channel: int, time_ns: int, data: bytes | memoryview) -> None:
        """Write a message at a time [ns].

        Raises:
            OSError: The file cannot be written.
        """
        if not self._chunk:
            self._chunk_first_ns = self._chunk_last_ns = time_ns
        self._chunk_first_ns, self._chunk_last_ns = (
            min(self._chunk_first_ns, time_ns),
            max(self._chunk_last_ns, time_ns),
        )
        self._chunk_times.setdefault(channel, []).append((time_ns, self._chunk_bytes))
        part = record(Op.MESSAGE, MESSAGE.pack(channel, self.counts[channel] & 0xFFFFFFFF, time_ns, time_ns), data)
        self._chunk.append(part)
        self._chunk_bytes += len(part)
        self.counts[channel] += 1
        self.first_ns = time_ns if self.first_ns is None else min(self.first_ns, time_ns)
        self.last_ns = max(self.last_ns, time_ns)
        if self._chunk_bytes >= CHUNK_BYTES or self._chunk_last_ns - self._chunk_first_ns >= CHUNK_NS:
            self.flush()

    def flush(self) -> None:
        """Close the chunk, and pass it to the operating system.

        Raises:
            OSError: The file cannot be written.
        """
        if not self._chunk:
            return
        messages, times = b"".join(self._chunk), self._chunk_times
        first_ns, last_ns = self._chunk_first_ns, self._chunk_last_ns
        self._chunk, self._chunk_bytes, self._chunk_times = [], 0, {}
        head = struct.pack("<QQQI", first_ns, last_ns, len(messages), zlib.crc32(messages)) + text("")
        start = self._place
        chunk = record(Op.CHUNK, head, struct.pack("<Q", len(messages)), messages)
        offsets, indexes = [], []
        place = start + len(chunk)
        for number, entries in times.items():
            listed = b"".join(struct.pack("<QQ", *entry) for entry in entries)
            index = record(Op.MESSAGE_INDEX, struct.pack("<HI", number, len(listed)), listed)
            offsets.append(struct.pack("<HQ", number, place))
            indexes.append(index)
            place += len(index)
        try:
            self._write(b"".join((chunk, *indexes)))
        except OSError:
            for number, entries in times.items():  # these messages are not in the file
                self.counts[number] -= len(entries)
            raise
        self._chunk_indexes.append(
            struct.pack("<QQQQI", first_ns, last_ns, start, len(chunk), 10 * len(offsets))
            + b"".join(offsets)
            + struct.pack("<Q", self._place - start - len(chunk))
            + text("")
            + struct.pack("<QQ", len(messages), len(messages))
        )

    def sync(self) -> None:
        """Wait until the disk has what was passed to the operating system.

        Raises:
            OSError: The disk has an error.
        """
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Write the summary and close the file.

        Raises:
            OSError: The file cannot be written; it is closed without a summary.
        """
        if self._descriptor < 0:
            return
        try:
            self.flush()
            self._write_summary()
            os.fsync(self._descriptor)
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the file without a summary."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _write_summary(self) -> None:
        self._write(record(Op.DATA_END, struct.pack("<I", 0)))
        start = self._place
        statistics = struct.pack(
            "<QHIIIIQQI",
            sum(self.counts.values()),
            len(self._schemas),
            len(self._channels),
            0,
            0,
            len(self._chunk_indexes),
            self.first_ns or 0,
            self.last_ns,
            10 * len(self.counts),
        ) + b"".join(struct.pack("<HQ", *entry) for entry in self.counts.items())
        groups: tuple[tuple[Op, list[bytes]], ...] = (
            (Op.SCHEMA, [schema_record(schema) for schema in self._schemas.values()]),
            (Op.CHANNEL, [channel_record(channel) for channel in self._channels]),
            (Op.CHUNK_INDEX, [record(Op.CHUNK_INDEX, index) for index in self._chunk_indexes]),
            (Op.STATISTICS, [record(Op.STATISTICS, statistics)]),
        )
        offsets = []
        summary: list[bytes] = []
        place = start
        for op, records in groups:
            data = b"".join(records)
            if data:
                offsets.append(record(Op.SUMMARY_OFFSET, struct.pack("<BQQ", op, place, len(data))))
            summary.append(data)
            place += len(data)
        body = b"".join((*summary, *offsets))
        footer_head = RECORD.pack(Op.FOOTER, 20) + struct.pack("<QQ", start, place)
        checksum = zlib.crc32(footer_head, zlib.crc32(body))
        self._write(b"".join((body, footer_head, struct.pack("<I", checksum), MAGIC)))

    def _write(self, data: Any) -> None:  # noqa: ANN401  (bytes-like)
        """Write all bytes; after an error the file ends where it ended before, as far as the disk allows."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            os.ftruncate(self._descriptor, self._place)
            os.lseek(self._descriptor, self._place, os.SEEK_SET)
            raise
        self._place += len(data)
