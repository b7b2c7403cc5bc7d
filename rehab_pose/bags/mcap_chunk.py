"""The messages in a chunk of an MCAP file, or in a part of it, where the chain of records may be broken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rehab_pose.bags.mcap_records import MESSAGE, RECORD, Op

if TYPE_CHECKING:
    from collections.abc import Callable, Container

__all__ = ["ChunkMessages", "is_record"]

RECORD_PATTERN = re.compile(rb"[\x03\x04\x05].{5}\x00\x00\x00", re.DOTALL)
"""The beginning of a type, a topic or a message of less than 1 TB."""


def is_record(data: Any, place: int, end: int, channels: Container[int]) -> bool:  # noqa: ANN401  (bytes-like)
    """Return whether a whole type, topic, or message of a known channel lies at a place of some bytes."""
    if place + RECORD.size > end:
        return False
    op, length = RECORD.unpack_from(data, place)
    if op not in {Op.SCHEMA, Op.CHANNEL, Op.MESSAGE} or place + RECORD.size + length > end:
        return False
    if op != Op.MESSAGE:
        return bool(length > MESSAGE.size // 2)
    return bool(length >= MESSAGE.size) and MESSAGE.unpack_from(data, place + RECORD.size)[0] in channels


class ChunkMessages:
    """Collects the messages of one chunk.

    Attributes:
        messages: Time [ns], channel and data of each.
        damaged: Number of records that were left out.
    """

    def __init__(self, channels: Container[int], add: Callable[[int, memoryview], None]) -> None:
        """Start without a message.

        Args:
            channels: Numbers of the known channels.
            add: Takes the types and topics, which `channels` contains then.
        """
        self.messages: list[tuple[int, int, bytes]] = []
        self.damaged = 0
        self._channels, self._add = channels, add

    def read(self, data: memoryview, *, whole: bool) -> None:
        """Read records.

        Args:
            data: The records.
            whole: False if the last one may be cut off.
        """
        place, end = 0, len(data)
        while place + RECORD.size <= end:
            op, length = RECORD.unpack_from(data, place)
            after = place + RECORD.size + length
            if is_record(data, place, end, self._channels):
                body = data[place + RECORD.size : after]
                if op == Op.MESSAGE:
                    channel, _, time_ns, _ = MESSAGE.unpack_from(body)
                    self.messages.append((time_ns, channel, bytes(body[MESSAGE.size :])))
                else:
                    self._add(op, body)
                place = after
                continue
            following = self.next_record(data, place + 1, self._channels)
            if whole or following < end:
                self.damaged += 1
            place = following

    def in_time(self, first_ns: int, last_ns: int) -> list[tuple[int, int, bytes]]:
        """Return the messages in the time of the chunk; others have a damaged time, and are counted.

        If most messages lie outside, the time of the chunk is damaged, and all are returned.
        """
        inside = [message for message in self.messages if first_ns <= message[0] <= last_ns]
        if 2 * len(inside) < len(self.messages):
            return self.messages
        self.damaged += len(self.messages) - len(inside)
        return inside

    @staticmethod
    def next_record(data: Any, start: int, channels: Container[int]) -> int:  # noqa: ANN401  (bytes-like)
        """Return the next place with a record that another one or the end follows; the end if there is none."""
        end = len(data)
        match = RECORD_PATTERN.search(data, start)
        while match is not None:
            place = match.start()
            if is_record(data, place, end, channels):
                after = place + RECORD.size + RECORD.unpack_from(data, place)[1]
                if after + RECORD.size > end or is_record(data, after, end, channels) or data[after] in _AFTER_MESSAGES:
                    return place
            match = RECORD_PATTERN.search(data, place + 1)
        return end


_AFTER_MESSAGES = {Op.MESSAGE, Op.SCHEMA, Op.CHANNEL, Op.DATA_END}
"""Kinds of records that follow messages; the last one may be cut off."""
