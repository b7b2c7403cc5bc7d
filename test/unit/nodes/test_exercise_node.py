"""The node `exercise`: joints with wrong stamps are dropped, counted and named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rehab_pose.datatypes import Joints, JointVisibility
from rehab_pose.messages.joints import joints_message
from rehab_pose.messages.topic_names import full_name
from rehab_pose.skeletons.smpl24 import SMPL_24


@pytest.mark.usefixtures("ros")
def test_wrong_stamps_are_counted_by_reason_and_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    from rehab_pose.nodes.exercise import ExerciseNode  # noqa: PLC0415  (needs ROS)

    node = ExerciseNode()
    published: list[Any] = []
    monkeypatch.setattr(node, "publish", lambda topic, message: published.append((topic, message)))
    positions_m = np.random.default_rng(0).normal((0.0, 0.0, 2.5), 0.3, (24, 3))
    visibility = np.full(24, JointVisibility.OBSERVED, np.uint8)
    try:
        answers = []
        for stamp_ns in (2_000_000_000, 2_000_000_000, 1_500_000_000, 0, 2_100_000_000):
            joints = Joints(stamp_ns, "cam", SMPL_24, positions_m, np.ones(24), np.ones(24), visibility)
            before = len(published)
            node._on_joints(joints_message(node.factory, stamp_ns, "cam", joints))
            answers.append(len(published) > before)
        report = node.health.report()
    finally:
        node.close()
        node.destroy_node()
    assert answers == [True, False, False, False, True]
    assert report.values["dropped: stamp repeated"] == "1"
    assert report.values["dropped: stamp older than the last one"] == "1"
    assert "zero" in report.message
    assert any("stamp is zero" in name for name in report.values)


@pytest.mark.usefixtures("ros")
def test_the_streams_are_subscribed_to_only_while_the_setting_asks_for_them() -> None:
    from rclpy.parameter import Parameter  # noqa: PLC0415  (needs ROS)

    from rehab_pose.nodes.exercise import ExerciseNode  # noqa: PLC0415

    node = ExerciseNode()
    optional = {full_name(topic) for topic in node.spec.optional}

    def subscribed() -> set[str]:
        names = node.get_subscriber_names_and_types_by_node(node.get_name(), node.get_namespace())
        return {name for name, _ in names} & optional

    try:
        found = [subscribed()]
        for streams in ("fused", "joints"):
            (answer,) = node.set_parameters([Parameter("exercise.streams", value=streams)])
            assert answer.successful, answer.reason
            found.append(subscribed())
    finally:
        node.close()
        node.destroy_node()
    assert found == [set(), optional, set()]
    assert len(optional) == 4
