"""Writing of recordings as MCAP rosbags that `ros2 bag` can play; the content is deterministic."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

from rehab_pose.bags.message_types import BagMessageFactory, type_store
from rehab_pose.errors import RecordingError
from rehab_pose.messages.topics import Delivery, Topic

if TYPE_CHECKING:
    import os

    from rehab_pose.messages.factory import Message

__all__ = ["BagWriter", "recorded_qos"]

METADATA_VERSION: Final = 9
"""Version of the metadata that rosbag2 writes since Jazzy."""
QUEUE_LENGTH = 10
"""Depth of the recorded QoS of topics that are not latched."""
FOREVER = QosTime(2147483647, 4294967295)
"""Infinite duration in the QoS of ROS 2."""


def recorded_qos(*, latched: bool, reliable: bool = True) -> Qos:
    """Return the QoS to record with a topic, which the player then offers."""
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=1 if latched else QUEUE_LENGTH,
        reliability=QosReliability.RELIABLE if reliable else QosReliability.BEST_EFFORT,
        durability=QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        deadline=FOREVER,
        lifespan=FOREVER,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=FOREVER,
        avoid_ros_namespace_conventions=False,
    )


class BagWriter(AbstractContextManager["BagWriter"]):
    """Writes one recording; use it in a `with` statement."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Create the bag's folder.

        Raises:
            RecordingError: The path exists already.
        """
        self.path = Path(path)
        self.factory = BagMessageFactory()
        self.counts: dict[str, int] = {}
        try:
            self._writer = Writer(self.path, version=METADATA_VERSION, storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except WriterError as error:
            msg = f"bag: expected a path that does not exist yet, got {self.path}; remove it or choose another"
            raise RecordingError(msg) from error
        self._connections: dict[str, Any] = {}

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, topic: Topic, stamp_ns: int, message: Message) -> None:
        """Write a message made by `factory` to a topic at a stamp [ns]."""
        data = type_store().serialize_cdr(message, topic.type_name)
        latched = topic.delivery is Delivery.LATCHED
        self.write_serialized(f"/{topic.name}", topic.type_name, stamp_ns, data, latched=latched)

    def add_topic(self, name: str, type_name: str, *, latched: bool, reliable: bool = True) -> None:
        """Add a topic to the bag, also if it will have no message.

        Raises:
            RecordingError: The type is unknown.
        """
        if name in self._connections:
            return
        if type_name not in type_store().types:
            msg = f"bag: expected a standard type or one of rehab_pose_msgs for {name}, got {type_name}; leave it out"
            raise RecordingError(msg)
        profile = recorded_qos(latched=latched, reliable=reliable)
        self._connections[name] = self._writer.add_connection(
            name, type_name, typestore=type_store(), offered_qos_profiles=[profile]
        )

    def write_serialized(
        self, name: str, type_name: str, stamp_ns: int, data: bytes | memoryview, *, latched: bool = False
    ) -> None:
        """Write a serialised message (CDR)."""
        self.add_topic(name, type_name, latched=latched)
        self.counts[name] = self.counts.get(name, 0) + 1
        self._writer.write(self._connections[name], stamp_ns, data)

    def close(self) -> None:
        """Close the file and write its metadata."""
        if self._writer.storage is not None:
            self._writer.close()
