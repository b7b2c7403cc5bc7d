"""Run one node until it is told to stop."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from rehab_pose.errors import RehabPoseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.ros.stage_node import StageNode

__all__ = ["run_node"]

EXIT_BAD_SETTINGS = 2


def run_node(make_node: Callable[[], StageNode]) -> int:
    """Spin a node; return the exit code: 0 after SIGINT or SIGTERM, 2 when its settings cannot be used."""
    try:
        rclpy.init(args=sys.argv)
        try:
            node = make_node()
        except RehabPoseError as error:
            rclpy.logging.get_logger("rehab_pose").fatal(str(error))
            return EXIT_BAD_SETTINGS
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        try:
            executor.spin()
        finally:
            node.close()
            executor.shutdown()
            node.destroy_node()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()
    return 0
