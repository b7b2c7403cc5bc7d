"""The grid on the floor in RViz, and the shipped view's topics and namespaces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from rehab_pose.messages import topics
from rehab_pose.ros.adapters.floor_marker import AHEAD_M, FLOOR_NAMESPACE, HALF_SIDE_M, FloorMarker, floor_grid
from rehab_pose.ros.adapters.markers import ANGLE_NAMESPACE, BONE_NAMESPACE, LABEL_NAMESPACE, NAME_NAMESPACE
from rehab_pose.ros.io.message_factory import RosMessageFactory

VIEW = Path(__file__).parents[4] / "rviz" / "rehab_pose.rviz"
PITCHED = np.array([0.0, -np.cos(0.3), -np.sin(0.3), 1.2])
ROLLED = np.array([-np.sin(0.4), -np.cos(0.4), 0.0, 1.0])
STRAIGHT_DOWN = np.array([0.0, 0.0, -1.0, 2.0])


@pytest.mark.parametrize("plane", [PITCHED, ROLLED, STRAIGHT_DOWN])
def test_the_grid_is_on_the_floor_ahead_of_the_camera(plane: np.ndarray) -> None:
    ends = floor_grid(plane)
    np.testing.assert_allclose(ends @ plane[:3] + plane[3], 0.0, atol=1e-12)
    lengths = np.linalg.norm(ends[0::2] - ends[1::2], axis=1)
    np.testing.assert_allclose(lengths, 2.0 * HALF_SIDE_M)
    below = -plane[3] * plane[:3]
    assert np.linalg.norm(ends.mean(axis=0) - below) == pytest.approx(AHEAD_M)
    assert ends.mean(axis=0)[2] >= below[2] - 1e-9


def test_an_unknown_floor_has_no_marker() -> None:
    marker = FloorMarker(RosMessageFactory())
    marker.set_plane(PITCHED)
    [shown] = marker.markers(1_500_000_000, "cam")
    assert (shown.header.stamp.sec, shown.header.frame_id, shown.ns) == (1, "cam", FLOOR_NAMESPACE)
    assert len(shown.points) == len(floor_grid(PITCHED))
    marker.set_plane(np.full(4, np.nan))
    assert marker.markers(1_500_000_000, "cam") == []


def test_the_shipped_view_shows_topics_that_exist_and_every_namespace_of_the_markers() -> None:
    displays = yaml.safe_load(VIEW.read_text(encoding="utf-8"))["Visualization Manager"]["Displays"]
    names = {display["Topic"]["Value"] for display in displays}
    expected = (topics.COLOR, topics.MARKERS, topics.MESH_MARKER, topics.SILHOUETTE_IMAGE)
    assert all(any(name.endswith(f"/{topic.name}") for name in names) for topic in expected)
    assert len(names) == len(expected)
    [person] = [display for display in displays if "Namespaces" in display]
    namespaces = {"joints", FLOOR_NAMESPACE, ANGLE_NAMESPACE, BONE_NAMESPACE, LABEL_NAMESPACE, NAME_NAMESPACE}
    assert set(person["Namespaces"]) == namespaces
    [camera] = [display for display in displays if display["Class"].endswith("/Camera")]
    assert set(camera["Visibility"]) - {"Value"} <= {display["Name"] for display in displays}, "drawn over the image"
