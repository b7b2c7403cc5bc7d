"""Names on which the topics of a bag are published."""

from __future__ import annotations

import pytest

from rehab_pose.bags.camera_topics import camera_preset
from rehab_pose.bags.played_names import PlayedNames, parse_remappings
from rehab_pose.errors import SettingsError
from rehab_pose.messages import topics

IMAGE, INFO = topics.COLOR.type_name, topics.CAMERA_INFO.type_name


@pytest.mark.parametrize("place", ["", "/rehab_pose"])
def test_topics_of_the_nodes_get_the_namespace_and_others_keep_their_names(place: str) -> None:
    for robot, names in (("", PlayedNames()), ("/robot1", PlayedNames("/robot1/"))):
        assert names("/rgb/image_rect_color", IMAGE) == f"{robot}/rgb/image_rect_color"
        assert names(f"{place}/exercise/label", "std_msgs/msg/String") == f"{robot}/rehab_pose/exercise/label"
        assert names(f"{place}/joints", topics.JOINTS.type_name) == f"{robot}/rehab_pose/joints"
        assert names("/joints", "sensor_msgs/msg/JointState") == "/joints", "of the robot"
        for other in ("/camera/camera/color/image_raw", "/robot1/rgb/image_rect_color"):
            assert names(other, IMAGE) == other
        assert names("/tf", topics.TF.type_name) == "/tf"
        assert names("/robot1/rehab_pose/joints", topics.JOINTS.type_name) == "/robot1/rehab_pose/joints"


def test_a_known_camera_is_published_where_the_nodes_listen() -> None:
    camera = camera_preset("realsense")
    names = PlayedNames("robot1", camera=camera)
    assert names(camera.color, IMAGE) == "/robot1/rgb/image_rect_color"
    assert names(camera.depth, IMAGE) == "/robot1/depth_registered/image_rect"
    assert names("/camera/camera/infra1/image_rect_raw", IMAGE) == "/camera/camera/infra1/image_rect_raw"


def test_remapped_topics_have_exactly_the_given_name() -> None:
    names = PlayedNames("robot1", parse_remappings(["rgb/image_rect_color:=/front/image"]))
    assert names("/rgb/image_rect_color", IMAGE) == "/front/image"
    assert names("/rgb/camera_info", INFO) == "/robot1/rgb/camera_info"
    for wrong in ("a", "a:=", ":=b", "a:b"):
        with pytest.raises(SettingsError, match="expected FROM:=TO"):
            parse_remappings([wrong])
