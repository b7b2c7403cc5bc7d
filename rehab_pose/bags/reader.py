"""Reading of rosbags (MCAP and SQLite3, also of ROS 1) without ROS: RGB-D frames in stamp order, or recorded messages.

What is whole of a damaged or cut bag is read, and `losses` says what was not; files are never changed.
"""

from __future__ import annotations

import heapq
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rosbags.interfaces import QosDurability, QosReliability

from rehab_pose.bags.bag_files import find_bag, unpack
from rehab_pose.bags.camera_topics import COMPRESSED_IMAGE, CameraTopics, find_camera_topics
from rehab_pose.bags.chunk_compression import decompressed_message
from rehab_pose.bags.compressed_images import decompress
from rehab_pose.bags.losses import BagLosses
from rehab_pose.bags.mcap_storage import McapStorage
from rehab_pose.bags.message_decoder import MessageDecoder
from rehab_pose.bags.ros1_storage import Ros1Storage
from rehab_pose.bags.sqlite_storage import SqliteStorage
from rehab_pose.errors import InputError, RecordingError, RehabPoseError
from rehab_pose.messages.frame_builder import FrameBuilder
from rehab_pose.messages.topic_names import recorded_name
from rehab_pose.messages.topics import IMU
from rehab_pose.suggestions import did_you_mean
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from rosbags.interfaces import Qos

    from rehab_pose.bags.storage import Storage, StoredTopic
    from rehab_pose.capture.settings import CaptureSettings
    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.messages.factory import Message

__all__ = ["BagReader", "RecordedMessage", "RecordedTopic"]

STORAGES: dict[str, Callable[[Path], Storage]] = {".mcap": McapStorage, ".db3": SqliteStorage, ".bag": Ros1Storage}
FASTER = 1.5
"""Depth with this many times the images of colour has a higher rate, 30 against 15 or 20 a second."""
MIN_FOCAL, MAX_FOCAL = 0.1, 20.0
"""Focal length as a multiple of the image's longer side: an angle of view of 157 to 3 degrees. Depth cameras have 50 to
120 degrees."""


@dataclass(frozen=True)
class RecordedTopic:
    """A topic of a bag."""

    name: str
    type_name: str
    count: int
    """Number of messages, as far as it is known before they are read."""
    latched: bool
    reliable: bool
    depth: int = 1
    """Number of the last messages that a late subscriber of a latched topic received."""
    definition: str = ""
    definition_format: str = ""
    type_hash: str = ""
    qos: tuple[Qos, ...] = ()


@dataclass(frozen=True)
class RecordedMessage:
    """A recorded message, serialised (CDR)."""

    topic: RecordedTopic
    time_ns: int
    data: bytes


