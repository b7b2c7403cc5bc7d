"""Names on which the topics of a bag are published."""

from __future__ import annotations

import pytest

from rehab_pose.bags.camera_topics import camera_preset
from rehab_pose.bags.played_names import PlayedNames, parse_remappings
from rehab_pose.errors import SettingsError


def test_topics_of_the_nodes_get_the_namespace_and_others_keep_their_names() -> None:
    names = PlayedNames("/robot1/")
    assert names("/rgb/image_rect_color") == "/robot1/rgb/image_rect_color"
    assert names("/exercise/label") == "/robot1/exercise/label"
    for other in ("/tf", "/camera/camera/color/image_raw", "/robot1/rgb/image_rect_color"):
        assert names(other) == other
    assert PlayedNames()("/rgb/image_rect_color") == "/rgb/image_rect_color"


def test_a_known_camera_is_published_where_the_nodes_listen() -> None:
    camera = camera_preset("realsense")
    names = PlayedNames("robot1", camera=camera)
    assert names(camera.color) == "/robot1/rgb/image_rect_color"
    assert names(camera.depth) == "/robot1/depth_registered/image_rect"
    assert names("/camera/camera/infra1/image_rect_raw") == "/camera/camera/infra1/image_rect_raw"


def test_remapped_topics_have_exactly_the_given_name() -> None:
    names = PlayedNames("robot1", parse_remappings(["rgb/image_rect_color:=/front/image"]))
    assert names("/rgb/image_rect_color") == "/front/image"
    assert names("/rgb/camera_info") == "/robot1/rgb/camera_info"
    for wrong in ("a", "a:=", ":=b", "a:b"):
        with pytest.raises(SettingsError, match="expected FROM:=TO"):
            parse_remappings([wrong])
