"""Benchmarks of the graph over ROS 2: rate, latency and labels, markers, restarts of killed nodes, and shutdown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.errors import RehabPoseError
from rehab_pose.graph import Option, choose_nodes
from rehab_pose.launching.node_commands import node_environment, parameter_words
from rehab_pose_lab.benchmarks.camera_runs import LOSSES, camera_plan, fast_camera_metrics, finished_run
from rehab_pose_lab.benchmarks.graph_start import start_metrics
from rehab_pose_lab.benchmarks.process_state import node_pids
from rehab_pose_lab.benchmarks.running_graph import use_private_domain
from rehab_pose_lab.benchmarks.slowed_camera import slowed_camera_metrics
from rehab_pose_sim.graph_run import GraphPlan, exercise_scores, run_metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose_sim.graph_watch import GraphRecord

__all__ = ["graph_metrics", "ros_metrics"]

SECONDS_PER_EXERCISE = 9.0
"""Length of each exercise in the run with all exercises [s]."""
LOOPED_S = 8.0
"""Length of the exercise that the camera repeats while nodes are killed [s]."""
START_TIMEOUT_S = 60.0
RESPAWN_TIMEOUT_S = 40.0
SETTLE_S = 2.0
"""Time between the restart of one node and killing the next [s]."""
SEPARATE_METRICS = (
    "graph_fps",
    "graph_latency_ms_p50",
    "graph_latency_ms_p95",
    "frames_lost_uncounted",
    "frames_counted_twice",
    "frames_lost_counted",
)


def graph_metrics(log: Callable[[str], None]) -> dict[str, float]:
    """Run the simulated person through separate processes over DDS; return rate, latency, losses, memory and labels.

    Args:
        log: Receives a line of text for each event.

    Raises:
        RehabPoseError: A node of the graph failed.
    """
    use_private_domain()
    with tempfile.TemporaryDirectory() as folder:
        plan = GraphPlan(
            results=Path(folder) / "results",
            recording=None,
            composed=False,
            seconds_per_exercise=SECONDS_PER_EXERCISE,
        )
        start_s = time.monotonic()
        graph = finished_run(plan, log)
        metrics = run_metrics(graph)
        scores = exercise_scores(graph)
        metrics["demo_labels_right"] = float(sum(score.correct for score in scores))
        metrics["demo_label_delay_s_max"] = round(max(score.delay_s for score in scores), 2)
        metrics["graph_run_s"] = round(time.monotonic() - start_s, 1)
    return metrics


def ros_metrics(log: Callable[[str], None]) -> dict[str, float]:
    """Return metrics of markers, of the separate and the composed graph, at 30 and 60 Hz, of restarts and of shutdown.

    Also memory, and the time from the start to the first label. It takes about seven minutes.

    Args:
        log: Receives a line of text for each event.

    Raises:
        RehabPoseError: A node of the graph failed.
    """
    use_private_domain()
    from rehab_pose_lab.benchmarks.markers import marker_metrics  # noqa: PLC0415  (reads the transport when ROS is loaded)

    metrics = marker_metrics()
    separate = run_metrics(finished_run(camera_plan(composed=False), log))
    metrics.update({name: separate[name] for name in SEPARATE_METRICS})
    composed = run_metrics(finished_run(camera_plan(composed=True), log))
    metrics["composed_fps"] = composed["graph_fps"]
    metrics["composed_latency_ms_p50"] = composed["graph_latency_ms_p50"]
    fast = fast_camera_metrics(log)
    for name in LOSSES:
        metrics[name] += composed[name] + fast.pop(name)
    metrics.update(fast)
    slowed = slowed_camera_metrics(log)
    for name in LOSSES:
        metrics[name] += slowed.pop(name)
    metrics.update(slowed)
    metrics.update(start_metrics(log))
    metrics.update(_restarts(log))
    return metrics


def _restarts(log: Callable[[str], None]) -> dict[str, float]:
    """Kill each node of a running graph, measure the time until its results come again, then stop the graph.

    Raises:
        RehabPoseError: The graph does not start, a node does not come back, or processes remain.
    """
    from rehab_pose_sim.graph_watch import GraphWatch  # noqa: PLC0415  (reads the transport when ROS is loaded)

    command = [sys.executable, "-m", "rehab_pose.cli.main", "run", "--separate", "--sim", "--ros-args"]
    settings = {"exercise": "squat", "seconds_per_exercise": LOOPED_S, "ahead_s": 2.0 * LOOPED_S}
    command += parameter_words("simulation", settings)
    silent = subprocess.DEVNULL
    running = subprocess.Popen(  # noqa: S603  (our own program, no shell)
        command, env=node_environment(), stdout=silent, stderr=silent, start_new_session=True
    )
    nodes = tuple(spec.name for spec in choose_nodes({Option.MESH, Option.RECOGNITION}, composed=False))
    restart_s: dict[str, float] = {}
    try:
        with GraphWatch() as watch:
            flowing = watch.wait_for(lambda record: record.connected(nodes) and bool(record.body_ns), START_TIMEOUT_S)
            if not flowing:
                msg = "the graph did not start within a minute; `rehab-pose run --sim` shows why"
                raise RehabPoseError(msg)
            for name in nodes:
                time.sleep(SETTLE_S)
                restart_s[name] = _kill(running.pid, name, watch.wait_for, watch.record)
                log(f"{name} was killed and was back after {restart_s[name]:.2f} s")
    finally:
        pids = node_pids(running.pid)
        start_s = time.monotonic()
        running.send_signal(signal.SIGINT)
        code = running.wait(START_TIMEOUT_S)
        shutdown_s = time.monotonic() - start_s
    left = [name for name, pid in pids.items() if Path(f"/proc/{pid}").exists()]
    if code or left:
        msg = f"expected exit code 0 and no process left after Ctrl-C, got {code} and {', '.join(left) or 'none'}"
        raise RehabPoseError(msg)
    times = list(restart_s.values())
    return {
        "respawn_p95_s": round(float(np.percentile(times, 95)), 2),
        "respawn_s_max": round(max(times), 2),
        "shutdown_s": round(shutdown_s, 2),
    }


def _kill(
    launcher_pid: int, name: str, wait_for: Callable[[Callable[[GraphRecord], bool], float], bool], record: GraphRecord
) -> float:
    """Kill a node; return the time until it runs again and label and body of a later frame are received [s].

    Raises:
        RehabPoseError: That takes longer than RESPAWN_TIMEOUT_S.
    """
    first_pid = node_pids(launcher_pid)[name]
    killed_ns = time.time_ns()
    os.kill(first_pid, signal.SIGKILL)
    record.diagnostics.clear()

    def is_back(received: GraphRecord) -> bool:
        results = (received.exercise_ns, received.body_ns)
        flowing = all(max(stamps, default=0) > killed_ns for stamps in results)
        alive = node_pids(launcher_pid).get(name, first_pid) != first_pid
        return alive and flowing and any(node.rpartition("/")[2] == name for node in received.diagnostics)

    if not wait_for(is_back, RESPAWN_TIMEOUT_S):
        msg = f"{name} was killed and was not back within {RESPAWN_TIMEOUT_S:.0f} s"
        raise RehabPoseError(msg)
    return (time.time_ns() - killed_ns) / 1e9