class BagReader(AbstractContextManager["BagReader"]):
    """Reads one bag; use it in a `with` statement.

    Attributes:
        path: Folder or file.
        topics: Topics by their names.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        camera: CameraTopics | None = None,
        capture: CaptureSettings | None = None,
    ) -> None:
        """Open a bag.

        Args:
            path: Folder or file.
            camera: Topics of the camera; None, or empty ones, are found.
            capture: Settings of pairing and cleaning of its images.

        Raises:
            RecordingError: The path has no bag, or nothing of it can be read.
        """
        self.path = Path(path)
        self._camera, self._capture = camera or CameraTopics(), capture
        self._own = BagLosses()
        # Of each topic, the largest number in one reading: a topic may be read several times.
        self._undecodable: Counter[str] = Counter()
        self._damaged: Counter[str] = Counter()
        self._storages: list[Storage] = []
        self._temporary: TemporaryDirectory[str] | None = None
        try:
            self._open()
        except (RehabPoseError, OSError) as error:
            self.close()
            if isinstance(error, RecordingError) and str(error).startswith("bag: "):
                raise
            msg = f"bag: expected a rosbag (folder with .mcap or .db3, or such a file) at {self.path}: {error}"
            raise RecordingError(msg) from error

    def _open(self) -> None:
        found = find_bag(self.path)
        self._own.notes += found.notes
        self._compressed_messages = found.compressed_messages
        if any(file.suffix not in STORAGES for file in found.files):
            self._temporary = TemporaryDirectory(prefix="rehab_pose_bag_")
        problems = []
        for file in found.files:
            unpacked = unpack(file, Path(self._temporary.name)) if self._temporary else file
            try:
                self._storages.append(STORAGES[unpacked.suffix](unpacked))
            except RecordingError as error:
                problems.append(str(error))
        if not self._storages:
            raise RecordingError("; ".join(problems))
        self._own.cut_files += len(problems)
        self._own.notes += problems
        # By storage and number: topic and decoder. A topic is in several files of a bag that was split.
        self._decoders: list[dict[int, tuple[RecordedTopic, MessageDecoder | None]]] = []
        self.topics: dict[str, RecordedTopic] = {}
        for storage in self._storages:
            self._decoders.append({})
            for stored in storage.topics:
                self._add_topic(storage, stored)

    def _add_topic(self, storage: Storage, stored: StoredTopic) -> None:
        before = self.topics.get(stored.name)
        topic = _recorded_topic(stored, before)
        if before is not None and before.type_name != stored.type_name:
            self._own.damaged_records += 1
            self._own.notes.append(f"{stored.name} has the types {before.type_name} and {stored.type_name}")
            return
        self.topics[stored.name] = topic
        is_ros1 = isinstance(storage, Ros1Storage)
        decoder = None if is_ros1 else MessageDecoder(stored.type_name, stored.definition, stored.definition_format)
        self._decoders[-1][stored.number] = topic, decoder

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        for storage in self._storages:
            storage.close()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    @property
    def losses(self) -> BagLosses:
        """Everything that could not be read so far; complete after all messages were read."""
        total = BagLosses(damaged_records=self._damaged.total(), undecodable_messages=self._undecodable.total())
        for losses in (self._own, *(storage.losses for storage in self._storages)):
            total.add(losses)
        return total

    @property
    def _first_ns(self) -> int:
        return min((storage.first_ns for storage in self._storages if storage.first_ns is not None), default=0)

    @property
    def duration_s(self) -> float:
        """Time from the first to the last message [s]."""
        last = [storage.last_ns for storage in self._storages if storage.first_ns is not None]
        return (max(last) - self._first_ns) / NS_PER_S if last else 0.0

    def serialized(self) -> Iterator[RecordedMessage]:
        """Yield every message in the order of recording, without deserialisation."""
        for name, time_ns, _, _, data in self._stored(frozenset(self.topics)):
            yield RecordedMessage(self.topics[name], time_ns, data)

    def messages(self, *names: str, since_s: float = 0.0) -> Iterator[tuple[str, int, Message]]:
        """Return an iterator of topic, time [ns] and message of the named topics (default: all), in recorded order.

        Messages that cannot be decoded, and those before `since_s` after the first one [s], are left out; the former
        are counted.

        Raises:
            RecordingError: The bag has no topic of a name, whose leading slash may be left out.
        """
        chosen = frozenset(self._topic_name(name) for name in names) or frozenset(self.topics)
        return self._decoded(chosen, self._first_ns + round(since_s * NS_PER_S))

    def _topic_name(self, given: str) -> str:
        """Return the name of a topic of this bag.

        Raises:
            RecordingError: There is none; near ones are suggested.
        """
        found = recorded_name(given, self.topics)
        if found is None:
            hint = did_you_mean(str(given), self.topics, most=2) or f"it has {', '.join(self.topics) or 'none'}"
            msg = f"bag: expected the name of a topic in {self.path}, got {given!r}; {hint}"
            raise RecordingError(msg)
        return found

    def _decoded(self, names: frozenset[str], since_ns: int) -> Iterator[tuple[str, int, Message]]:
        failed: Counter[str] = Counter()
        for name, time_ns, place, number, data in self._stored(names):
            if time_ns < since_ns:
                continue
            storage, decoder = self._storages[place], self._decoders[place][number][1]
            try:
                if isinstance(storage, Ros1Storage):
                    message = storage.decode(number, data)
                else:
                    assert decoder is not None  # noqa: S101  (every other storage has one)
                    message = decoder.decode(data)
            except InputError:
                failed[name] += 1
                self._undecodable |= failed
                continue
            yield name, time_ns, message

    def _stored(self, names: frozenset[str]) -> Iterator[tuple[str, int, int, int, bytes]]:
        """Yield topic, time [ns], storage, number in it, and data of the messages of some topics in their order."""
        streams = [self._of_storage(place, names) for place in range(len(self._storages))]
        failed: Counter[str] = Counter()
        for time_ns, place, number, data in heapq.merge(*streams, key=lambda entry: entry[0]):
            name = self._decoders[place][number][0].name
            if self._compressed_messages:
                unpacked = decompressed_message(data)
                if unpacked is None:
                    failed[name] += 1
                    self._damaged |= failed
                    continue
                data = unpacked  # noqa: PLW2901
            yield name, time_ns, place, number, data

    def _of_storage(self, place: int, names: frozenset[str]) -> Iterator[tuple[int, int, int, bytes]]:
        numbers = [number for number, (topic, _) in self._decoders[place].items() if topic.name in names]
        for time_ns, number, data in self._storages[place].messages(numbers):
            yield time_ns, place, number, data

    def camera_topics(self) -> CameraTopics:
        """Return the topics of the camera: those given, else the default names, a known camera's, or the only ones.

        Raises:
            RecordingError: A topic has no messages, or none or several topics fit.
        """
        types = {name: topic.type_name for name, topic in self.topics.items() if topic.count}
        return find_camera_topics(types, self._encoding, self._camera, str(self.path))

    def frames(self, *, since_s: float = 0.0) -> Iterator[RgbdFrame]:
        """Yield the RGB-D frames of the recording, paired and cleaned as in the live node.

        Args:
            since_s: Time after the beginning of the recording from which frames are read [s].

        Images that cannot be used, or that have no partner, are counted in `losses` and left out.

        Raises:
            RecordingError: The topics do not exist, or they give no frame.
            RehabPoseError: No image can be used; the message names the first one and the reason.
        """
        topics = self.camera_topics()
        imu = self._imu_topic(topics.color)
        builder = FrameBuilder(self._capture, color_topic=topics.color, depth_topic=topics.depth)
        # Messages are recorded as they arrive, so camera_info may follow the images that it belongs to.
        builder.add_camera_info(self._first(topics.camera_info))
        images: Counter[str] = Counter()
        frames = unusable = 0
        problem: RehabPoseError | None = None
        for name, _, message in self.messages(topics.color, topics.camera_info, topics.depth, *imu, since_s=since_s):
            built, parts = [], 1
            try:
                for raw in self._added(builder, topics, name, message):
                    parts = 2
                    built.append(_plausible(builder.build(raw)))
            except RehabPoseError as error:
                unusable += parts
                problem = problem or error
            images[name] += 1
            frames += len(built)
            yield from built
        self._own.unusable_images = max(self._own.unusable_images, unusable)
        unpaired = _unpaired(images[topics.color], images[topics.depth], frames, unusable)
        self._own.unpaired_images = max(self._own.unpaired_images, unpaired)
        if frames == 0:
            if problem is not None:
                raise problem
            msg = (
                f"bag: no colour image of {topics.color} has a depth image of {topics.depth} at its stamp; check that "
                "both come from one driver, or raise capture.pairing_slop_s"
            )
            raise RecordingError(msg)

    def _added(
        self, builder: FrameBuilder, topics: CameraTopics, name: str, message: Message
    ) -> list[tuple[Message, Message, Message]]:
        """Add a message to a builder; return the raw frames that it completes.

        Raises:
            RehabPoseError: It cannot be used.
        """
        if name not in {topics.color, topics.camera_info, topics.depth}:
            builder.add_imu(message)
            return []
        if name == topics.camera_info:
            builder.add_camera_info(message)
            return []
        image = decompress(message) if self.topics[name].type_name == COMPRESSED_IMAGE else message
        return builder.add_color(image) if name == topics.color else builder.add_depth(image)

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


def _unpaired(color: int, depth: int, frames: int, unusable: int) -> int:
    """Return the number of images without a partner, from the numbers of images, frames and unusable images.

    Depth that is recorded at a higher rate than colour has images more than there can be frames: they are no loss.
    """
    surplus = depth - color if depth >= FASTER * color else 0
    return max(0, color + depth - 2 * frames - unusable - surplus)


def _plausible(frame: RgbdFrame) -> RgbdFrame:
    """Return a frame whose camera can exist.

    Raises:
        InputError: The focal length is that of no camera; the camera_info is damaged.
    """
    camera = frame.intrinsics
    size_px = max(camera.width_px, camera.height_px)
    if not all(MIN_FOCAL * size_px <= focal <= MAX_FOCAL * size_px for focal in (camera.fx, camera.fy)):
        msg = (
            f"bag: expected a focal length of {MIN_FOCAL:g} to {MAX_FOCAL:g} times the image's size, got "
            f"fx={camera.fx:g}, fy={camera.fy:g} with {camera.width_px}x{camera.height_px} pixels; check camera_info"
        )
        raise InputError(msg)
    return frame


def _recorded_topic(stored: StoredTopic, before: RecordedTopic | None) -> RecordedTopic:
    """Return a topic; its messages in the files before are added."""
    return RecordedTopic(
        name=stored.name,
        type_name=stored.type_name,
        count=stored.count + (before.count if before else 0),
        latched=any(profile.durability is QosDurability.TRANSIENT_LOCAL for profile in stored.qos),
        reliable=all(profile.reliability is not QosReliability.BEST_EFFORT for profile in stored.qos),
        depth=max((profile.depth for profile in stored.qos if isinstance(profile.depth, int)), default=1),
        definition=stored.definition,
        definition_format=stored.definition_format,
        type_hash=stored.type_hash,
        qos=stored.qos,
    )
