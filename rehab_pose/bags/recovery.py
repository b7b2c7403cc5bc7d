"""Writing of all that can be read of a damaged or cut bag into a new, whole one."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.bags.mcap_records import Schema
from rehab_pose.bags.message_types import type_store
from rehab_pose.bags.reader import BagReader
from rehab_pose.bags.writer import BagWriter
from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    import os

    from rehab_pose.bags.losses import BagLosses
    from rehab_pose.bags.reader import RecordedTopic

__all__ = ["recover_bag"]


def recover_bag(source: str | os.PathLike[str], output: str | os.PathLike[str]) -> tuple[int, BagLosses]:
    """Write the whole messages of a bag of ROS 2 into a new bag; return their number, and what was left out.

    The source is not changed. After an error, the new bag is removed.

    Raises:
        RecordingError: The source has nothing that can be read, or the output exists already or cannot be written.
    """
    target = Path(output)
    with BagReader(source) as reader:
        if reader.path.suffix == ".bag":
            msg = f"bag: {reader.path} is a bag of ROS 1; convert it with `rosbags-convert`"
            raise RecordingError(msg)
        writer = BagWriter(target)
        try:
            count = _copy(reader, writer)
            writer.close()
        except RecordingError:
            with suppress(RecordingError):
                writer.close()
            shutil.rmtree(target, ignore_errors=True)
            raise
        return count, reader.losses


def _copy(reader: BagReader, writer: BagWriter) -> int:
    count = 0
    for topic in reader.topics.values():
        schema, type_hash = _schema(topic)
        writer.add_raw_topic(topic.name, schema, type_hash, topic.qos)
    for message in reader.serialized():
        writer.write_serialized(message.topic.name, message.topic.type_name, message.time_ns, message.data)
        count += 1
    return count


def _schema(topic: RecordedTopic) -> tuple[Schema, str]:
    """Return the recorded definition of a topic's type and its hash, or ours where the bag has none."""
    store = type_store()
    known = topic.type_name in store.types
    type_hash = topic.type_hash or (store.hash_rihs01(topic.type_name) if known else "")
    definition, form = topic.definition, topic.definition_format or "ros2msg"
    if not definition and known:
        definition, form = store.generate_msgdef(topic.type_name, ros_version=2)[0], "ros2msg"
    return Schema(0, topic.type_name, form, definition.encode()), type_hash
