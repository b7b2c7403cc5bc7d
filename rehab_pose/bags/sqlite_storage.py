"""Reading of a bag's SQLite file that may be cut off or damaged."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from rehab_pose.bags.losses import BagLosses
from rehab_pose.bags.recorded_qos import profiles_of
from rehab_pose.bags.sqlite_pages import MAGIC, Row, SqlitePages, Value
from rehab_pose.bags.storage import StoredTopic, mapped_file
from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from rehab_pose.bags.storage import StoredMessage

__all__ = ["SqliteStorage"]

CDR = "cdr"
"""Encoding of the messages of ROS 2."""
DEFINITION_FORMATS = {"ros2msg", "ros2idl"}
MESSAGE_COLUMNS = 4
"""id, topic_id, timestamp, data."""
DEFINITION_COLUMNS = 5
"""id, topic_type, encoding, encoded_message_definition, type_description_hash."""
TOPIC_COLUMNS = (4, 5, 6)
"""id, name, type, serialization_format; since version 2 offered_qos_profiles; since version 4 type_description_hash."""


class _Message(NamedTuple):
    time_ns: int
    number: int
    topic: int
    row: Row


class SqliteStorage:
    """One SQLite file.

    Attributes:
        topics: Topics with messages in CDR.
        first_ns: Time of the earliest message [ns]; None = there is no message.
        last_ns: Time of the latest message [ns].
        losses: What could not be read so far.
    """

    def __init__(self, path: Path) -> None:
        """Open a file and find its rows.

        Raises:
            RecordingError: The file cannot be read, or it has no topic that can be read.
        """
        self.losses = BagLosses()
        self._data = mapped_file(path)
        if len(self._data) < len(MAGIC):
            msg = f"{path} is too short for a SQLite file"
            raise RecordingError(msg)
        self._pages = SqlitePages(self._data)
        self._messages: list[_Message] = []
        self._topics: dict[int, list[Value]] = {}
        self._definitions: dict[str, tuple[str, str]] = {}
        for row in self._pages.rows():
            self._sort(row)
        self._messages.sort()
        self.losses.cut_files = int(self._pages.cut)
        if not self._pages.cut:
            self.losses.damaged_records += self._pages.broken
        self.topics = self._stored_topics()
        known = {topic.number for topic in self.topics}
        without = sum(message.topic not in known for message in self._messages)
        self.losses.lost_messages += without
        times = [message.time_ns for message in self._messages if message.topic in known]
        self.first_ns = min(times, default=None)
        self.last_ns = max(times, default=0)
        if not self._topics:
            self.close()
            msg = f"{path} has no topic that can be read"
            raise RecordingError(msg)

    def close(self) -> None:
        """Close the file."""
        with suppress(BufferError):  # a reader that was not finished still refers to it
            self._data.close()

    def messages(self, numbers: Collection[int]) -> Iterator[StoredMessage]:
        """Yield the messages of some topics in the order of their times; damaged ones are left out."""
        wanted = set(numbers)
        for message in self._messages:
            if message.topic not in wanted:
                continue
            values = self._pages.values(message.row)
            if values is not None and isinstance(values[3], bytes):
                yield message.time_ns, message.topic, values[3]

    def _sort(self, row: Row) -> None:
        """Keep a row that is a message, a topic or the definition of a type; others belong to SQLite."""
        values = self._pages.values(row)
        if values is None:
            if self._pages.cut:
                return  # its end was cut off
            self.losses.damaged_records += 1
        elif len(values) == MESSAGE_COLUMNS and isinstance(values[3], bytes):
            topic, time_ns = values[1], values[2]
            if isinstance(topic, int) and isinstance(time_ns, int) and time_ns >= 0:
                self._messages.append(_Message(time_ns, len(self._messages), topic, row))
            else:
                self.losses.damaged_records += 1
        elif len(values) in TOPIC_COLUMNS and isinstance(values[3], str) and values[3] == CDR:
            self._add_topic(row, values)
        elif len(values) == DEFINITION_COLUMNS and values[2] in DEFINITION_FORMATS:
            name, encoding, text = values[1:4]
            if isinstance(name, str) and isinstance(text, str):
                self._definitions[name] = (text, str(encoding))

    def _add_topic(self, row: Row, values: list[Value]) -> None:
        number = values[0] if isinstance(values[0], int) else row.number
        if all(isinstance(value, str) for value in values[1:]):
            self._topics.setdefault(number, values)
        else:
            self.losses.damaged_records += 1

    def _stored_topics(self) -> list[StoredTopic]:
        counts: dict[int, int] = {}
        for message in self._messages:
            counts[message.topic] = counts.get(message.topic, 0) + 1
        topics = []
        for number, values in self._topics.items():
            texts = [str(value) for value in values]
            text, form = self._definitions.get(texts[2], ("", ""))
            topics.append(
                StoredTopic(
                    number,
                    texts[1],
                    texts[2],
                    text,
                    form,
                    texts[5] if len(texts) > 5 else "",
                    profiles_of(texts[4]) if len(texts) > 4 else (),
                    counts.get(number, 0),
                )
            )
        return topics
