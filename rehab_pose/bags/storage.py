"""The file of a bag, as its readers present it: topics, and messages in the order of their times."""

from __future__ import annotations

import mmap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from rosbags.interfaces import Qos

    from rehab_pose.bags.losses import BagLosses

__all__ = ["Storage", "StoredMessage", "StoredTopic", "mapped_file"]


@dataclass(frozen=True)
class StoredTopic:
    """A topic of one file."""

    number: int
    """Identifies it in the file."""
    name: str
    type_name: str
    definition: str = ""
    """Definition of the message type; '' = the file has none."""
    definition_format: str = "ros2msg"
    type_hash: str = ""
    qos: tuple[Qos, ...] = field(default=())
    count: int = 0


StoredMessage = tuple[int, int, bytes]
"""Time [ns], number of the topic, serialised message (CDR)."""


class Storage(Protocol):
    """An open file."""

    topics: list[StoredTopic]
    first_ns: int | None
    """Time of the earliest message [ns]; None = there is no message."""
    last_ns: int
    losses: BagLosses

    def messages(self, numbers: Collection[int]) -> Iterator[StoredMessage]:
        """Yield the messages of some topics in the order of their times."""

    def close(self) -> None:
        """Close the file."""


def mapped_file(path: Path) -> mmap.mmap:
    """Return the bytes of a file, which are read from the disk where they are used.

    Raises:
        RecordingError: The file is missing, empty or not readable.
    """
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read: {error}"
        raise RecordingError(msg) from error
