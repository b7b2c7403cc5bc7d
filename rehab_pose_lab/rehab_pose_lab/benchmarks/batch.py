"""Throughput of `rehab-pose process` over many recordings, and what stops and kills cost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rehab_pose.batch.batch import RECORDINGS_TABLE, REPETITIONS_TABLE
from rehab_pose.errors import RecordingError
from rehab_pose.optional_packages import optional_package
from rehab_pose_sim.cli.main import main as simulator

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["batch_metrics"]

TASKSET = "taskset"
"""Program of Linux that runs a command on given cores."""
SPEED_RECORDINGS, SPEED_FRAMES = 8, 200
"""Recordings of the comparison of one process with two, and their length: long against the start of a process."""
KILLS, KILL_AFTER_S = 3, (12.0, 16.0, 20.0)
SHORT_FRAMES = 5
"""Frames of a short recording."""


def batch_metrics(log: Callable[[str], None], short_recordings: int = 1000) -> dict[str, float]:
    """Return speed-up, lost recordings and whether a killed batch ends with the same tables.

    Args:
        log: Called with lines about the progress.
        short_recordings: Number of short recordings of which none may be lost.

    Returns:
        `batch_speedup` is the time of one process on one core over that of two processes on two. What the machine
        itself allows is `batch_speedup_of_machine`, of two commands that share nothing: 2 only where the second core
        adds as much as the first, which threads of one physical core do not.

    Raises:
        RecordingError: A batch did not end well.
    """
    with TemporaryDirectory(prefix="rehab_pose_batch_") as name:
        folder = Path(name)
        _write_archive(folder / "archive", SPEED_RECORDINGS, SPEED_FRAMES)
        one_s, two_s, apart_s = _speed(folder)
        log(
            f"{SPEED_RECORDINGS} recordings of {SPEED_FRAMES} frames: {one_s:.1f} s by 1 process on one core, "
            f"{two_s:.1f} s by 2; two independent commands, each on its own core: {apart_s:.1f} s"
        )
        identical = _killed_batch_is_identical(folder, log)
        metrics = {
            "batch_speedup": one_s / two_s,
            "batch_speedup_of_machine": one_s / apart_s,
            "batch_frames_per_s": SPEED_RECORDINGS * SPEED_FRAMES / two_s,
            "resume_identical": float(identical),
        }
        if short_recordings:
            metrics |= _short_metrics(folder, short_recordings, log)
    return metrics


def _write_archive(archive: Path, count: int, frames: int) -> None:
    """Write one simulated recording, and copies of it in folders of their own."""
    first = archive / "r0000"
    if simulator(["bag", "-o", str(first), "--frames", str(frames), "--exercise", "squat"]) != 0:
        msg = f"bench: expected a recording at {first}"
        raise RecordingError(msg)
    for number in range(1, count):
        shutil.copytree(first, archive / f"r{number:04d}", copy_function=os.link)


def _speed(folder: Path) -> tuple[float, float, float]:
    """Return the times of a batch by one process, by two, and by two commands with half of the recordings each [s]."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    archive = folder / "archive"
    before_s = _timed(archive, folder / "jobs_1", 1, cores[:1])
    two_s = _timed(archive, folder / "jobs_2", 2, cores)
    halves = []
    for number in range(2):
        half = folder / f"half_{number}"
        half.mkdir()
        for recording in sorted(archive.iterdir())[number::2]:
            (half / recording.name).symlink_to(recording)
        halves.append(half)
    with ThreadPoolExecutor(2) as pool:
        apart = [
            pool.submit(_timed, half, half.with_name(f"{half.name}_out"), 1, [core])
            for half, core in zip(halves, cores, strict=True)
        ]
        apart_s = max(time_s.result() for time_s in apart)
    after_s = _timed(archive, folder / "jobs_1_again", 1, cores[:1])
    return (before_s + after_s) / 2.0, two_s, apart_s


def _command(archive: Path, output: Path, jobs: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "rehab_pose.cli.main",
        "process",
        str(archive),
        "-o",
        str(output),
        "--jobs",
        str(jobs),
    ]


def _timed(archive: Path, output: Path, jobs: int, cores: list[int] | None = None) -> float:
    """Return the duration of a batch [s], on all cores or on these."""
    on_cores = [] if cores is None else [TASKSET, "-c", ",".join(map(str, cores))]
    start_s = time.perf_counter()
    _run([*on_cores, *_command(archive, output, jobs)])
    return time.perf_counter() - start_s


def _run(command: list[str]) -> None:
    done = subprocess.run(  # noqa: S603  (our own command)
        command, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        msg = f"bench: {' '.join(command)} ended with {done.returncode}: {done.stderr[-500:]}"
        raise RecordingError(msg)


def _tables(output: Path) -> list[bytes]:
    return [(output / name).read_bytes() for name in (RECORDINGS_TABLE, REPETITIONS_TABLE)]


def _killed_batch_is_identical(folder: Path, log: Callable[[str], None]) -> bool:
    output = folder / "killed"
    for after_s in KILL_AFTER_S[:KILLS]:
        process = subprocess.Popen(  # noqa: S603  (our own command)
            _command(folder / "archive", output, 2), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        done = sum(1 for path in output.glob("r*") if path.is_dir())
        log(f"killed after {after_s:.0f} s, {done} of {SPEED_RECORDINGS} recordings done")
        time.sleep(1.0)  # the workers end with their parent
    _run(_command(folder / "archive", output, 2))
    return _tables(output) == _tables(folder / "jobs_2") == _tables(folder / "jobs_1")


def _short_metrics(folder: Path, count: int, log: Callable[[str], None]) -> dict[str, float]:
    _write_archive(folder / "short", count, SHORT_FRAMES)
    seconds = _timed(folder / "short", folder / "short_out", 2)
    table = optional_package("pandas", "batch").read_parquet(folder / "short_out" / RECORDINGS_TABLE)
    lost = count - int((table["status"] == "done").sum())
    size_bytes = sum(path.stat().st_size for path in (folder / "short_out").rglob("*") if path.is_file())
    log(f"{count} recordings of {SHORT_FRAMES} frames: {seconds:.0f} s, {lost} lost, {size_bytes // 1000} kB")
    return {
        "batch_lost": float(lost),
        "batch_short_recordings": float(count),
        "batch_recordings_per_min": 60.0 * count / seconds,
    }
