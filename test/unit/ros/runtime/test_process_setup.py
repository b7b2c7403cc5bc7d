"""A node's process: images of a worker thread cause almost no page faults, and a clean-up that hangs ends."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys, threading
import numpy as np
from rehab_pose.ros.runtime.process_setup import keep_memory
if sys.argv[1] == "kept":
    assert keep_memory()
def frames(count):
    for _ in range(count):
        images = [np.ones((480, 640), np.float32) for _ in range(6)]
        del images
def work():
    frames(20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    frames(50)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 50)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def faults(mode: str) -> float:
    command = [sys.executable, "-c", PROGRAM, mode]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs glibc's malloc")
def test_images_of_a_worker_thread_reuse_freed_memory() -> None:
    assert faults("kept") < 20 < faults("default")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs glibc's malloc")
def test_memory_that_a_construction_freed_is_returned() -> None:
    program = (
        "from rehab_pose.ros.runtime.process_setup import keep_memory, return_freed_memory\n"
        "def resident(): return int(open('/proc/self/statm').read().split()[1])\n"
        "keep_memory(); blocks = [bytes(100_000) + b'x' for _ in range(500)]; last = bytes(200_000); del blocks\n"
        "before = resident(); return_freed_memory(); print(before - resident())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) * 4096 > 40_000_000


def ended_program(body: str) -> int:
    imports = "import re\nfrom rehab_pose.ros.runtime.process_setup import ended_at_latest"
    program = f"{imports}\nwith ended_at_latest(1):\n    {body}"
    return subprocess.run([sys.executable, "-c", program], check=False, timeout=60.0).returncode


def test_a_clean_up_that_never_returns_from_a_library_ends_the_process() -> None:
    never = "re.match(r'(a+)+b', 'a' * 60)"  # stays in C, where no handler of Python runs, for years
    assert ended_program(never) == -signal.SIGALRM
    assert ended_program("pass") == 0
