"""Fixtures for complete graphs over real DDS; each test process has its own domain, restricted to this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest.importorskip("rclpy", reason="ROS is not installed")
pytest.importorskip("rehab_pose_msgs", reason="the message package is not built")

os.environ["ROS_DOMAIN_ID"] = str(101 + os.getpid() % 100)
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
REPOSITORY = Path(__file__).resolve().parents[2]
GRACE_S = 20.0


POLL_S = 0.05


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Wait until a condition holds; return whether it does."""
    end_s = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < end_s:
        time.sleep(POLL_S)
    return condition()


class Program:
    """A running command of this project, with its output in a log file."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self._log = log
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}
        self._file = log.open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env=environment,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def output(self) -> str:
        """Everything that the program has written so far."""
        return self._log.read_text()

    def wait_for_output(self, text: str, timeout_s: float) -> bool:
        """Wait until the output contains a text; return whether it does."""
        return wait_until(lambda: text in self.output, timeout_s)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal to the process group, as Ctrl-C does, and return the exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        try:
            return self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise
        finally:
            self._file.close()


def _programs(folder: Path) -> Iterator[Callable[..., Program]]:
    started: list[Program] = []

    def start(*arguments: str) -> Program:
        started.append(Program(folder / f"{len(started)}.log", *arguments))
        return started[-1]

    yield start
    for entry in started:
        entry.stop()


@pytest.fixture(scope="session")
def wait() -> Callable[[Callable[[], bool], float], bool]:
    """Return `wait_until`."""
    return wait_until


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Return a function that starts `python -m ...`; programs that still run at the end of the test are stopped."""
    yield from _programs(tmp_path)


@pytest.fixture(scope="module")
def lasting_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Program]]:
    """Return a function like `program`, for programs that run during all tests of a file."""
    yield from _programs(tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="module")
def ros() -> Iterator[Any]:
    """Initialise rclpy in this process, for all tests of a file."""
    import rclpy  # noqa: PLC0415

    rclpy.init()
    yield rclpy
    rclpy.try_shutdown()
