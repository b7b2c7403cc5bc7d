"""The parts of an MCAP file with messages: chunks, and runs of messages outside of chunks; any may be damaged."""

from __future__ import annotations

import mmap
import re
import struct
import zlib
from dataclasses import dataclass, field, replace
from typing import Any

from rehab_pose.bags.chunk_compression import COMPRESSIONS, decompressed
from rehab_pose.bags.mcap_chunk import ChunkMessages
from rehab_pose.bags.mcap_records import RECORD, Channel, Cursor, Op, Schema

__all__ = ["CHUNK_PATTERN", "Contents", "Loaded", "Part", "chunk_at", "load", "timed"]

CHUNK_HEAD = struct.Struct("<QQQII")
"""First and last time, length of the messages, checksum, length of the name of the compression."""
CHUNK_PATTERN = re.compile(rb"\x06.{5}\x00\x00\x00.{28}(?:\x00{4}|\x03\x00{3}lz4|\x04\x00{3}zstd)", re.DOTALL)
"""The beginning of a chunk of less than 1 TB."""
KINDS = frozenset(Op)


@dataclass
class Contents:
    """Types and topics of a file."""

    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    damaged: int = 0
    """Number of types and topics that cannot be read."""

    def add(self, op: int, body: memoryview) -> None:
        """Add the type or the topic of a record; other records are not used."""
        try:
            if op == Op.SCHEMA:
                schema = Cursor(body).schema()
                self.schemas.setdefault(schema.number, schema)
            elif op == Op.CHANNEL:
                channel = Cursor(body).channel()
                self.channels.setdefault(channel.number, channel)
        except ValueError:
            self.damaged += 1


@dataclass(frozen=True)
class Part:
    """A chunk, or a run of messages outside of chunks."""

    first_ns: int
    last_ns: int
    place: int
    """Where the messages begin, compressed or not."""
    length: int
    """Their length in the file."""
    chunk: bool = True
    unpacked: int = 0
    """Length of the messages of a chunk after decompression."""
    checksum: int = 0
    """CRC-32 of the messages; 0 = none."""
    compression: str = ""
    whole: bool = True
    """False for the last chunk of a file that was cut off in it."""

    @property
    def end(self) -> int:
        """Place behind the part."""
        return self.place + self.length


@dataclass(frozen=True)
class Loaded:
    """The messages of a part."""

    messages: list[tuple[int, int, bytes]]
    """Time [ns], channel and data."""
    damaged: int = 0
    """Damaged records."""
    lost: int = 0
    """Messages that were found but are left out, because the checksum of their chunk is wrong."""


def chunk_at(data: Any, place: int) -> Part | None:  # noqa: ANN401  (bytes-like)
    """Return the chunk whose record begins at a place of a file; None if its head is damaged or cut off."""
    size, body = len(data), place + RECORD.size
    if body + CHUNK_HEAD.size > size or data[place] != Op.CHUNK:
        return None
    record_end = body + RECORD.unpack_from(data, place)[1]
    first_ns, last_ns, unpacked, checksum, name_length = CHUNK_HEAD.unpack_from(data, body)
    start = body + CHUNK_HEAD.size + name_length + 8
    if name_length > len("zstd") or start > size:
        return None
    name = bytes(data[start - 8 - name_length : start - 8])
    if name not in COMPRESSIONS:
        return None
    content_end = start + struct.unpack_from("<Q", data, start - 8)[0]
    if content_end == record_end:
        end = record_end
    else:  # one of the two lengths is damaged: the other one leads to the next record
        ends = [end for end in (record_end, content_end) if start <= end < size and _leads_on(data, end)]
        if not ends:
            return None
        end = ends[0]
    return Part(
        first_ns,
        last_ns,
        start,
        min(end, size) - start,
        unpacked=unpacked,
        checksum=checksum,
        compression=name.decode(),
        whole=end <= size,
    )


def _leads_on(data: Any, place: int) -> bool:  # noqa: ANN401  (bytes-like)
    """Return whether a whole record lies at a place."""
    if place + RECORD.size > len(data):
        return False
    op, length = RECORD.unpack_from(data, place)
    return op in KINDS and place + RECORD.size + length <= len(data)


def load(data: Any, part: Part, contents: Contents) -> Loaded:  # noqa: ANN401  (bytes-like)
    """Return the messages of a part.

    Args:
        data: The file.
        part: The part.
        contents: Types and topics of the file; those in the part are added.
    """
    try:
        return _loaded(memoryview(data)[part.place : part.end], part, contents)
    finally:
        _forget(data, part)


def _forget(data: Any, part: Part) -> None:  # noqa: ANN401  (bytes-like)
    """Return the memory of a part of a mapped file, which would otherwise grow to the length of the file."""
    if isinstance(data, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        start = part.place // mmap.PAGESIZE * mmap.PAGESIZE
        if start < part.end:
            data.madvise(mmap.MADV_DONTNEED, start, part.end - start)


def _loaded(raw: memoryview, part: Part, contents: Contents) -> Loaded:
    found = ChunkMessages(contents.channels, contents.add)
    if not part.chunk:
        found.read(raw, whole=part.whole)
        return Loaded(found.messages, found.damaged)
    content = decompressed(raw, part.compression, part.unpacked, whole=part.whole)
    if content is None:
        return Loaded([], 1)
    found.read(content, whole=part.whole)
    if not part.whole:
        return Loaded(found.messages, found.damaged)
    if part.checksum and zlib.crc32(content) != part.checksum:
        return Loaded([], 1, len(found.messages))
    messages = found.in_time(part.first_ns, part.last_ns)
    return Loaded(messages, found.damaged + (len(content) != part.unpacked))


def timed(part: Part, loaded: Loaded) -> Part:
    """Return a part with the times of its messages."""
    times = [message[0] for message in loaded.messages]
    return replace(part, first_ns=min(times), last_ns=max(times))
