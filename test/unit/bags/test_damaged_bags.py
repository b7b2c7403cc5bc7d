"""Cut and damaged bags: whole messages are read, the rest is counted, nothing but a RehabPoseError is raised."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from rehab_pose.bags.bag_files import unpack
from rehab_pose.bags.mcap_parts import chunk_at
from rehab_pose.bags.message_types import type_store
from rehab_pose.bags.reader import BagReader
from rehab_pose.bags.recovery import recover_bag
from rehab_pose.bags.writer import BagWriter
from rehab_pose.cli.main import main
from rehab_pose.errors import RecordingError, RehabPoseError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.messages import topics
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.images import image_message
from rehab_pose.messages.topics import CAMERA_TOPICS
from rehab_pose.units import NS_PER_S

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterator

CAMERA = CameraIntrinsics(width_px=16, height_px=12, fx=20.0, fy=20.0, cx=7.5, cy=5.5)
FRAMES = 8
LAYOUTS = ("own", "mcap", "sqlite3", "zstd")
CUTS, FLIPS = 20, 60
"""Numbers for each layout; `rehab-pose-lab bench faults` takes more."""


def label(text: str) -> object:
    return type_store().types["std_msgs/msg/String"](data=text)


def write_session(bag: BagWriter, frames: int = FRAMES) -> None:
    """Write half a second of images and labels for each frame, each with content that occurs once."""
    for index in range(frames):
        stamp_ns = NS_PER_S + index * NS_PER_S // 2
        stamp, generator = header(bag.factory, stamp_ns, "cam"), np.random.default_rng(index)
        bag.write(topics.CAMERA_INFO, stamp_ns, camera_info_message(bag.factory, stamp, CAMERA))
        color = generator.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        bag.write(topics.COLOR, stamp_ns, image_message(bag.factory, stamp, "rgb8", color))
        depth = generator.integers(500, 4000, (12, 16)).astype(np.uint16)
        bag.write(topics.DEPTH, stamp_ns, image_message(bag.factory, stamp, "16UC1", depth))
        for part in range(15):
            text = f"<{index:03d}.{part:03d}" + "abcdefghij" * 15 + f"{index:03d}.{part:03d}>"
            bag.write(topics.EXERCISE_LABEL, stamp_ns + part, label(text))


@pytest.fixture(scope="module")
def bags(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the file of the same recording in each layout."""
    folder = tmp_path_factory.mktemp("bags")
    with BagWriter(folder / "own") as bag:
        write_session(bag)
    with BagReader(folder / "own") as reader:
        recorded = list(reader.serialized())
    for layout in LAYOUTS[1:]:
        plugin = StoragePlugin.SQLITE3 if layout == "sqlite3" else StoragePlugin.MCAP
        writer = Writer(folder / layout, version=9, storage_plugin=plugin)
        if layout == "zstd":
            writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        with writer:
            connections = {
                topic.name: writer.add_connection(topic.name, topic.type_name, typestore=type_store())
                for topic in {message.topic.name: message.topic for message in recorded}.values()
            }
            for message in recorded:
                writer.write(connections[message.topic.name], message.time_ns, message.data)
    return {layout: storage_file(folder / layout) for layout in LAYOUTS}


def storage_file(folder: Path) -> Path:
    return next(file for file in folder.iterdir() if file.suffix in {".mcap", ".db3"})


def contents(path: Path) -> list[bytes]:
    with BagReader(path) as reader:
        return [message.data for message in reader.serialized()]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_whole_bag_is_read_completely(bags: dict[str, Path], layout: str) -> None:
    with BagReader(bags[layout]) as reader:
        stamps = [message.time_ns for message in reader.serialized()]
        assert sum(1 for _ in reader.frames()) == FRAMES
        assert not reader.losses
        assert len(stamps) == sum(topic.count for topic in reader.topics.values()) == FRAMES * 18
    assert stamps == sorted(stamps)


@pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3], ids=["mcap", "sqlite3"])
@pytest.mark.parametrize("mode", [CompressionMode.MESSAGE, CompressionMode.FILE], ids=["messages", "files"])
def test_compressed_bags_are_read(
    bags: dict[str, Path], tmp_path: Path, mode: CompressionMode, plugin: StoragePlugin
) -> None:
    writer = Writer(tmp_path / "bag", version=9, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with BagReader(bags["own"]) as reader, writer:
        connections = {
            topic.name: writer.add_connection(topic.name, topic.type_name, typestore=type_store())
            for topic in reader.topics.values()
        }
        for message in reader.serialized():
            writer.write(connections[message.topic.name], message.time_ns, message.data)
    assert contents(tmp_path / "bag") == contents(bags["own"])


def test_a_cut_compressed_file_is_unpacked_up_to_the_cut(tmp_path: Path) -> None:
    content = np.random.default_rng(0).integers(0, 200, 3_000_000, dtype=np.uint8).tobytes()
    for name, data in (("whole", zstd_compressed(content)), ("cut", zstd_compressed(content)[:1_500_000])):
        (tmp_path / f"{name}.mcap.zstd").write_bytes(data)
        unpacked = unpack(tmp_path / f"{name}.mcap.zstd", tmp_path).read_bytes()
        assert content.startswith(unpacked)
        assert len(unpacked) == len(content) if name == "whole" else len(unpacked) > 1_000_000


def zstd_compressed(content: bytes) -> bytes:
    """Return two frames, as a writer makes that appends."""
    return bytes(zstd.compress(content[:1000]) + zstd.compress(content[1000:]))


def cuts(data: bytes) -> Iterator[bytes]:
    for index in range(CUTS):
        yield data[: int(len(data) * (index + 0.5) / CUTS)]


@pytest.mark.parametrize("layout", ["own", "mcap", "sqlite3"])
def test_whole_messages_before_a_cut_are_read(bags: dict[str, Path], tmp_path: Path, layout: str) -> None:
    everything = contents(bags[layout])
    whole = read = 0
    path = tmp_path / f"cut{bags[layout].suffix}"
    for data in cuts(bags[layout].read_bytes()):
        path.write_bytes(data)
        expected = [message for message in everything if message in data]
        whole += len(expected)
        try:
            with BagReader(path) as reader:
                found = {message.data for message in reader.serialized()}
                assert reader.losses.cut_files == 1
        except RecordingError:
            assert not expected
            continue
        read += sum(message in found for message in expected)
    assert read >= 0.95 * whole > 100


@pytest.mark.no_cover
@pytest.mark.parametrize("layout", LAYOUTS)
def test_flipped_bits_raise_no_other_error(bags: dict[str, Path], tmp_path: Path, layout: str) -> None:
    generator = np.random.default_rng(7)
    path = tmp_path / f"flipped{bags[layout].suffix}"
    for _ in range(FLIPS):
        data = bytearray(bags[layout].read_bytes())
        for place in map(int, generator.integers(8 * len(data), size=generator.choice((1, 1, 3, 20)))):
            data[place // 8] ^= 1 << place % 8
        path.write_bytes(data)
        try:
            with BagReader(path) as reader:
                count = sum(1 for _ in reader.serialized())
                assert count <= FRAMES * 18
                for _ in reader.messages():
                    pass
                for _ in reader.frames():
                    pass
        except RehabPoseError as error:
            assert str(error)  # noqa: PT017  (most flips raise nothing)


def test_a_flipped_bit_costs_one_chunk_and_is_counted(bags: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(bags["own"].read_bytes())
    data[data.index(b"<003.007") + 3] ^= 1
    path = tmp_path / "flipped.mcap"
    path.write_bytes(data)
    with BagReader(path) as reader:
        texts = [message.data for _, _, message in reader.messages("exercise/label")]
        assert reader.losses.damaged_records == 1
        assert reader.losses.lost_messages > 0
        assert "damaged record" in reader.losses.sentence
    assert not any("003.007" in text for text in texts)
    assert any(text.startswith("<000.000") for text in texts)
    assert any(text.startswith(f"<{FRAMES - 1:03d}.014") for text in texts)


@pytest.mark.parametrize("damage", [b"\x00", b"\x07"], ids=["no kind", "another kind"])
def test_the_search_goes_on_behind_a_damaged_chunk(bags: dict[str, Path], tmp_path: Path, damage: bytes) -> None:
    data = bytearray(bags["own"].read_bytes()[:-50])  # without its end, so that records are searched
    place = data.rindex(b"\x06", 0, data.index(b"<003.000") - 60)
    while chunk_at(data, place) is None:
        place = data.rindex(b"\x06", 0, place)
    data[place : place + 1] = damage
    data[place + 1 : place + 9] = bytes([255] * 5 + [0] * 3)  # a length far behind the end of the file
    (tmp_path / "broken.mcap").write_bytes(data)
    with BagReader(tmp_path / "broken.mcap") as reader:
        texts = [message.data for _, _, message in reader.messages("exercise/label")]
        assert reader.losses.damaged_records == 1
    assert any(text.startswith("<000.000") for text in texts)
    assert not any(text.startswith("<003.000") for text in texts)
    assert any(text.startswith(f"<{FRAMES - 1:03d}.014") for text in texts)


def test_a_recovered_bag_is_whole_and_the_source_is_unchanged(
    bags: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for layout in ("own", "mcap", "sqlite3"):
        source, output = tmp_path / f"{layout}{bags[layout].suffix}", tmp_path / f"{layout}_new"
        data = bags[layout].read_bytes()[: bags[layout].stat().st_size * 2 // 3]
        source.write_bytes(data)
        assert main(["bag", "recover", str(source), "-o", str(output)]) == 3
        assert "left out: 1 file without its end" in capsys.readouterr().out.splitlines()[-1]
        assert source.read_bytes() == data
        with BagReader(output) as reader:
            assert {message.data for message in reader.serialized()} == set(contents(source))
            assert not reader.losses
            assert reader.topics["/rehab_pose/exercise/label"].reliable
        assert main(["bag", "recover", str(output), "-o", str(tmp_path / f"{layout}_again")]) == 0
        assert main(["bag", "recover", str(source), "-o", str(output)]) == 2
    assert "does not exist yet" in capsys.readouterr().err


def test_a_folder_without_metadata_or_with_damaged_ones_is_read(bags: dict[str, Path], tmp_path: Path) -> None:
    for content in (None, "", "rosbag2_bagfile_information: {relative_file_paths: [gone.mcap]}", "a: [", "\0"):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        shutil.copytree(bags["own"].parent, folder)
        (folder / "metadata.yaml").unlink()
        if content is not None:
            (folder / "metadata.yaml").write_text(content)
        with BagReader(folder) as reader:
            assert sum(1 for _ in reader.serialized()) == FRAMES * 18
            assert reader.losses.notes
            assert not reader.losses


def test_images_without_a_partner_are_counted(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "half") as bag:
        write_session(bag, 4)
    with BagReader(tmp_path / "half") as reader, BagWriter(tmp_path / "less") as less:
        for message in reader.serialized():
            if not (message.topic.name == f"/{topics.DEPTH.name}" and message.time_ns > 2 * NS_PER_S):
                less.write_serialized(message.topic.name, message.topic.type_name, message.time_ns, message.data)
    with BagReader(tmp_path / "less") as reader:
        frames = sum(1 for _ in reader.frames())
        assert (frames, reader.losses.unpaired_images) == (3, 1)
        assert reader.losses.sentence == "left out: 1 image without a partner"


def test_messages_that_do_not_fit_their_type_are_counted(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        bag.write(topics.EXERCISE_LABEL, 1, label("first"))
        damaged = b"\0\1\0\0\xff\xff\xff\x7fx"
        bag.write_serialized("/rehab_pose/exercise/label", topics.EXERCISE_LABEL.type_name, 2, damaged)
        bag.write(topics.EXERCISE_LABEL, 3, label("last"))
    with BagReader(tmp_path / "bag") as reader:
        assert [message.data for _, _, message in reader.messages()] == ["first", "last"]
        assert reader.losses.undecodable_messages == 1


def test_a_damaged_image_that_is_read_several_times_counts_once(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        bag.write_serialized(f"/{topics.DEPTH.name}", topics.DEPTH.type_name, 1, b"\0\1\0\0\xff\xff\xff\x7fx")
        write_session(bag)
    with BagReader(tmp_path / "bag") as reader:
        assert sum(1 for _ in reader.frames()) == FRAMES  # also reads the first images to find the camera's topics
        assert reader.losses.undecodable_messages == 1
        assert sum(1 for _ in reader.frames()) == FRAMES
        assert reader.losses.sentence == "left out: 1 undecodable message"


def write_ros1(path: Path, recorded: Path) -> None:
    """Write the frames of a bag of ROS 2 as a bag of ROS 1."""
    old, new = get_typestore(Stores.ROS1_NOETIC), type_store()
    header_type, time_type = old.types["std_msgs/msg/Header"], old.types["builtin_interfaces/msg/Time"]
    with BagReader(recorded) as reader, Ros1Writer(path) as writer:
        connections = {}
        for name, time_ns, message in reader.messages(*(f"/{topic.name}" for topic in CAMERA_TOPICS)):
            kind = reader.topics[name].type_name
            fields = {entry: getattr(message, entry) for entry, _ in new.fielddefs[kind][1]}
            stamp = fields["header"].stamp
            fields["header"] = header_type(0, time_type(stamp.sec, stamp.nanosec), fields["header"].frame_id)
            for entry in "dkrp":
                if entry in fields:
                    fields[entry.upper()] = fields.pop(entry)
            if "roi" in fields:
                roi = old.types["sensor_msgs/msg/RegionOfInterest"]
                fields["roi"] = roi(0, 0, 0, 0, False)
            if name not in connections:
                connections[name] = writer.add_connection(name, kind, typestore=old)
            writer.write(connections[name], time_ns, old.serialize_ros1(old.types[kind](**fields), kind))


def test_a_bag_of_ros_1_gives_the_same_frames(bags: dict[str, Path], tmp_path: Path) -> None:
    write_ros1(tmp_path / "old.bag", bags["own"])
    with BagReader(tmp_path / "old.bag") as reader, BagReader(bags["own"]) as other:
        for frame, expected in zip(reader.frames(), other.frames(), strict=True):
            assert (frame.stamp_ns, frame.intrinsics) == (expected.stamp_ns, expected.intrinsics)
            np.testing.assert_array_equal(frame.color, expected.color)
    data = (tmp_path / "old.bag").read_bytes()
    for size in (0, 10, len(data) // 2):
        (tmp_path / "cut.bag").write_bytes(data[:size])
        with pytest.raises(RecordingError):
            BagReader(tmp_path / "cut.bag")
    with pytest.raises(RecordingError, match="rosbags-convert"):
        recover_bag(tmp_path / "old.bag", tmp_path / "new")


CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"


@pytest.mark.parametrize(
    ("case", "frames"),
    [
        ("bag_folder_without_metadata/no_metadata", True),
        ("bag_reindexed_empty_storage_id/reindexed", True),
        ("bag_empty_image_topic/empty_topic", True),
        ("mcap_cut_off/no_end.mcap", True),
        ("damaged_bags/flip_memory", False),
        ("damaged_bags/flip_type", False),
        ("damaged_bags/flip_sqlite", False),
    ],
)
def test_reported_bags_are_read_or_refused_with_a_sentence(tmp_path: Path, case: str, frames: bool) -> None:
    if not (CASES / case).exists():
        pytest.skip(f"the case is not at {CASES / case}")
    with BagReader(CASES / case) as reader:
        assert sum(1 for _ in reader.messages()) > 0
        try:
            count = sum(1 for _ in reader.frames())
        except RehabPoseError:
            count = 0
    assert count > 0 or not frames
    assert recover_bag(CASES / case, tmp_path / "new")[0] > 0
