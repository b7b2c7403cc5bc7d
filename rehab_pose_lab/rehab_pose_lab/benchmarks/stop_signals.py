"""Stop signals at random moments of the programs' lives, imports too, a part of `rehab-pose-lab bench faults`."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

import rehab_pose
import rehab_pose_lab
import rehab_pose_sim
from rehab_pose.launching.node_commands import node_environment
from rehab_pose.launching.start_signals import STOP_SIGNALS
from rehab_pose_lab.benchmarks.process_state import marked_processes
from rehab_pose_lab.benchmarks.running_graph import use_private_domain

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

__all__ = ["before_first_line", "signal_metrics"]

PROGRAMS = (
    ("rehab_pose.cli.main", "run", "--nodes", "exercise,session"),
    ("rehab_pose.cli.main", "run", "--composed"),
    ("rehab_pose.cli.main", "record", "-o", "{folder}/bag"),
    ("rehab_pose.cli.main", "doctor"),
    ("rehab_pose.nodes.session",),
)
"""Module and arguments of the programs that receive signals."""
MARK = "REHAB_POSE_BENCH_MARK"
"""Environment variable by which the processes of a trial are found, also those that left their process group."""
LATEST_S = 5.0
"""Signals come at a random moment up to this time after the start [s]: loading takes one to three seconds."""
SECOND_SIGNAL_S = 0.5
"""Longest time from the first to the second signal, in every second trial [s]."""
END_S = 10.0
"""A process that runs longer than this after the signal is a survivor [s]; the aim for the end is 3 s."""
POLL_S = 0.02
TRACEBACK_FILE = re.compile(r'^ *File "([^"]+)"', re.MULTILINE)
INTERPRETER_MODULE = re.compile(r"(^<frozen |/)(site|runpy|encodings|importlib)\b")
"""Files of the modules that the interpreter loads before the first line of a program: no program can handle signals
then."""
EDITABLE_FINDER = re.compile(r"__editable___\w+_finder\.py")
"""Names of the files, among installed packages, in which setuptools lists editable ones; `site` runs them."""
PACKAGES = tuple(Path(name).parent for name in (rehab_pose.__file__, rehab_pose_sim.__file__, rehab_pose_lab.__file__))
"""Folders of our programs' modules."""
LOG_LINES = 15


@dataclass
class _Count:
    tracebacks: int = 0
    before_start: int = 0
    survivors: int = 0
    end_s: list[float] = field(default_factory=list)


def signal_metrics(signals: int, log: Callable[[str], None], seed: int = 0) -> dict[str, float]:
    """Return the tracebacks and survivors of programs that receive SIGINT, SIGTERM or SIGHUP at a random moment.

    Args:
        signals: Number of programs that are started and stopped.
        log: Called with a line about each finding, and each tenth program.
        seed: Seed of programs, signals and moments.
    """
    use_private_domain()
    count, chosen = _Count(), np.random.default_rng(seed)
    for number in range(1, signals + 1):
        with TemporaryDirectory(prefix="rehab_pose_signals_") as folder:
            _one(Path(folder), chosen, count, log)
        if number % 10 == 0:
            log(f"{number} of {signals} signals: {count.tracebacks} tracebacks, {count.survivors} survivors")
    return {
        "signals": float(signals),
        "signals_tracebacks": float(count.tracebacks),
        "signals_before_start": float(count.before_start),
        "survivors": float(count.survivors),
        "signal_end_p95_s": float(np.percentile(count.end_s, 95)) if count.end_s else float("nan"),
        "signal_end_max_s": max(count.end_s, default=float("nan")),
    }


def _one(folder: Path, chosen: Generator, count: _Count, log: Callable[[str], None]) -> None:
    module, *arguments = PROGRAMS[chosen.integers(len(PROGRAMS))]
    words = [word.format(folder=folder) for word in arguments]
    wait_s = chosen.uniform(0.0, LATEST_S)
    numbers = [STOP_SIGNALS[index] for index in chosen.integers(len(STOP_SIGNALS), size=chosen.integers(1, 3))]
    pause_s = chosen.uniform(0.0, SECOND_SIGNAL_S)
    mark, output = secrets.token_hex(8), folder / "output"
    environment = {**node_environment(), MARK: mark, "HOME": str(folder), "ROS_LOG_DIR": str(folder)}
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603  (our own programs, no shell)
            [sys.executable, "-m", module, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    time.sleep(wait_s)
    for number in numbers:
        process.send_signal(number)
        if number != numbers[-1] or len(numbers) == 1:
            time.sleep(pause_s if len(numbers) > 1 else 0.0)
    began_s = time.monotonic()
    while process.poll() is None and time.monotonic() - began_s < END_S:
        time.sleep(POLL_S)
    alive = marked_processes(mark)
    while alive and time.monotonic() - began_s < END_S:
        time.sleep(POLL_S)
        alive = marked_processes(mark)
    count.end_s.append(time.monotonic() - began_s)
    title = f"{module} {' '.join(arguments)}: {', '.join(one.name for one in numbers)} after {wait_s:.2f} s"
    if alive:
        count.survivors += len(alive)
        log(f"{title}: {len(alive)} processes ran on for {END_S:g} s")
        for pid in alive:
            os.kill(pid, signal.SIGKILL)
    process.wait()
    text = output.read_text(encoding="utf-8", errors="replace")
    if "Traceback" in text or "Fatal Python error" in text:
        if before_first_line(text):
            count.before_start += 1
        else:
            count.tracebacks += 1
            log(f"{title}:\n" + "\n".join(text.splitlines()[-LOG_LINES:]))


def before_first_line(output: str) -> bool:
    """Return whether a program's output has a traceback from before the first line of a program.

    The interpreter itself was still starting then: the traceback begins in one of its own modules, and of installed
    packages it has only the finders of editable ones.
    """
    files = TRACEBACK_FILE.findall(output)
    return bool(files) and INTERPRETER_MODULE.search(files[0]) is not None and not any(map(_is_of_package, files))


def _is_of_package(file: str) -> bool:
    path = Path(file)
    installed = "site-packages" in path.parts and not EDITABLE_FINDER.fullmatch(path.name)
    return installed or any(path.is_relative_to(folder) for folder in PACKAGES)
