"""Reading of rosbags (MCAP and SQLite3) without ROS: RGB-D frames in stamp order, or the recorded messages."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import QosDurability, QosReliability

from rehab_pose.bags.compressed_images import decompress
from rehab_pose.bags.message_types import type_store
from rehab_pose.errors import RecordingError
from rehab_pose.messages.frame_builder import FrameBuilder
from rehab_pose.messages.images import COLOR_ENCODINGS, DEPTH_ENCODINGS
from rehab_pose.messages.topics import CAMERA_INFO, COLOR, DEPTH, IMU

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from rosbags.interfaces import Connection

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
    """A recorded message, serialised (CDR)."""

    topic: RecordedTopic
    time_ns: int
    data: bytes


@dataclass(frozen=True)
class CameraTopics:
    """Topics of the camera; empty = found by name and type."""

    color: str = ""
    camera_info: str = ""
    depth: str = ""


class BagReader(AbstractContextManager["BagReader"]):
    """Reads one bag; use it in a `with` statement."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open a bag.

        Raises:
            RecordingError: The path has no bag, or it cannot be read.
        """
        self.path = Path(path)
        try:
            self._reader = AnyReader([self.path], default_typestore=type_store())
            self._reader.open()
        except (AnyReaderError, OSError) as error:
            msg = f"bag: expected a rosbag (folder with metadata.yaml, or .mcap, .db3) at {self.path}: {error}"
            raise RecordingError(msg) from error
        self.topics = {connection.topic: _recorded_topic(connection) for connection in self._reader.connections}

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        self._reader.close()

    @property
    def duration_s(self) -> float:
        """Time from the first to the last message [s]."""
        return (self._reader.end_time - self._reader.start_time) / 1e9

    def serialized(self) -> Iterator[RecordedMessage]:
        """Yield every message in the order of recording, without deserialisation."""
        for connection, time_ns, data in self._reader.messages():
            yield RecordedMessage(self.topics[connection.topic], time_ns, bytes(data))

    def messages(self, *names: str) -> Iterator[tuple[str, int, Message]]:
        """Yield topic, time [ns] and message of the named topics (default: all), in the order of recording."""
        selected = [entry for entry in self._reader.connections if not names or entry.topic in names]
        for connection, time_ns, data in self._reader.messages(connections=selected):
            yield connection.topic, time_ns, self._reader.deserialize(data, connection.msgtype)

    def camera_topics(self, given: CameraTopics | None = None) -> CameraTopics:
        """Return the topics of the camera: those given, else the default names, else those of a suitable type.

        Raises:
            RecordingError: A topic does not exist, or several topics fit.
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
        same_namespace = [name for name in infos if name.rpartition("/")[0] == color.rpartition("/")[0]]
        info = given.camera_info or self._only("camera_info", CAMERA_INFO.name, same_namespace or infos)
        return CameraTopics(color, info, depth)

    def frames(
        self, camera: CameraTopics | None = None, settings: CaptureSettings | None = None
    ) -> Iterator[RgbdFrame]:
        """Yield the RGB-D frames of the recording, paired and cleaned as in the live node.

        Args:
            camera: Topics to read.
            settings: Settings of pairing and cleaning.

        Raises:
            RecordingError: The topics do not exist, or they give no frame.
            InputError: An image cannot be used; the message names it and the reason.
        """
        topics = self.camera_topics(camera)
        imu = self._imu_topic(topics.color)
        builder = FrameBuilder(settings, color_topic=topics.color, depth_topic=topics.depth)
        # Messages are recorded as they arrive, so camera_info may follow the images that it belongs to.
        builder.add_camera_info(self._first(topics.camera_info))
        count = 0
        for name, _, message in self.messages(topics.color, topics.camera_info, topics.depth, *imu):
            if name in imu:
                builder.add_imu(message)
                continue
            image = decompress(message) if self.topics[name].type_name == COMPRESSED_IMAGE else message
            if name == topics.camera_info:
                builder.add_camera_info(image)
                continue
            raw_frames = builder.add_color(image) if name == topics.color else builder.add_depth(image)
            for raw in raw_frames:
                count += 1
                yield builder.build(raw)
        if count == 0:
            msg = (
                f"bag: no colour image of {topics.color} has a depth image of {topics.depth} at its stamp; check that "
                "both come from one driver, or raise capture.pairing_slop_s"
            )
            raise RecordingError(msg)

    def _imu_topic(self, color: str) -> tuple[str, ...]:
        """Return the topic of the camera's inertial sensor, or nothing: several in one namespace are not told apart."""
        names = [name for name, topic in self.topics.items() if topic.type_name == IMU.type_name]
        namespace = color.strip("/").split("/")[0]
        own = [name for name in names if name.strip("/") == IMU.name or name.strip("/").split("/")[0] == namespace]
        whole = [name for name in own if name.split("/")[-1] == IMU.name] or own
        return tuple(whole) if len(whole) == 1 else ()

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

    def _only(self, kind: str, default_name: str, candidates: list[str]) -> str:
        """Return the only candidate, or the only one with the default name."""
        default = [name for name in candidates if name.endswith(default_name)]
        if len(default) == 1 or len(candidates) == 1:
            return (default or candidates)[0]
        names = ", ".join(candidates) or f"none among {', '.join(self.topics) or 'no topics'}"
        msg = f"bag: expected one {kind} topic in {self.path}, found {names}; name it on the command line"
        raise RecordingError(msg)


def _recorded_topic(connection: Connection) -> RecordedTopic:
    offered = getattr(connection.ext, "offered_qos_profiles", [])
    return RecordedTopic(
        name=connection.topic,
        type_name=connection.msgtype,
        count=connection.msgcount,
        latched=any(profile.durability is QosDurability.TRANSIENT_LOCAL for profile in offered),
        reliable=all(profile.reliability is not QosReliability.BEST_EFFORT for profile in offered),
    )
