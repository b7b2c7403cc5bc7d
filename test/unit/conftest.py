"""Fixtures of unit tests. ROS within one test process has its own domain, and no packet leaves this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from rehab_pose_sim.known_results import write_known_results

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"


@pytest.fixture
def ros() -> Iterator[Any]:
    """Initialise rclpy for one test; yields a function that restarts it with other ROS arguments."""
    rclpy = pytest.importorskip("rclpy", reason="ROS is not installed")
    pytest.importorskip("rehab_pose_msgs", reason="the message package is not built")

    def init(*arguments: str) -> None:
        rclpy.try_shutdown()
        rclpy.init(args=["test", "--ros-args", "--log-level", "fatal", *arguments])

    init()
    yield init
    rclpy.try_shutdown()


@pytest.fixture(scope="session")
def known_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bag of results with a known movement."""
    folder = tmp_path_factory.mktemp("results") / "walk"
    write_known_results(folder)
    return folder
