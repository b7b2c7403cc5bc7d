"""The node `pipeline`: wrong stamps are counted and named, TF gives the camera's pose, and the list has all labels."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.datatypes import RgbdFrame
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.messages import topics

if TYPE_CHECKING:
    from collections.abc import Iterator

CAMERA = CameraIntrinsics(160, 120, 130.0, 130.0, 80.0, 60.0)


def frame(stamp_ns: int) -> RgbdFrame:
    """Return a frame of a wall, without a person."""
    return RgbdFrame(
        stamp_ns, "cam", CAMERA, np.full((120, 160, 3), 90, np.uint8), np.full((120, 160), 3.0, np.float32)
    )


@pytest.fixture
def node(ros: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:  # noqa: ANN401
    from rehab_pose.nodes.pipeline import PipelineNode  # noqa: PLC0415  (needs ROS)

    ros()
    node = PipelineNode()
    node.published = published = []
    monkeypatch.setattr(node, "publish", lambda topic, message: published.append((topic, message)))
    yield node
    node.close()
    node.destroy_node()


def test_wrong_stamps_are_counted_by_reason_and_zero_is_named(node: Any) -> None:  # noqa: ANN401
    for stamp_ns in (2_000_000_000, 2_000_000_000, 1_500_000_000, 0, 2_100_000_000):
        node._on_frame(frame(stamp_ns))
    report = node.health.report()
    assert report.values["dropped: stamp repeated"] == "1"
    assert report.values["dropped: stamp older than the last one"] == "1"
    assert any("stamp is zero" in name for name in report.values)
    assert "zero" in report.message


def test_the_recogniser_gets_the_cameras_pose_of_the_frame(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    pose, asked = np.eye(4), []
    given: list[object] = []

    def look_up(frame_id: str, stamp_ns: int) -> Any:  # noqa: ANN401
        asked.append((frame_id, stamp_ns))
        return pose

    monkeypatch.setattr(node, "_fixed_frame", SimpleNamespace(pose=look_up, change=given.append))
    monkeypatch.setattr(node._label_stages.get().exercise, "set_camera_pose", given.append)
    node._on_frame(frame(2_000_000_000))
    assert asked == [("cam", 2_000_000_000)]
    assert given == [pose]


def test_another_fixed_frame_and_other_settings_of_the_exercise_are_used_at_once(node: Any) -> None:  # noqa: ANN401
    from rclpy.parameter import Parameter  # noqa: PLC0415  (needs ROS)

    [done] = node.set_parameters([Parameter("exercise.set_gap_s", value=7.0)])
    assert done.successful
    assert node._label_stages.get().exercise.settings.set_gap_s == 7.0
    node.set_parameters([Parameter("exercise.fixed_frame", value="odom")])
    assert node._fixed_frame._frame == "odom"


def test_the_list_contains_the_labels_that_the_recogniser_knows_and_follows_them(
    node: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recogniser = node._label_stages.get().exercise
    node._on_frame(frame(2_000_000_000))
    assert [topic for topic, _ in node.published if topic is topics.EXERCISE_LIST] == [], "sent when the node started"
    monkeypatch.setattr(type(recogniser), "labels", (*LABELS, "bridge"))
    for stamp_ns in (2_100_000_000, 2_200_000_000):
        node._on_frame(frame(stamp_ns))
    [message] = [message for topic, message in node.published if topic is topics.EXERCISE_LIST]
    assert list(message.labels) == [*LABELS, "bridge"]
