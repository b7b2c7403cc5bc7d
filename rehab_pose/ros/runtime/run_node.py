"""Run one node until SIGINT or SIGTERM."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import rclpy
from rclpy.executors import SingleThreadedExecutor

from rehab_pose.errors import RehabPoseError
from rehab_pose.launching.exit_codes import EXIT_BAD_SETTINGS
from rehab_pose.launching.parent_process import end_with_parent
from rehab_pose.launching.start_signals import blocked_stop_signals
from rehab_pose.ros.runtime.process_setup import (
    ended_at_latest,
    freeze_garbage,
    keep_memory,
    raise_niceness,
    return_freed_memory,
)
from rehab_pose.ros.runtime.security import refused_without_security
from rehab_pose.ros.runtime.stopping import until_stop_signal
from rehab_pose.ros.runtime.transport_watch import TransportWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["run_node"]

DESTRUCTION_S = 5
"""Time that DDS gets to destroy a node whose files are finished [s]. Fast DDS waits without end, on a whole core, for a
listener of its own that never returns (seen once, in a node whose launcher was killed)."""
RETURN_PERIOD_S = 30.0
"""Period after which freed memory is returned to the kernel [s]. Arrays of changing sizes leave holes in the heap,
which otherwise grows by some MB in an hour although no more memory is in use. It takes 1.5 ms."""


def run_node(make_node: Callable[[], StageNode]) -> int:
    """Spin a node; return the exit code: 0 after SIGINT or SIGTERM, 2 when its settings or keys cannot be used.

    Args:
        make_node: Makes the node; the row of its `spec` gives the niceness of the process.
    """
    keep_memory()
    with ExitStack() as stack:
        try:
            with refused_without_security():
                stack.enter_context(until_stop_signal(sys.argv))
        except RehabPoseError as error:
            return _refused(error)
        end_with_parent()  # its signal then ends the node as Ctrl-C does
        watch = TransportWatch()
        watch.start()
        stack.callback(watch.stop)
        # An executor whose construction is interrupted by the end of the context prints a traceback when it is freed.
        with blocked_stop_signals():
            if not rclpy.ok():
                return 0
            executor = SingleThreadedExecutor()
        try:
            with refused_without_security():
                node = make_node()
        except RehabPoseError as error:
            return _refused(error)
        executor.add_node(node)
        freeze_garbage()
        return_freed_memory()
        node.create_timer(RETURN_PERIOD_S, return_freed_memory)
        raise_niceness(node.spec.niceness)  # after the slow construction, which a restarted node should finish soon
        try:
            executor.spin()
        finally:
            node.close()
            watch.stop()
            with ended_at_latest(DESTRUCTION_S):
                executor.shutdown()
                node.destroy_node()
    return 0


def _refused(error: RehabPoseError) -> int:
    """Log why the node cannot start; return the exit code after which it is not restarted."""
    rclpy.logging.get_logger("rehab_pose").fatal(str(error))
    return EXIT_BAD_SETTINGS
