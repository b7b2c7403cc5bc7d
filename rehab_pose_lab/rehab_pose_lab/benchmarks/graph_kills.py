"""Kills of any process of a running graph during a session, a part of `rehab-pose-lab bench faults`.

The simulated camera runs on, as a real one does. A node is killed with SIGKILL at a random moment and restarted by
`rehab-pose run`; where `rehab-pose run` itself is killed, all nodes end with it and it is started again here.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rehab_pose.errors import RehabPoseError
from rehab_pose.graph import Option, choose_nodes
from rehab_pose.ros.runtime.transport_watch import TransportWatch
from rehab_pose.session.file_names import JOURNAL
from rehab_pose.session.journal_content import json_object
from rehab_pose.units import NS_PER_S
from rehab_pose_lab.benchmarks.running_graph import RunningGraph, call_service, running_graph, use_private_domain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rehab_pose.datatypes import Repetition
    from rehab_pose_sim.graph_watch import GraphRecord, GraphWatch

__all__ = ["LAUNCHER", "graph_kill_metrics"]

LAUNCHER = "run"
"""Name under which the launcher is among the processes that are killed."""
LOOPED_S = 8.0
"""Length of the exercise that the camera repeats [s]."""
START_TIMEOUT_S = 120.0
BACK_TIMEOUT_S = 60.0
LONGEST_LIFE_S = 4.0
"""Kills come at a random moment up to this time after the graph runs again [s]. With eight nodes none is killed more
than five times in 30 s, after which the launcher gives up."""
SETTLE_S = 3.0
"""Time at the end for the last repetitions to be counted [s]."""
CAMERA = "sim_camera"
SESSION_KILLS = 25
"""Kills during one session."""
MAX_OBSERVERS_ENDED = 3


class _Kill(NamedTuple):
    """One kill."""

    name: str
    killed_ns: int
    respawn_s: float


def graph_kill_metrics(kills: int, log: Callable[[str], None], seed: int = 0) -> dict[str, float]:
    """Return respawn times, and the repetitions of sessions that are lost or counted twice by kills.

    A respawn lasts from the kill until the new process publishes diagnostics, and a label and a body of a frame after
    the kill have been received. Each session is observed by a process of its own: where Fast DDS deadlocks in that
    process (see `rehab_pose.ros.runtime.transport_watch`), the session is repeated with other kills, and counted.

    Args:
        kills: Number of kills.
        log: Called with a line about each session.
        seed: Seed of processes and moments.

    Raises:
        RehabPoseError: The graph does not start, or is not back in time.
    """
    times: list[_Kill] = []
    counted: Counter[str] = Counter()
    observers_ended = 0
    while len(times) < kills:
        number = min(SESSION_KILLS, kills - len(times))
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            try:
                killed, found = pool.submit(_observed_session, number, (seed, len(times), observers_ended)).result()
            except BrokenProcessPool:
                observers_ended += 1
                log(f"the observing process ended; its session of {number} kills is repeated")
                if observers_ended > MAX_OBSERVERS_ENDED:
                    raise
                continue
        times += killed
        counted.update(found)
        log(f"{len(times)} of {kills} kills: {found}")
    return {**_respawns(times), **counted, "observers_ended": float(observers_ended)}


def _observed_session(kills: int, seed: tuple[int, ...]) -> tuple[list[_Kill], dict[str, float]]:
    """Run a session with kills; return these, and the session's repetitions. Ends the process if its DDS deadlocks."""
    use_private_domain()
    from rehab_pose_sim.graph_watch import GraphWatch  # noqa: PLC0415  (reads the transport when ROS is loaded)

    TransportWatch().start()
    chosen = np.random.default_rng(seed)
    nodes = [spec.name for spec in choose_nodes({Option.MESH, Option.RECOGNITION}, composed=False)]
    with TemporaryDirectory(prefix="rehab_pose_kills_") as name:
        folder = Path(name)
        settings = {"session": {"folder": folder / "sessions", "min_free_mb": 0}}
        simulation = {"exercise": "squat", "seconds_per_exercise": LOOPED_S, "ahead_s": 2.0 * LOOPED_S}
        with (
            running_graph(["--nodes", CAMERA], {"simulation": simulation}, folder / "camera.log"),
            running_graph(["--nodes", ",".join(nodes)], settings, folder / "graph.log") as graph,
            GraphWatch() as watch,
        ):
            _wait_for_start(watch, nodes)
            started = call_service("StartSession", "start_session", session_id="bench", recording=1)
            if not started.success:
                msg = f"the session did not start: {started.message}"
                raise RehabPoseError(msg)
            begun = len(watch.record.repetitions)
            times = _killed(graph, watch, [*nodes, LAUNCHER], kills, chosen)
            time.sleep(SETTLE_S)
            published = watch.record.repetitions[begun:]
            time.sleep(SETTLE_S)
            call_service("StopSession", "stop_session")
        return times, _counted(folder / "sessions" / "bench", published, times)


def _wait_for_start(watch: GraphWatch, nodes: list[str]) -> None:
    def runs(record: GraphRecord) -> bool:
        return record.connected(nodes) and bool(record.exercise_ns) and bool(record.body_ns)

    if not watch.wait_for(runs, START_TIMEOUT_S):
        msg = f"the graph did not start within {START_TIMEOUT_S:g} s; `rehab-pose run --sim` shows why"
        raise RehabPoseError(msg)


