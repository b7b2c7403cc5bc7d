"""A node of the graph in this process."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rehab_pose.graph import NodeSpec


@pytest.fixture
def ros_node(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[NodeSpec], Any]]:
    """Return a function that makes the node of a row; it is closed at the end of the test."""
    rclpy = pytest.importorskip("rclpy", reason="ROS is not installed")
    pytest.importorskip("rehab_pose_msgs", reason="the message package is not built")
    monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    rclpy.init(args=["test", "--ros-args", "--log-level", "fatal"])
    nodes = []

    def make(spec: NodeSpec) -> Any:  # noqa: ANN401
        module = importlib.import_module(spec.module)
        [kind] = [value for name, value in vars(module).items() if name in module.__all__ and isinstance(value, type)]
        nodes.append(kind())
        return nodes[-1]

    yield make
    for node in nodes:
        node.close()
        node.destroy_node()
    rclpy.try_shutdown()
