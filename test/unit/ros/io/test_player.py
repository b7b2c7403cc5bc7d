"""Playing of bags: topics of types that are not installed are left out, QoS is as recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rehab_pose.bags.mcap_records import Schema
from rehab_pose.bags.message_types import type_store
from rehab_pose.bags.played_names import PlayedNames
from rehab_pose.bags.reader import BagReader
from rehab_pose.bags.writer import BagWriter
from rehab_pose.errors import InputError
from rehab_pose.messages import topics

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    with BagWriter(tmp_path / "bag") as writer:
        unknown = Schema(0, "some_package/msg/Thing", "ros2msg", b"int32 value\n")
        writer.add_raw_topic("/thing", unknown, "", [])
        writer.write_serialized("/thing", unknown.name, 1, b"\0\1\0\0\1\0\0\0")
        writer.add_topic("/repetition", topics.REPETITION.type_name, latched=True, depth=50)
        for index in range(3):
            label = type_store().types["std_msgs/msg/String"](data=str(index))
            writer.write(topics.EXERCISE_LABEL, index, label)
    return tmp_path / "bag"


def test_topics_of_types_that_are_not_installed_are_left_out(ros: Any, bag: Path) -> None:  # noqa: ANN401
    ros()
    from rehab_pose.ros.io.player import BagPlayer  # noqa: PLC0415

    with BagReader(bag) as reader:
        player = BagPlayer(reader, rate=1000.0, clock=False, names=PlayedNames("robot1"))
        assert player.play() == 3
        [offered] = player.get_publishers_info_by_topic("/robot1/rehab_pose/repetition")
        assert offered.qos_profile.durability.name == "TRANSIENT_LOCAL"
        player.destroy_node()


def test_a_bag_without_a_topic_that_can_be_played_is_refused(ros: Any, tmp_path: Path) -> None:  # noqa: ANN401
    ros()
    from rehab_pose.ros.io.player import BagPlayer  # noqa: PLC0415

    with BagWriter(tmp_path / "bag") as writer:
        writer.add_raw_topic("/thing", Schema(0, "damaged name", "ros2msg", b"int32 value\n"), "", [])
    with BagReader(tmp_path / "bag") as reader, pytest.raises(InputError, match="expected topics of installed types"):
        BagPlayer(reader, rate=1.0, clock=False)
