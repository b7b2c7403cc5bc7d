"""Benchmark of the graph's start and memory: the time to the first right label, and what all of its processes take."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rehab_pose.errors import RehabPoseError
from rehab_pose_lab.benchmarks.process_state import children, memory, node_pids
from rehab_pose_lab.benchmarks.running_graph import running_graph, use_private_domain

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose_lab.benchmarks.process_state import Memory

__all__ = ["graph_memory", "start_metrics"]

EXERCISE = "squat"
"""Exercise that the simulated person does from the first image on."""
START_TIMEOUT_S = 120.0
SETTLED_S = 8.0
"""Time from the first label to the measurement of memory [s]: later stages and buffers are then in use."""
CAMERA = "sim_camera"


def start_metrics(log: Callable[[str], None]) -> dict[str, float]:
    """Return memory [MB] of the composed and the separate graph, and the time to the label of the composed one [s].

    Args:
        log: Receives a line of text for each event.

    Raises:
        RehabPoseError: A graph gives no label.
    """
    use_private_domain()
    metrics = {}
    for name, options in (("composed", []), ("separate", ["--separate"])):
        label_s, size = _started(options)
        log(f"{name}: {EXERCISE} after {label_s:.1f} s; RSS {size.rss_mb:.0f} MB, PSS {size.pss_mb:.0f} MB")
        metrics[f"rss_{name}_mb"], metrics[f"pss_{name}_mb"] = round(size.rss_mb, 1), round(size.pss_mb, 1)
        metrics["first_label_s" if name == "composed" else "first_label_separate_s"] = round(label_s, 2)
    return metrics


def _started(options: list[str]) -> tuple[float, Memory]:
    """Run a graph with markers until its memory has settled; return the time to the label [s], and the memory."""
    from rehab_pose_sim.graph_watch import GraphWatch  # noqa: PLC0415  (reads the transport when ROS is loaded)

    simulation: dict[str, object] = {"exercise": EXERCISE, "seconds_per_exercise": START_TIMEOUT_S}
    with TemporaryDirectory(prefix="rehab_pose_start_") as name, GraphWatch() as watch:
        settings: dict[str, dict[str, object]] = {
            "simulation": simulation,
            "session": {"folder": Path(name) / "sessions"},
        }
        start_s = time.monotonic()
        with running_graph([*options, "--sim", "--markers"], settings, Path(name) / "graph.log") as graph:
            labelled = watch.wait_for(
                lambda record: any(entry.label == EXERCISE for entry in record.classifications), START_TIMEOUT_S
            )
            label_s = time.monotonic() - start_s
            if not labelled:
                lines = graph.output.read_text(encoding="utf-8")[-1000:]
                msg = f"expected the label {EXERCISE} within {START_TIMEOUT_S:g} s of the start, none came: {lines}"
                raise RehabPoseError(msg)
            time.sleep(SETTLED_S)
            return label_s, graph_memory(graph.process.pid)


def graph_memory(launcher_pid: int) -> Memory:
    """Return the memory of a graph: launcher, the process that forks nodes, and all nodes but the simulated camera.

    Args:
        launcher_pid: Process of `rehab-pose run`.
    """
    camera = node_pids(launcher_pid).get(CAMERA)
    return memory(pid for pid in (launcher_pid, *children(launcher_pid)) if pid != camera)
