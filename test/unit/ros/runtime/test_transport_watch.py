"""Ends of processes whose DDS threads, or whose interpreter, stand still."""

import signal
import subprocess
import sys
import time

import pytest

from rehab_pose.launching.exit_codes import EXIT_TRANSPORT_STUCK

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's /proc")

PROGRAM = """
import ctypes, pathlib, re, threading, time
from rehab_pose.ros.runtime.transport_watch import TransportWatch
library, mutex, lock = ctypes.CDLL(None), ctypes.create_string_buffer(64), threading.Lock()
def named(wait):
    def run():
        pathlib.Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text("dds.ev.0")
        wait()
    threading.Thread(target=run, daemon=True).start()
def deadlock():
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)
"""


def exit_code(body: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return exit code and errors of a program that is watched with short limits."""
    program = f"{PROGRAM}watch = TransportWatch(stuck_s=1.5, unresponsive_s=2.5); watch.start(); {body}; watch.stop()"
    code = subprocess.run([sys.executable, "-c", program], check=False, timeout=60.0).returncode
    return code, capfd.readouterr().err


def test_a_deadlock_of_a_dds_thread_ends_the_process(capfd: pytest.CaptureFixture[str]) -> None:
    code, errors = exit_code("named(deadlock); time.sleep(30.0)", capfd)
    assert code == EXIT_TRANSPORT_STUCK
    assert "its thread dds.ev.0 waits for a lock" in errors
    assert "Traceback" not in errors


def test_a_call_that_keeps_the_interpreter_lock_ends_the_process(capfd: pytest.CaptureFixture[str]) -> None:
    code, _ = exit_code("time.sleep(1.5); re.match(r'(a+)+b', 'a' * 60)", capfd)
    assert code == -signal.SIGALRM


@pytest.mark.parametrize(
    "wait",
    [
        "lambda: (lock.acquire(), lock.acquire())",
        "lambda: time.sleep(30.0)",
        "lambda: [time.sleep(0.1) for _ in range(300)]",
    ],
)
def test_idle_threads_of_dds_are_left_alone(wait: str, capfd: pytest.CaptureFixture[str]) -> None:
    start_s = time.monotonic()
    code, errors = exit_code(f"named({wait}); time.sleep(4.5)", capfd)
    assert (code, errors) == (0, "")
    assert time.monotonic() - start_s > 4.5
