"""The parts of an MCAP file: from its summary, or by a search from the front where that is missing or damaged."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from rehab_pose.bags.mcap_chunk import ChunkMessages, is_record
from rehab_pose.bags.mcap_parts import CHUNK_PATTERN, KINDS, Contents, Part, chunk_at, load, timed
from rehab_pose.bags.mcap_records import MAGIC, RECORD, Cursor, Op

__all__ = ["Index", "index_from_search", "index_from_summary"]

FOOTER_BYTES = 20
TAIL_BYTES = RECORD.size + FOOTER_BYTES + len(MAGIC)
RUN_BYTES = 4 * 1024**2
"""Length of a run of messages outside of chunks that is read at once [bytes]."""


@dataclass
class Index:
    """Parts of a file, and the number of messages of each channel."""

    contents: Contents = field(default_factory=Contents)
    parts: list[Part] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    first_ns: int | None = None
    """Time of the earliest message [ns]; None = there is no message."""
    last_ns: int = 0
    cut: bool = False
    """The end of the file is missing."""
    damaged: int = 0
    """Damaged records that the search found."""
    lost: int = 0
    """Messages in chunks with a wrong checksum."""


def index_from_summary(data: Any) -> Index | None:  # noqa: ANN401  (bytes-like)
    """Return the index at the end of a file; None if there is none, or it does not agree with the file."""
    size = len(data)
    if size < TAIL_BYTES + len(MAGIC) or data[: len(MAGIC)] != MAGIC or data[-len(MAGIC) :] != MAGIC:
        return None
    footer = size - TAIL_BYTES
    op, length = RECORD.unpack_from(data, footer)
    start, _, checksum = struct.unpack_from("<QQI", data, footer + RECORD.size)
    if (op, length) != (Op.FOOTER, FOOTER_BYTES) or not len(MAGIC) <= start < footer:
        return None
    if checksum and zlib.crc32(data[start : footer + RECORD.size + FOOTER_BYTES - 4]) != checksum:
        return None
    index = Index()
    try:
        expected = _read_summary(data, start, footer, index)
    except (ValueError, struct.error):
        return None
    if expected and (not index.parts or not index.contents.channels or index.contents.damaged):
        return None
    return index


def _read_summary(data: Any, start: int, footer: int, index: Index) -> int:  # noqa: ANN401  (bytes-like)
    """Fill an index; return the number of messages that the file claims.

    Raises:
        ValueError: The summary is damaged or has no statistics.
    """
    expected = None
    place = start
    while place < footer:
        op, length = RECORD.unpack_from(data, place)
        body = Cursor(memoryview(data)[place + RECORD.size : footer]).take(length)
        cursor = Cursor(body)
        if op == Op.CHUNK_INDEX:
            first_ns, last_ns, chunk_place = cursor.numbers("QQQ")
            part = chunk_at(data, chunk_place) if chunk_place < start else None
            if part is None or (part.first_ns, part.last_ns) != (first_ns, last_ns) or part.end > start:
                msg = "the index of a chunk does not agree with the chunk"
                raise ValueError(msg)
            index.parts.append(part)
        elif op == Op.STATISTICS:
            expected, *_, first_ns, last_ns = cursor.numbers("QHIIIIQQ")
            if expected:
                index.first_ns, index.last_ns = first_ns, last_ns
            entries = Cursor(cursor.block())
            while entries.left:
                number, count = entries.numbers("HQ")
                index.counts[number] = count
        else:
            index.contents.add(op, body)
        place += RECORD.size + length
    if expected is None:
        msg = "the summary has no statistics"
        raise ValueError(msg)
    return expected


def index_from_search(data: Any) -> Index:  # noqa: ANN401  (bytes-like)
    """Return the index of all records that can be found from the front of a file."""
    return _Search(data).run()


class _Search:
    """Follows the chain of records, and finds it again where it is broken."""

    def __init__(self, data: Any) -> None:  # noqa: ANN401  (bytes-like)
        self._data = data
        self._size: int = len(data)
        self._index = Index()
        self._run: tuple[int, int] | None = None
        self._before: int | None = None
        """Place of the record before, if messages cannot be hidden in it."""

    def run(self) -> Index:
        index, data = self._index, self._data
        place = len(MAGIC) if data[: len(MAGIC)] == MAGIC else 0
        while place + RECORD.size <= self._size and place >= 0:
            place = self._step(place)
        self._end_run()
        whole = place < 0 and data[-len(MAGIC) :] == MAGIC
        index.cut = not whole or not all(part.whole for part in index.parts)
        if index.parts:
            index.first_ns = min(part.first_ns for part in index.parts)
            index.last_ns = max(part.last_ns for part in index.parts)
        return index

    def _step(self, place: int) -> int:
        """Take the record at a place; return the next place, -1 at the end of the data."""
        data, contents = self._data, self._index.contents
        op, length = RECORD.unpack_from(data, place)
        end = place + RECORD.size + int(length)
        if op == Op.MESSAGE and is_record(data, place, self._size, contents.channels):
            self._run = (self._run[0] if self._run else place, end)
            if end - self._run[0] > RUN_BYTES:
                self._end_run()
            self._before = place
            return end
        self._end_run()
        if op == Op.CHUNK:
            part = chunk_at(data, place)
            if part is not None:
                self._add(part)
                self._before = None
                return part.end
        elif op in {Op.DATA_END, Op.FOOTER} and end <= self._size:
            return -1
        elif op in KINDS and op != Op.MESSAGE and end <= self._size:
            contents.add(op, memoryview(data)[place + RECORD.size : end])
            self._before = place
            return end
        if self._is_cut(op, place, end):
            return self._size
        self._index.damaged += 1
        start, self._before = (place if self._before is None else self._before) + 1, None
        return self._next_place(start)

    def _is_cut(self, op: int, place: int, end: int) -> bool:
        """Return whether a record that reaches behind the file was cut off, and is not one with a damaged length."""
        return op in KINDS and end > self._size and CHUNK_PATTERN.search(self._data, place + 1) is None

    def _next_place(self, start: int) -> int:
        """Return the next place that looks like a chunk or a message; the size of the file if there is none."""
        match = CHUNK_PATTERN.search(self._data, start)
        while match is not None:
            if chunk_at(self._data, match.start()) is not None:
                return match.start()
            match = CHUNK_PATTERN.search(self._data, match.start() + 1)
        if any(part.chunk for part in self._index.parts):
            return self._size  # messages in chunks must not be taken for messages outside of chunks
        return ChunkMessages.next_record(self._data, start, self._index.contents.channels)

    def _end_run(self) -> None:
        if self._run is not None:
            start, end = self._run
            self._run = None
            self._add(Part(0, 0, start, end - start, chunk=False))

    def _add(self, part: Part) -> None:
        index = self._index
        loaded = load(self._data, part, index.contents)
        index.damaged += loaded.damaged
        index.lost += loaded.lost
        if loaded.messages:
            index.parts.append(timed(part, loaded))
            for _, channel, _ in loaded.messages:
                index.counts[channel] = index.counts.get(channel, 0) + 1
        elif not part.whole:
            index.cut = True
