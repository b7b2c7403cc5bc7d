"""Runs of the graph with simulated cameras of 30 and 60 frames a second."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rehab_pose.errors import RehabPoseError
from rehab_pose_sim.graph_run import GraphPlan, GraphRun, run_metrics

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LOSSES", "camera_plan", "fast_camera_metrics", "fast_camera_plan", "finished_run"]

RATE_HZ = 60.0
"""Frames a second of the fast camera."""
MEASURED_S = 20.0
"""Length of a run [s]."""
SHORTEST_S = 3.0
"""Requested length of the movement, which becomes two repetitions of 4 s: the camera keeps 0.8 GB of images of them,
and repeats them [s]."""
LOSSES = ("frames_lost_uncounted", "frames_counted_twice")
"""Metrics of a run that have to be 0."""


def fast_camera_metrics(log: Callable[[str], None]) -> dict[str, float]:
    """Return rate, latency and losses of the composed graph, with depth only (`composed60`) and with colour.

    The losses are those of both runs together.

    Args:
        log: Receives a line of text for each event.

    Raises:
        RehabPoseError: A node of the graph failed.
    """
    metrics = dict.fromkeys(LOSSES, 0.0)
    for name, with_color in (("composed60", False), ("composed_image", True)):
        run = run_metrics(finished_run(fast_camera_plan(with_color=with_color), log))
        metrics[f"{name}_fps"] = run["graph_fps"]
        metrics[f"{name}_ms_p50"] = run["graph_latency_ms_p50"]
        metrics[f"{name}_ms_p95"] = run["graph_latency_ms_p95"]
        metrics[f"{name}_camera_fps"] = run["camera_fps"]
        for loss in LOSSES:
            metrics[loss] += run[loss]
    return metrics


def camera_plan(*, composed: bool) -> GraphPlan:
    """Return the run of the composed or the separate graph with a camera of 30 Hz."""
    return GraphPlan(
        results=None,
        recording=None,
        composed=composed,
        seconds_per_exercise=MEASURED_S,
        exercise="squat",
        rendered_ahead=True,
    )


def fast_camera_plan(*, with_color: bool) -> GraphPlan:
    """Return the run of the composed graph with a camera of RATE_HZ, with joints from colour or without."""
    return replace(
        camera_plan(composed=True),
        seconds_per_exercise=SHORTEST_S,
        rate_hz=RATE_HZ,
        run_s=MEASURED_S,
        settings={"image_joints": {"enabled": with_color}},
    )


def finished_run(plan: GraphPlan, log: Callable[[str], None]) -> GraphRun:
    """Run the graph to its end.

    Raises:
        RehabPoseError: A node of the graph failed.
    """
    graph = GraphRun(plan, log=log)
    failure = graph.run()
    if failure is not None:
        msg = f"the graph failed during the benchmark: {failure}"
        raise RehabPoseError(msg)
    return graph
