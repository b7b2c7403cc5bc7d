"""Bags on the disk while they are written: short chunks, metadata from the start, private files, a full disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import yaml
from rosbags.highlevel import AnyReader

from rehab_pose.bags.message_types import type_store
from rehab_pose.bags.writer import BagWriter
from rehab_pose.errors import RecordingError
from rehab_pose.messages import topics
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

STRING = type_store().types["std_msgs/msg/String"]
RATE_HZ = 30


def write_labels(bag: BagWriter, count: int, first: int = 0) -> None:
    for index in range(first, first + count):
        bag.write(topics.EXERCISE_LABEL, NS_PER_S + index * NS_PER_S // RATE_HZ, STRING(data=f"label {index}"))


def test_another_library_reads_all_messages_in_order(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        write_labels(bag, 100)
    with AnyReader([tmp_path / "bag"]) as reader:
        read = [(time_ns, reader.deserialize(data, entry.msgtype)) for entry, time_ns, data in reader.messages()]
    assert [message.data for _, message in read] == [f"label {index}" for index in range(100)]  # type: ignore[attr-defined]
    assert read[-1][0] == NS_PER_S + 99 * NS_PER_S // RATE_HZ


def test_a_killed_writer_leaves_all_but_the_last_second(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / "bag")
    write_labels(bag, 100)
    on_disk = (tmp_path / "bag" / "bag.mcap").read_bytes()  # as it is when the process is killed now
    assert b"label 60" in on_disk
    bag.flush(sync=True)
    assert b"label 99" in (tmp_path / "bag" / "bag.mcap").read_bytes()
    bag.close()


def test_the_metadata_name_file_and_topics_from_the_start(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / "bag")
    bag.add_topic("/repetition", topics.REPETITION.type_name, latched=True, depth=50)
    content = yaml.safe_load((tmp_path / "bag" / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert content["relative_file_paths"] == ["bag.mcap"]
    [topic] = content["topics_with_message_count"]
    assert topic["topic_metadata"]["offered_qos_profiles"][0]["depth"] == 50
    write_labels(bag, 3)
    bag.close()
    content = yaml.safe_load((tmp_path / "bag" / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert (content["message_count"], content["starting_time"]["nanoseconds_since_epoch"]) == (3, NS_PER_S)


def test_only_the_owner_can_read_a_bag(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        write_labels(bag, 3)
    assert (tmp_path / "bag").stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "bag").iterdir())


def test_a_full_disk_is_reported_and_what_was_written_before_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bag = BagWriter(tmp_path / "bag")
    write_labels(bag, 30)
    bag.flush()
    write = os.write

    def full(descriptor: int, data: memoryview) -> int:
        if len(data) > 100:
            return write(descriptor, data[:100])  # the last free bytes
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        write_labels(bag, 10, first=30)
        with pytest.raises(RecordingError, match=r"cannot be written \(No space left on device\)"):
            bag.flush()
    bag.close()
    assert bag.counts == {"/rehab_pose/exercise/label": 30}
    with AnyReader([tmp_path / "bag"]) as reader:
        assert sum(1 for _ in reader.messages()) == 30
