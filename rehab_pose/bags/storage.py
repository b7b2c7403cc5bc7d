"""The file of a bag, as its readers present it: topics, and messages in the order of their times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rosbags.interfaces import Qos

    from rehab_pose.bags.losses import BagLosses

__all__ = ["Storage", "StoredMessage", "StoredTopic"]


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