def _killed(
    graph: RunningGraph,
    watch: GraphWatch,
    names: list[str],
    kills: int,
    chosen: np.random.Generator,
) -> list[_Kill]:
    """Kill processes; return when, which, and the time until the graph was whole again."""
    times: list[_Kill] = []
    for number in range(1, kills + 1):
        time.sleep(chosen.uniform(0.0, LONGEST_LIFE_S))
        name = str(chosen.choice(names))
        killed_ns = time.time_ns()
        respawn_s = _kill(graph, watch, name, names)
        times.append(_Kill(name, killed_ns, respawn_s))
        moment_s = killed_ns / NS_PER_S
        _show(f"kill {number} of {kills} of this session, at {moment_s:.2f} s: {name} was back after {respawn_s:.2f} s")
    return times


def _kill(graph: RunningGraph, watch: GraphWatch, name: str, names: list[str]) -> float:
    record, pids = watch.record, graph.pids
    waited = [node for node in names if node != LAUNCHER] if name == LAUNCHER else [name]
    killed_ns = time.time_ns()
    if name == LAUNCHER:
        graph.process.kill()
        graph.restart()
    else:
        os.kill(pids[name], signal.SIGKILL)
    record.diagnostics.clear()

    def missing(received: GraphRecord) -> list[str]:
        now = graph.pids
        seen = {node.rpartition("/")[2] for node in received.diagnostics}
        absent = [f"a new process of {node}" for node in waited if now.get(node, pids.get(node)) == pids.get(node)]
        absent += [f"diagnostics of {node}" for node in waited if node not in seen]
        streams = {"labels": received.exercise_ns, "bodies": received.body_ns}
        return absent + [f"{text} of new frames" for text, ns in streams.items() if max(ns, default=0) <= killed_ns]

    if not watch.wait_for(lambda received: not missing(received), BACK_TIMEOUT_S):
        msg = (
            f"{name} was killed and was not back within {BACK_TIMEOUT_S:g} s; missing: {', '.join(missing(record))}\n"
            f"threads of the nodes:\n{_threads(graph.pids)}\noutput:\n{graph.last_lines}"
        )
        raise RehabPoseError(msg)
    return (time.time_ns() - killed_ns) / NS_PER_S


def _threads(pids: Mapping[str, int]) -> str:
    """Return a line for each thread of processes: its state, and the function of the kernel in which it waits."""
    lines = []
    for name, pid in pids.items():
        for folder in sorted(Path(f"/proc/{pid}/task").glob("*")):
            with suppress(OSError):  # the thread has ended
                state = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
                function = (folder / "wchan").read_text(encoding="utf-8")
                lines.append(f"{name} {(folder / 'comm').read_text(encoding='utf-8').strip()} {state} {function}")
    return "\n".join(lines)


def _respawns(times: list[_Kill]) -> dict[str, float]:
    """Return the statistics of the respawns; the launcher, which nothing restarts, is not one of them."""
    nodes = [kill.respawn_s for kill in times if kill.name != LAUNCHER]
    launchers = [kill.respawn_s for kill in times if kill.name == LAUNCHER]
    return {
        "graph_kills": float(len(times)),
        "respawn_p95_s": float(np.percentile(nodes, 95)) if nodes else float("nan"),
        "respawn_max_s": max(nodes, default=float("nan")),
        "launcher_kills": float(len(launchers)),
        "launcher_restart_max_s": max(launchers, default=float("nan")),
    }


def _counted(folder: Path, published: Sequence[Repetition], kills: Sequence[_Kill]) -> dict[str, float]:
    """Return the repetitions that were published during the session and are not once in its report."""
    [report] = folder.glob("*_repetitions.json")
    reported = [entry["end_ns"] for entry in json.loads(report.read_text(encoding="utf-8"))["repetitions"]]
    lost = [repetition for repetition in published if repetition.end_ns not in reported]
    for repetition in lost:
        around = [f"{kill.name} {(repetition.stamp_ns - kill.killed_ns) / NS_PER_S:+.2f} s" for kill in kills]
        _show(f"lost: {repetition.label} {repetition.count}, after the kills of: {', '.join(around)}")
    if lost:
        _show_journal(folder)
    return {
        "repetitions": float(len({repetition.end_ns for repetition in published})),
        "repetitions_lost": float(len({repetition.end_ns for repetition in lost})),
        "repetitions_doubled": float(len(reported) - len(set(reported))),
    }


def _show_journal(folder: Path) -> None:
    """Write the lines of a session's journal without the repetitions' values; lines that a kill cut are left out."""
    for line in (folder / JOURNAL).read_bytes().splitlines():
        entry = json_object(line) or {}
        if {"time_ns", "kind"} <= entry.keys():
            shown = {name: entry[name] for name in ("message", "reason", "frames", "count") if name in entry}
            _show(f"journal {entry['time_ns'] / NS_PER_S:.2f} s: {entry['kind']} {shown}")


def _show(line: str) -> None:
    """Write a line about the progress: the process that observes has no other way to the user."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
