"""metadata.yaml against the keys and types that rosbag2 reads, and the QoS of replays as it reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from rehab_pose.bags.reader import BagReader
from rehab_pose_sim.cli.main import main as simulator

if TYPE_CHECKING:
    from collections.abc import Mapping

DURATION = {"sec": int, "nsec": int}
PROFILE = {
    "history": str,
    "depth": int,
    "reliability": str,
    "durability": str,
    "deadline": DURATION,
    "lifespan": DURATION,
    "liveliness": str,
    "liveliness_lease_duration": DURATION,
    "avoid_ros_namespace_conventions": bool,
}
WORDS = {
    "history": {"keep_last", "keep_all", "system_default", "unknown"},
    "reliability": {"reliable", "best_effort", "system_default", "unknown"},
    "durability": {"volatile", "transient_local", "system_default", "unknown"},
    "liveliness": {"automatic", "manual_by_topic", "system_default", "unknown"},
}
"""Names of the policies in rmw's qos_string_conversions."""
TOPIC = {
    "name": str,
    "type": str,
    "serialization_format": str,
    "offered_qos_profiles": [PROFILE],
    "type_description_hash": str,
}
NANOSECONDS, SINCE_EPOCH = {"nanoseconds": int}, {"nanoseconds_since_epoch": int}
FILE = {"path": str, "starting_time": SINCE_EPOCH, "duration": NANOSECONDS, "message_count": int}
INFORMATION = {
    "version": int,
    "storage_identifier": str,
    "relative_file_paths": [str],
    "duration": NANOSECONDS,
    "starting_time": SINCE_EPOCH,
    "message_count": int,
    "topics_with_message_count": [{"topic_metadata": TOPIC, "message_count": int}],
    "compression_format": str,
    "compression_mode": str,
    "files": [FILE],
    "custom_data": object,
    "ros_distro": str,
}
"""rosbag2_storage's yaml.hpp (Jazzy, version 9 of the metadata)."""


def check(value: object, expected: Any, place: str) -> None:  # noqa: ANN401  (a type, a mapping or a list)
    """Check that a value has exactly these keys and types."""
    if isinstance(expected, dict):
        assert isinstance(value, dict), place
        assert set(value) == set(expected), place
        for name, kind in expected.items():
            check(value[name], kind, f"{place}.{name}")
    elif isinstance(expected, list):
        assert isinstance(value, list), place
        for number, entry in enumerate(value):
            check(entry, expected[0], f"{place}[{number}]")
    else:
        assert isinstance(value, expected), f"{place}: {value!r}"


def check_words(profile: Mapping[str, object], place: str) -> None:
    for name, words in WORDS.items():
        assert profile.get(name, "unknown") in words, f"{place}.{name}"


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("metadata") / "bag"
    assert simulator(["bag", "-o", str(path), "--frames", "3", "--exercise", "squat"]) == 0
    return path


def test_the_metadata_have_the_keys_and_types_that_rosbag2_reads(bag: Path) -> None:
    content = yaml.safe_load((bag / "metadata.yaml").read_text(encoding="utf-8"))
    assert set(content) == {"rosbag2_bagfile_information"}
    information = content["rosbag2_bagfile_information"]
    check(information, INFORMATION, "information")
    topics = information["topics_with_message_count"]
    for entry in topics:
        metadata = entry["topic_metadata"]
        assert metadata["type_description_hash"].startswith("RIHS01_")
        for profile in metadata["offered_qos_profiles"]:
            check_words(profile, metadata["name"])
    assert information["message_count"] == sum(entry["message_count"] for entry in topics)
    assert [entry["path"] for entry in information["files"]] == information["relative_file_paths"]
    assert all((bag / name).is_file() for name in information["relative_file_paths"])
    with BagReader(bag) as reader:
        times_ns = [message.time_ns for message in reader.serialized()]
    assert information["starting_time"]["nanoseconds_since_epoch"] == min(times_ns)
    assert information["duration"]["nanoseconds"] == max(times_ns) - min(times_ns)


def test_the_qos_of_replays_has_the_words_that_rosbag2_reads() -> None:
    file = Path(__file__).parents[3] / "config" / "replay_qos.yaml"
    for topic, profile in yaml.safe_load(file.read_text(encoding="utf-8")).items():
        assert topic.startswith("/")
        assert set(profile) <= set(PROFILE)
        check_words(profile, topic)
