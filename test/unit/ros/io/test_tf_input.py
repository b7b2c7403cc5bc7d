"""FixedFrameInput: poses from TF, and plain warnings where there are none."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS is not installed")


class FakeNode:
    def __init__(self) -> None:
        self.health = SimpleNamespace(warnings={})
        self.logged: list[str] = []

    def get_logger(self) -> Any:  # noqa: ANN401
        return SimpleNamespace(warning=self.logged.append)


class TransformException(Exception):  # noqa: N818  (named as in tf2_ros)
    pass


class FakeBuffer:
    newest_ns = 1_000_000_000
    connected = True

    def can_transform(self, _target: str, _source: str, stamp: Any) -> bool:  # noqa: ANN401
        return self.connected and stamp.nanoseconds <= self.newest_ns

    def lookup_transform(self, target: str, source: str, stamp: Any) -> Any:  # noqa: ANN401
        from rclpy.time import Time  # noqa: PLC0415

        if not self.connected:
            msg = f"{target} and {source} are not connected"
            raise TransformException(msg)
        found_ns = stamp.nanoseconds or self.newest_ns
        return SimpleNamespace(
            header=SimpleNamespace(stamp=Time(nanoseconds=found_ns).to_msg()),
            transform=SimpleNamespace(
                translation=SimpleNamespace(x=1.0, y=2.0, z=3.0),
                rotation=SimpleNamespace(x=0.0, y=0.0, z=np.sqrt(0.5), w=np.sqrt(0.5)),
            ),
        )


@pytest.fixture
def tf2(monkeypatch: pytest.MonkeyPatch) -> type[FakeBuffer]:
    module = ModuleType("tf2_ros")
    monkeypatch.setattr(FakeBuffer, "connected", True)
    for name, value in {
        "Buffer": FakeBuffer,
        "TransformException": TransformException,
        "TransformListener": lambda buffer, node: (buffer, node),
    }.items():
        setattr(module, name, value)
    monkeypatch.setitem(sys.modules, "tf2_ros", module)
    return FakeBuffer


def fixed_frame(node: FakeNode, frame: str) -> Any:  # noqa: ANN401
    from rehab_pose.ros.io.tf_input import FixedFrameInput  # noqa: PLC0415

    return FixedFrameInput(node, frame)  # type: ignore[arg-type]


@pytest.mark.usefixtures("tf2")
def test_the_pose_at_the_stamp_or_just_before_is_returned() -> None:
    node = FakeNode()
    source = fixed_frame(node, "odom")
    for stamp_ns in (FakeBuffer.newest_ns, FakeBuffer.newest_ns + 50_000_000):
        pose = source.pose("camera", stamp_ns)
        np.testing.assert_allclose(pose, [[0, -1, 0, 1], [1, 0, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]], atol=1e-12)
    assert not node.health.warnings


def test_a_stale_or_missing_transform_is_a_warning_until_it_is_there(tf2: type[FakeBuffer]) -> None:
    node = FakeNode()
    source = fixed_frame(node, "odom")
    assert source.pose("camera", tf2.newest_ns + 900_000_000) is None
    assert "0.90 s older" in node.health.warnings["fixed frame"]
    tf2.connected = False
    assert source.pose("camera", tf2.newest_ns) is None
    assert "not connected" in node.health.warnings["fixed frame"]
    assert source.pose("camera", tf2.newest_ns) is None
    assert len(node.logged) == 2  # the same warning is logged once
    tf2.connected = True
    assert source.pose("camera", tf2.newest_ns) is not None
    assert not node.health.warnings


def test_without_tf2_a_warning_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf2_ros", None)
    node = FakeNode()
    source = fixed_frame(node, "odom")
    assert source.pose("camera", 1) is None
    assert "tf2-ros-py" in node.health.warnings["fixed frame"]
    source.change("")
    assert not node.health.warnings
    assert fixed_frame(FakeNode(), "").pose("camera", 1) is None
