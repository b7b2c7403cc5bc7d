"""Read rosbags (MCAP and SQLite3) without ROS: RGB-D frames in stamp order, or messages as they were recorded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import QosDurability, QosReliability

from rehab_pose.bags.compressed_images import decompressed
from rehab_pose.bags.message_types import type_store
from rehab_pose.errors import RecordingError
from rehab_pose.messages.frame_builder import FrameBuilder
from rehab_pose.messages.images import COLOR_ENCODINGS, DEPTH_ENCODINGS
from rehab_pose.messages.topics import CAMERA_INFO, COLOR, DEPTH

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from types import TracebackType

    from rosbags.interfaces import Connection
    from typing_extensions import Self

    from rehab_pose.capture.settings import CaptureSettings
    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.messages.factory import Message

__all__ = ["BagReader", "CameraTopics", "RecordedMessage", "RecordedTopic"]

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO_TYPE = "sensor_msgs/msg/CameraInfo"


@dataclass(frozen=True)
class RecordedTopic:
    """A topic of a bag."""

    name: str
    type_name: str
    count: int
    latched: bool
    reliable: bool


@dataclass(frozen=True)
class RecordedMessage:
    """A message as it was recorded, serialised (CDR)."""

    topic: RecordedTopic
    time_ns: int
    data: bytes


@dataclass(frozen=True)
class CameraTopics:
    """Which topics carry the camera; empty = find it."""

    color: str = ""
    camera_info: str = ""
    depth: str = ""


class BagReader:
    """Reads one bag; use it in a `with` statement."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open a bag.

        Raises:
            RecordingError: There is none at the path, or it cannot be read.
        """
        self.path = Path(path)
        try:
            self._reader = AnyReader([self.path], default_typestore=type_store())
            self._reader.open()
        except (AnyReaderError, OSError) as error:
            msg = f"bag: expected a rosbag (folder with metadata.yaml, or .mcap, .db3) at {self.path}: {error}"
            raise RecordingError(msg) from error
        self.topics = {connection.topic: _recorded_topic(connection) for connection in self._reader.connections}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        self._reader.close()

    @property
    def duration_s(self) -> float:
        """Time from the first to the last message [s]."""
        return (self._reader.end_time - self._reader.start_time) / 1e9

    def serialized(self) -> Iterator[RecordedMessage]:
        """Yield every message in the order of recording, undecoded."""
        for connection, time_ns, data in self._reader.messages():
            yield RecordedMessage(self.topics[connection.topic], time_ns, bytes(data))

    def messages(self, *names: str) -> Iterator[tuple[str, int, Message]]:
        """Yield topic, time [ns] and message of some topics (all when none is named), in the order of recording."""
        chosen = [entry for entry in self._reader.connections if not names or entry.topic in names]
        for connection, time_ns, data in self._reader.messages(connections=chosen):
            yield connection.topic, time_ns, self._reader.deserialize(data, connection.msgtype)

    def camera_topics(self, given: CameraTopics | None = None) -> CameraTopics:
        """Return which topics carry the camera: those given, else those with the usual names, else those that fit.

        Raises:
            RecordingError: A topic is not there, or more than one would fit.
        """
        given = given or CameraTopics()
        for name in (given.color, given.camera_info, given.depth):
            if name and name not in self.topics:
                msg = f"bag: expected the topic {name}, {self.path} has {', '.join(self.topics) or 'none'}"
                raise RecordingError(msg)
        images = [name for name, topic in self.topics.items() if topic.type_name in {IMAGE, COMPRESSED_IMAGE}]
        infos = [name for name, topic in self.topics.items() if topic.type_name == CAMERA_INFO_TYPE]
        color = given.color or self._only("colour image", COLOR.name, [n for n in images if self._is_color(n)])
        depth = given.depth or self._only("depth image", DEPTH.name, [n for n in images if self._is_depth(n)])
        beside = [name for name in infos if name.rpartition("/")[0] == color.rpartition("/")[0]]
        info = given.camera_info or self._only("camera_info", CAMERA_INFO.name, beside or infos)
        return CameraTopics(color, info, depth)

    def frames(
        self, camera: CameraTopics | None = None, settings: CaptureSettings | None = None
    ) -> Iterator[RgbdFrame]:
        """Yield the RGB-D frames of the recording, paired and cleaned as the live node does it.

        Args:
            camera: Which topics to read.
            settings: Of pairing and cleaning.

        Raises:
            RecordingError: The topics are not there, or no frame came of them.
            InputError: An image cannot be used; the sentence says which and why.
        """
        found = self.camera_topics(camera)
        builder = FrameBuilder(settings, color_topic=found.color, depth_topic=found.depth)
        # A recorder writes each topic when it arrives: camera_info may come after the images it belongs to.
        builder.add_camera_info(self._first(found.camera_info))
        count = 0
        for name, _, message in self.messages(found.color, found.camera_info, found.depth):
            image = decompressed(message) if self.topics[name].type_name == COMPRESSED_IMAGE else message
            if name == found.camera_info:
                builder.add_camera_info(image)
                continue
            raw_frames = builder.add_color(image) if name == found.color else builder.add_depth(image)
            for raw in raw_frames:
                count += 1
                yield builder.build(raw)
        if count == 0:
            msg = (
                f"bag: no colour image of {found.color} has a depth image of {found.depth} at its stamp; check that "
                "both come from one driver, or raise capture.pairing_slop_s"
            )
            raise RecordingError(msg)

    def _first(self, name: str) -> Message:
        for _, _, message in self.messages(name):
            return message
        msg = f"bag: expected messages on {name}, there are none"
        raise RecordingError(msg)

    def _encoding(self, name: str) -> str:
        first: Any = self._first(name)
        return str(first.format if self.topics[name].type_name == COMPRESSED_IMAGE else first.encoding)

    def _is_color(self, name: str) -> bool:
        encoding = self._encoding(name)
        compressed = self.topics[name].type_name == COMPRESSED_IMAGE
        return encoding in COLOR_ENCODINGS or (compressed and "compressedDepth" not in encoding)

    def _is_depth(self, name: str) -> bool:
        return self._encoding(name) in DEPTH_ENCODINGS or "compressedDepth" in self._encoding(name)

    def _only(self, what: str, default_name: str, fitting: list[str]) -> str:
        usual = [name for name in fitting if name.endswith(default_name)]
        if len(usual) == 1 or len(fitting) == 1:
            return (usual or fitting)[0]
        found = ", ".join(fitting) or f"none among {', '.join(self.topics) or 'no topics'}"
        msg = f"bag: expected one {what} topic in {self.path}, found {found}; name it on the command line"
        raise RecordingError(msg)


def _recorded_topic(connection: Connection) -> RecordedTopic:
    offered = getattr(connection.ext, "offered_qos_profiles", [])
    return RecordedTopic(
        name=connection.topic,
        type_name=connection.msgtype,
        count=connection.msgcount,
        latched=any(quality.durability is QosDurability.TRANSIENT_LOCAL for quality in offered),
        reliable=all(quality.reliability is not QosReliability.BEST_EFFORT for quality in offered),
    )
