"""State of processes in /proc, and the growth that is computed from samples of it."""

from __future__ import annotations

import mmap
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from rehab_pose_lab.benchmarks.process_state import (
    bound_addresses,
    children,
    marked_processes,
    memory,
    process_size,
    shared_memory,
    stolen_s,
)
from rehab_pose_lab.benchmarks.soak import Sample, growth, slope_pct_per_h

if TYPE_CHECKING:
    from pathlib import Path


def test_sockets_beyond_this_machine_are_seen() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as local,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as every,
    ):
        local.bind(("127.0.0.1", 0))
        every.bind(("::", 0))
        assert {"127.0.0.1", "::"} <= bound_addresses(os.getpid())
    assert "::" not in bound_addresses(os.getpid())


def test_children_are_found_also_by_a_mark_in_their_environment() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(command, env={**os.environ, "A_MARK": "4711x"}, start_new_session=True) as child:
        try:
            assert child.pid in children(os.getpid())
            assert marked_processes("4711x") == [child.pid]
        finally:
            child.kill()
    assert marked_processes("4711x") == []
    assert bound_addresses(child.pid) == set()
    with pytest.raises(OSError, match="No such file"):
        process_size(child.pid)


def test_memory_is_the_sum_over_processes_and_shared_pages_are_divided() -> None:
    # Only one of them prints: two lines could be mixed, and another process would be killed below.
    program = (
        "import os, time; kept = bytearray(b'x') * 40_000_000; pid = os.fork(); "
        "print(pid, flush=True) if pid else None; time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        forked = int(child.stdout.readline())
        both, one = memory((child.pid, forked)), memory((child.pid,))
        os.kill(forked, signal.SIGKILL)
        child.kill()
    assert both.rss_mb - one.rss_mb > 0.9 * 40_000_000 / 1024**2
    assert both.pss_mb < 0.7 * both.rss_mb
    assert memory((child.pid,)) == (0.0, 0.0)


def test_the_size_of_a_process_follows_its_descriptors_and_memory() -> None:
    """In a process of its own: one that has freed as much before takes no more from the system."""
    # The first line is printed after the import, which opens files for a moment.
    program = (
        "print(flush=True); input(); kept = socket.socket(), bytearray(b'x') * 50_000_000; print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-u", "-c", f"import socket; {program}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        before = process_size(child.pid)
        child.stdin.write(b"\n")
        child.stdin.flush()
        child.stdout.readline()
        after = process_size(child.pid)
        child.kill()
    assert after.descriptors == before.descriptors + 1
    assert after.rss_mb - before.rss_mb > 0.9 * 50_000_000 / 1024**2


def test_shared_memory_counts_the_files_that_a_process_has_mapped(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 2**20)
    (tmp_path / "b").write_bytes(b"x")
    with (tmp_path / "a").open("r+b") as file, mmap.mmap(file.fileno(), 0):
        found = shared_memory([os.getpid()], tmp_path)
    assert found.files == 1
    assert found.size_mb == pytest.approx(1.0, abs=0.02)
    assert shared_memory([os.getpid()], tmp_path).files == 0


def test_stolen_time_is_the_eighth_time_of_all_processors(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("cpu  1 2 3 4 5 6 7 250 9 10\ncpu0 1 2 3 4 5 6 7 99 9 10\n")
    assert stolen_s(tmp_path / "stat") == pytest.approx(250 / os.sysconf("SC_CLK_TCK"))
    assert stolen_s() >= 0.0


def test_growth_is_measured_after_the_warm_up_and_single_values_do_not_change_it() -> None:
    samples = [Sample(t, 100.0 if t < 300 else 110.0 + 0.01 * t, 90.0, 50, 8, 3, 33.0) for t in range(0, 1200, 10)]
    samples[60] = samples[60]._replace(rss_mb=400.0)
    samples[-20:] = [sample._replace(descriptors=52) for sample in samples[-20:]]
    found = growth(samples)
    assert found["soak_rss_pct_per_h"] == pytest.approx(100 * 36 / 117.5, rel=0.05)
    assert found["soak_private_pct_per_h"] == 0.0
    assert (found["soak_descriptors"], found["soak_threads"], found["soak_shared_mb"]) == (2, 0, 0)
    assert slope_pct_per_h([0.0, 1.0, 2.0], [5.0, 5.0, 5.0]) == 0.0
