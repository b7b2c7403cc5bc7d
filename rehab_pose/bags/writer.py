"""Writing of recordings as MCAP rosbags that `ros2 bag` can play; the content is deterministic.

What a program that is killed in the middle has written is readable up to its last second: see `mcap_writer`. Files and
folder are for their owner only, because a recording shows a person.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

from rehab_pose.bags.mcap_records import Schema
from rehab_pose.bags.mcap_writer import McapWriter
from rehab_pose.bags.message_types import BagMessageFactory, type_store
from rehab_pose.bags.metadata_file import TopicEntry, qos_text, write_metadata
from rehab_pose.errors import RecordingError
from rehab_pose.messages.topic_names import full_name
from rehab_pose.messages.topics import Delivery, Topic

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import NoReturn

    from rehab_pose.messages.factory import Message

__all__ = ["BagWriter", "recorded_qos"]

OWNER_ONLY = 0o700
"""Mode of the bag's folder."""
QUEUE_LENGTH = 10
"""Depth of the recorded QoS of topics that are not latched."""
FOREVER = QosTime(2147483647, 4294967295)
"""Infinite duration in the QoS of ROS 2."""
FOR_LATE = {Delivery.LATCHED: 1, Delivery.EVENT: 50}
"""Depth of the recorded QoS of kinds of delivery of which a late subscriber receives the last messages."""
ENCODING = "cdr"


def recorded_qos(*, latched: bool, reliable: bool = True, depth: int = 1) -> Qos:
    """Return the QoS to record with a topic, which the player then offers.

    Args:
        latched: The last messages are delivered to late subscribers.
        reliable: Delivery is reliable.
        depth: Number of these messages.
    """
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=depth if latched else QUEUE_LENGTH,
        reliability=QosReliability.RELIABLE if reliable else QosReliability.BEST_EFFORT,
        durability=QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        deadline=FOREVER,
        lifespan=FOREVER,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=FOREVER,
        avoid_ros_namespace_conventions=False,
    )


class BagWriter(AbstractContextManager["BagWriter"]):
    """Writes one recording; use it in a `with` statement.

    Attributes:
        path: The bag's folder.
        factory: Makes its messages.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Create the bag's folder.

        Raises:
            RecordingError: The path exists already or cannot be written.
        """
        self.path = Path(path)
        self.factory = BagMessageFactory()
        self._file = f"{self.path.name}.mcap"
        self._entries: dict[str, tuple[int, TopicEntry]] = {}
        self._closed = False
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=OWNER_ONLY)
            self._mcap = McapWriter(self.path / self._file)
            self._write_metadata()
        except FileExistsError as error:
            msg = f"bag: expected a path that does not exist yet, got {self.path}; remove it or choose another"
            raise RecordingError(msg) from error
        except OSError as error:
            self._refuse(error)

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def counts(self) -> dict[str, int]:
        """Number of messages of each topic that has any; those that the disk refused are not counted."""
        counts = {name: self._mcap.counts[channel] for name, (channel, _) in self._entries.items()}
        return {name: count for name, count in counts.items() if count}

    def write(self, topic: Topic, stamp_ns: int, message: Message) -> None:
        """Write a message made by `factory` to a topic at a stamp [ns].

        Raises:
            RecordingError: The disk cannot be written.
        """
        data = type_store().serialize_cdr(message, topic.type_name)
        name, depth = full_name(topic), FOR_LATE.get(topic.delivery, 1)
        self.add_topic(name, topic.type_name, latched=topic.delivery in FOR_LATE, depth=depth)
        self.write_serialized(name, topic.type_name, stamp_ns, data)

    def add_topic(self, name: str, type_name: str, *, latched: bool, reliable: bool = True, depth: int = 1) -> None:
        """Add a topic to the bag, also if it will have no message.

        Args:
            name: Name of the topic.
            type_name: Its message type.
            latched: A late subscriber receives the last messages.
            reliable: Delivery is reliable.
            depth: Number of the last messages that a late subscriber receives.

        Raises:
            RecordingError: The type is unknown, or the disk cannot be written.
        """
        if name in self._entries:
            return
        store = type_store()
        if type_name not in store.types:
            msg = f"bag: expected a standard type or one of rehab_pose_msgs for {name}, got {type_name}; leave it out"
            raise RecordingError(msg)
        definition, _ = store.generate_msgdef(type_name, ros_version=2)
        profile = recorded_qos(latched=latched, reliable=reliable, depth=depth)
        schema = Schema(0, type_name, "ros2msg", definition.encode())
        self.add_raw_topic(name, schema, store.hash_rihs01(type_name), [profile])

    def add_raw_topic(self, name: str, schema: Schema, type_hash: str, profiles: Sequence[Qos]) -> None:
        """Add a topic of any type, with a given definition of its messages.

        Args:
            name: Name of the topic.
            schema: Message type; its number is not used.
            type_hash: Hash of the type, RIHS01; '' = unknown.
            profiles: QoS that its publishers offered.

        Raises:
            RecordingError: The disk cannot be written.
        """
        metadata = {"offered_qos_profiles": qos_text(profiles)}
        try:
            channel = self._mcap.add_channel(name, schema, ENCODING, metadata)
            self._entries[name] = channel, TopicEntry(name, schema.name, type_hash, profiles, 0)
            self._write_metadata()
        except OSError as error:
            self._refuse(error)

    def write_serialized(
        self, name: str, type_name: str, stamp_ns: int, data: bytes | memoryview, *, latched: bool = False
    ) -> None:
        """Write a serialised message (CDR).

        Raises:
            RecordingError: The type is unknown, or the disk cannot be written.
        """
        self.add_topic(name, type_name, latched=latched)
        try:
            self._mcap.write(self._entries[name][0], stamp_ns, data)
        except OSError as error:
            self._refuse(error)

    def flush(self, *, sync: bool = False) -> None:
        """Pass what was written to the operating system, so that it survives the end of this program.

        Args:
            sync: Also wait until the disk has it, so that it survives the end of the power.

        Raises:
            RecordingError: The disk cannot be written.
        """
        try:
            self._mcap.flush()
            if sync:
                self._mcap.sync()
        except OSError as error:
            self._refuse(error)

    def close(self) -> None:
        """Close the file and write its metadata.

        Raises:
            RecordingError: The disk cannot be written; what was written before is readable.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self._mcap.close()
            self._write_metadata()
        except OSError as error:
            self._refuse(error)

    def _write_metadata(self) -> None:
        topics = [replace(entry, count=self._mcap.counts[channel]) for channel, entry in self._entries.values()]
        write_metadata(self.path, self._file, topics, self._mcap.first_ns, self._mcap.last_ns, sync=self._closed)

    def _refuse(self, error: OSError) -> NoReturn:
        msg = (
            f"bag: {self.path} cannot be written ({error.strerror or error}); check the space and rights of its folder"
        )
        raise RecordingError(msg) from error
