"""Reading of an MCAP file that may be cut off or damaged.

A file with a valid summary is read through its index, chunk by chunk. Without one, all records are searched from the
front; where the chain of records is broken, the search goes on at the next place that looks like a chunk or a message.
Sizes that the file claims are checked before memory is allocated.
"""

from __future__ import annotations

import heapq
from contextlib import suppress
from typing import TYPE_CHECKING

from rehab_pose.bags.losses import BagLosses
from rehab_pose.bags.mcap_index import index_from_search, index_from_summary
from rehab_pose.bags.mcap_parts import load
from rehab_pose.bags.recorded_qos import profiles_of
from rehab_pose.bags.storage import StoredTopic, mapped_file
from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from rehab_pose.bags.mcap_parts import Part
    from rehab_pose.bags.storage import StoredMessage

__all__ = ["McapStorage"]

CDR = "cdr"
"""Encoding of the messages of ROS 2."""


class McapStorage:
    """One MCAP file.

    Attributes:
        topics: Topics with messages in CDR.
        first_ns: Time of the earliest message [ns]; None = there is no message.
        last_ns: Time of the latest message [ns].
        losses: What could not be read so far.
    """

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            RecordingError: The file cannot be read, or it has no topic that can be read.
        """
        self.losses = BagLosses()
        self._data = mapped_file(path)
        index = index_from_summary(self._data)
        self._searched = index is None
        if index is None:
            index = index_from_search(self._data)
            self.losses.cut_files = int(index.cut)
            self.losses.damaged_records = index.damaged + index.contents.damaged
            self.losses.lost_messages = index.lost
        self._index = index
        self.first_ns, self.last_ns = index.first_ns, index.last_ns
        self._counted: set[int] = set()
        self.topics = self._topics()
        if not index.contents.channels:
            self.close()
            msg = f"{path} has no topic that can be read"
            raise RecordingError(msg)

    def close(self) -> None:
        """Close the file."""
        with suppress(BufferError):  # a reader that was not finished still refers to it
            self._data.close()

    def messages(self, numbers: Collection[int]) -> Iterator[StoredMessage]:
        """Yield the messages of some topics in the order of their times; damaged ones are counted and left out."""
        wanted = set(numbers)
        waiting: list[tuple[int, int, int, bytes]] = []
        order = 0
        for part in sorted(self._index.parts, key=lambda part: part.first_ns):
            while waiting and waiting[0][0] < part.first_ns:
                time_ns, _, channel, data = heapq.heappop(waiting)
                yield time_ns, channel, data
            for time_ns, channel, data in self._load(part):
                if channel in wanted:
                    heapq.heappush(waiting, (time_ns, order, channel, data))
                    order += 1
        while waiting:
            time_ns, _, channel, data = heapq.heappop(waiting)
            yield time_ns, channel, data

    def _load(self, part: Part) -> list[tuple[int, int, bytes]]:
        loaded = load(self._data, part, self._index.contents)
        if not self._searched and part.place not in self._counted:  # the search has counted already
            self._counted.add(part.place)
            self.losses.damaged_records += loaded.damaged
            self.losses.lost_messages += loaded.lost
        return loaded.messages

    def _topics(self) -> list[StoredTopic]:
        topics = []
        for channel in self._index.contents.channels.values():
            schema = self._index.contents.schemas.get(channel.schema)
            if channel.encoding != CDR:
                self.losses.notes.append(f"{channel.topic} has messages in {channel.encoding!r}, not in {CDR}")
                continue
            topics.append(
                StoredTopic(
                    channel.number,
                    channel.topic,
                    schema.name if schema else "",
                    schema.definition.decode("utf-8", "replace") if schema else "",
                    schema.encoding if schema else "",
                    qos=profiles_of(channel.metadata.get("offered_qos_profiles", "")),
                    count=self._index.counts.get(channel.number, 0),
                )
            )
        return topics
