"""keep_memory: images of a worker thread cause almost no page faults."""

from __future__ import annotations

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
