"""SIGINT and SIGTERM end a program with exit code 0, also before rclpy is initialised and during a publish."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS is not installed")

BUSY = """
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import String
from rehab_pose.ros.runtime.stopping import until_stop_signal
with until_stop_signal():
    node = Node("busy")
    publisher = node.create_publisher(String, "words", 1)
    node.create_timer(1e-4, lambda: [publisher.publish(String(data="word")) for _ in range(50)])
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    print("ready", flush=True)
    executor.spin()
print("cleaned up")
"""
EARLY = """
import os, signal
from rclpy.node import Node
from rehab_pose.ros.runtime import stopping
initialise = stopping.rclpy.init
def late(**arguments):
    os.kill(os.getpid(), signal.SIGINT)
    initialise(**arguments)
stopping.rclpy.init = late
with stopping.until_stop_signal():
    Node("unused")
    print("the block was not left")
print("cleaned up")
"""
FAULTY = """
import rclpy
from rehab_pose.ros.runtime.stopping import SHUTDOWN_ERRORS, until_stop_signal
with until_stop_signal():
    raise SHUTDOWN_ERRORS[0]("a fault without a shutdown")
"""
ENVIRONMENT = {**os.environ, "ROS_DOMAIN_ID": str(1 + os.getpid() % 100), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_publishing_is_no_error(number: signal.Signals) -> None:
    for _ in range(4):
        program = subprocess.Popen(
            [sys.executable, "-c", BUSY], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        program.send_signal(number)
        out, errors = program.communicate(timeout=20.0)
        assert program.returncode == 0, errors
        assert out == "cleaned up\n"


def test_a_signal_before_the_initialisation_of_rclpy_ends_the_program() -> None:
    done = subprocess.run([sys.executable, "-c", EARLY], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "cleaned up\n"), done.stderr


def test_an_error_of_rclpy_without_a_shutdown_is_raised() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTY], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "a fault without a shutdown" in done.stderr
