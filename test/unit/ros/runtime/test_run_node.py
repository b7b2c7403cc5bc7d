"""A running node returns memory that it has freed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("rclpy", reason="ROS is not installed")

PROGRAM = """
import os, signal, sys
from rehab_pose.graph import NodeSpec
from rehab_pose.ros.runtime import run_node as module
from rehab_pose.ros.runtime.stage_node import StageNode

module.RETURN_PERIOD_S = float(sys.argv.pop())

def resident_bytes():
    return 4096 * int(open("/proc/self/statm").read().split()[1])

class Holes(StageNode):
    def __init__(self):
        super().__init__(NodeSpec("holes", "", (), (), (), ()))
        self.full_bytes = 0
        self.create_timer(0.2, self.leave_hole)
        self.create_timer(2.0, self.report)

    def leave_hole(self):
        if not self.full_bytes:
            blocks = [bytes(100_000) + b"x" for _ in range(500)]
            self.last = bytes(200_000)  # behind the blocks: the heap cannot shrink from its end
            self.full_bytes = resident_bytes()

    def report(self):
        print(self.full_bytes - resident_bytes(), flush=True)
        os.kill(os.getpid(), signal.SIGTERM)

sys.exit(module.run_node(Holes))
"""
ENVIRONMENT = {**os.environ, "ROS_DOMAIN_ID": str(1 + os.getpid() % 100), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}


def returned_bytes(period_s: float) -> int:
    command = [sys.executable, "-c", PROGRAM, str(period_s)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60.0)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs glibc's malloc")
def test_memory_that_a_running_node_freed_is_returned() -> None:
    assert returned_bytes(60.0) < 10_000_000
    assert returned_bytes(0.3) > 40_000_000
