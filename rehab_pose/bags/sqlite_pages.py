"""The rows of a SQLite file, found page by page without SQLite: a cut or damaged file gives its whole rows.

The format is described on https://www.sqlite.org/fileformat2.html. Only leaf pages of tables are read, because they
hold the rows; an index or an inner page that is damaged costs nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAGIC", "Row", "SqlitePages", "Value"]

MAGIC = b"SQLite format 3\x00"
HEAD_BYTES = 100
"""Length of the head of the file, in front of the content of its first page [bytes]."""
DEFAULT_PAGE_BYTES = 4096
"""Length of a page that all bags have; used where the head of the file is damaged [bytes]."""
LEAF_OF_TABLE = 0x0D
MAX_COLUMNS = 16
"""Largest number of columns of a row of a bag; its tables have 2 to 6."""
INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Length of integers by their type [bytes]."""
TEXT, BLOB = 13, 12
"""Types of an empty text and of empty bytes; longer ones have type + 2 * length."""

Value = int | str | bytes | None


@dataclass(frozen=True)
class Row:
    """Place of a row in the file."""

    place: int
    """Where its content begins."""
    length: int
    """Length of its content [bytes]."""
    local: int
    """Length of the part in its own page [bytes]; the rest is in overflow pages."""
    number: int
    """Its row id, which stands for the column of the primary key."""


class SqlitePages:
    """The pages of one file."""

    def __init__(self, data: Any) -> None:  # noqa: ANN401  (bytes-like)
        """Read the head of the file.

        Args:
            data: The content of the file.
        """
        self._data = data
        (claimed,) = struct.unpack_from(">H", data, 16) if len(data) >= HEAD_BYTES else (0,)
        page = 65536 if claimed == 1 else claimed
        valid = 512 <= page <= 65536 and page & (page - 1) == 0
        self._page = page if valid else DEFAULT_PAGE_BYTES
        reserved = data[20] if len(data) >= HEAD_BYTES and valid else 0
        self._usable = self._page - (reserved if reserved <= self._page - 480 else 0)
        (count,) = struct.unpack_from(">I", data, 28) if len(data) >= HEAD_BYTES else (0,)
        self.cut = count * self._page > len(data)
        """The file is shorter than its head says."""
        self.broken = 0
        """Rows whose place is damaged or cut off."""

    def rows(self) -> Iterator[Row]:
        """Yield all rows whose place is sound, in the order of the pages."""
        for start in range(0, len(self._data) - 8, self._page):
            head = start + (HEAD_BYTES if start == 0 else 0)
            if head < len(self._data) and self._data[head] == LEAF_OF_TABLE:
                yield from self._rows_of_page(start, head)

    def values(self, row: Row) -> list[Value] | None:
        """Return the columns of a row; None if it is damaged or cut off."""
        content = self._content(row)
        if content is None:
            return None
        try:
            return _columns(content)
        except (ValueError, IndexError, struct.error):
            return None

    def _rows_of_page(self, start: int, head: int) -> Iterator[Row]:
        data, end = self._data, min(start + self._page, len(self._data))
        if head + 8 > end:
            self.broken += 1
            return
        (count,) = struct.unpack_from(">H", data, head + 3)
        pointers = head + 8
        if pointers + 2 * count > end:
            self.broken += 1
            return
        for offset in struct.unpack_from(f">{count}H", data, pointers):
            row = self._row(start + offset, pointers, end)
            if row is None:
                self.broken += 1
            else:
                yield row

    def _row(self, place: int, lowest: int, end: int) -> Row | None:
        """Return the row at a place of a page that ends at `end`."""
        if not lowest <= place < end:
            return None
        try:
            length, place = _varint(self._data, place, end)
            number, place = _varint(self._data, place, end)
        except ValueError:
            return None
        local = self._local(length)
        if length > len(self._data) or place + local + (4 if local < length else 0) > end:
            return None
        return Row(place, length, local, number)

    def _local(self, length: int) -> int:
        """Return the length of the part of a row that lies in its own page [bytes]."""
        most = self._usable - 35
        if length <= most:
            return length
        least = (self._usable - 12) * 32 // 255 - 23
        local = least + (length - least) % (self._usable - 4)
        return local if local <= most else least

    def _content(self, row: Row) -> bytes | None:
        data, parts = self._data, [bytes(self._data[row.place : row.place + row.local])]
        left, pointer = row.length - row.local, row.place + row.local
        while left:
            (number,) = struct.unpack_from(">I", data, pointer)
            pointer = (number - 1) * self._page
            size = min(left, self._usable - 4)
            if number < 2 or pointer + 4 + size > len(data):
                return None
            parts.append(bytes(data[pointer + 4 : pointer + 4 + size]))
            left -= size
        return b"".join(parts)


def _varint(data: Any, place: int, end: int) -> tuple[int, int]:  # noqa: ANN401  (bytes-like)
    """Return a number of variable length, and the place behind it.

    Raises:
        ValueError: The page ends in it.
    """
    value = 0
    for index in range(9):
        if place + index >= end:
            msg = "the page ends in a number"
            raise ValueError(msg)
        byte = data[place + index]
        if index == 8:
            return value << 8 | byte, place + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + index + 1
    raise AssertionError  # the loop returns at its ninth byte


def _columns(content: bytes) -> list[Value]:
    """Return the columns of a row.

    Raises:
        ValueError: The content does not fit the types of its columns.
    """
    head_bytes, place = _varint(content, 0, len(content))
    kinds: list[int] = []
    while place < head_bytes:
        kind, place = _varint(content, place, len(content))
        kinds.append(kind)
        if len(kinds) > MAX_COLUMNS:
            msg = f"expected at most {MAX_COLUMNS} columns"
            raise ValueError(msg)
    place = head_bytes
    values: list[Value] = []
    for kind in kinds:
        value, size = _value(content, place, kind)
        values.append(value)
        place += size
    if place != len(content):
        msg = f"expected a row of {place} bytes, got {len(content)}"
        raise ValueError(msg)
    return values


def _value(content: bytes, place: int, kind: int) -> tuple[Value, int]:
    """Return a value and its length.

    Raises:
        ValueError: The type is none that bags have, or the content is too short.
    """
    if kind in {0, 8, 9}:
        return {0: None, 8: 0, 9: 1}[kind], 0
    size = INTEGER_BYTES.get(kind, (kind - BLOB) // 2 if kind >= BLOB else -1)
    part = content[place : place + max(size, 0)]
    if size < 0 or len(part) != size:
        msg = f"expected {size} bytes of the type {kind}, got {len(part)}"
        raise ValueError(msg)
    if kind in INTEGER_BYTES:
        return int.from_bytes(part, "big", signed=True), size
    return (part if kind % 2 == 0 else part.decode()), size
