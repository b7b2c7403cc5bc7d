"""The file metadata.yaml of a bag, as rosbag2 writes it since Jazzy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml
from rosbags.rosbag2.metadata import dump_qos_v9

from rehab_pose.output_file import replace_private

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rosbags.interfaces import Qos

__all__ = ["METADATA", "TopicEntry", "qos_text", "write_metadata"]

METADATA = "metadata.yaml"
VERSION: Final = 9
"""Version of the metadata that rosbag2 writes since Jazzy."""
LARGEST_NS = 2**63 - 1
"""Start that rosbag2 writes for a bag without messages [ns]."""


@dataclass(frozen=True)
class TopicEntry:
    """A topic of the bag."""

    name: str
    type_name: str
    type_hash: str
    qos: Sequence[Qos]
    count: int


def qos_text(profiles: Sequence[Qos]) -> str:
    """Return QoS profiles as the text that a channel of an MCAP file carries."""
    dumped: Any = dump_qos_v9(list(profiles))
    return str(yaml.safe_dump(dumped, sort_keys=False)).strip()


def write_metadata(
    folder: Path, file: str, topics: Sequence[TopicEntry], first_ns: int | None, last_ns: int, *, sync: bool
) -> None:
    """Write or replace the file in one step, so that there is always a whole one.

    Args:
        folder: The bag's folder.
        file: Name of the MCAP file in it.
        topics: Topics with their numbers of messages.
        first_ns: Time of the earliest message [ns]; None = there is none.
        last_ns: Time of the latest message [ns].
        sync: Wait until the disk has it.

    Raises:
        OSError: The file cannot be written.
    """
    count = sum(topic.count for topic in topics)
    start = {"nanoseconds_since_epoch": LARGEST_NS if first_ns is None else first_ns}
    duration = {"nanoseconds": 0 if first_ns is None else last_ns - first_ns}
    information = {
        "version": VERSION,
        "storage_identifier": "mcap",
        "relative_file_paths": [file],
        "duration": duration,
        "starting_time": start,
        "message_count": count,
        "topics_with_message_count": [
            {
                "topic_metadata": {
                    "name": topic.name,
                    "type": topic.type_name,
                    "serialization_format": "cdr",
                    "offered_qos_profiles": dump_qos_v9(list(topic.qos)),
                    "type_description_hash": topic.type_hash,
                },
                "message_count": topic.count,
            }
            for topic in topics
        ],
        "compression_format": "",
        "compression_mode": "",
        "files": [{"path": file, "starting_time": start, "duration": duration, "message_count": count}],
        "custom_data": None,
        "ros_distro": "rehab_pose",
    }
    content = yaml.safe_dump({"rosbag2_bagfile_information": information}, sort_keys=False)
    replace_private(folder / METADATA, content, sync=sync)
