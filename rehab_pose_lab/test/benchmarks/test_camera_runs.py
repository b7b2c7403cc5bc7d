"""Tests of the benchmark with a camera of 60 frames a second; the graph itself is replaced."""

import pytest

from rehab_pose_lab.benchmarks import camera_runs
from rehab_pose_lab.benchmarks.camera_runs import RATE_HZ, fast_camera_metrics
from rehab_pose_sim.graph_run import GraphPlan, GraphRun

FRAME_BYTES = 640 * 480 * 5
"""Colour and depth of the simulated camera [bytes]."""


def test_depth_alone_and_colour_are_measured_at_60_hz_with_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[GraphRun] = []

    def finished(plan: GraphPlan, log: object) -> GraphRun:  # noqa: ARG001
        runs.append(GraphRun(plan, log=lambda _text: None))
        return runs[-1]

    def metrics(graph: GraphRun) -> dict[str, float]:
        names = ("graph_fps", "graph_latency_ms_p50", "graph_latency_ms_p95", "camera_fps", *camera_runs.LOSSES)
        return dict.fromkeys(names, float(1 + runs.index(graph)))

    monkeypatch.setattr(camera_runs, "finished_run", finished)
    monkeypatch.setattr(camera_runs, "run_metrics", metrics)
    measured = fast_camera_metrics(lambda _text: None)
    assert [run.plan.settings["image_joints"]["enabled"] for run in runs] == [False, True]
    assert {run.simulation.rate_hz for run in runs} == {RATE_HZ}
    assert (measured["composed60_fps"], measured["composed_image_ms_p95"]) == (1.0, 2.0)
    assert measured["frames_lost_uncounted"] == 3.0  # of both runs
    from rehab_pose_sim.motions import motion_plan  # noqa: PLC0415

    assert motion_plan(runs[0].simulation)[-1].end_s * RATE_HZ * FRAME_BYTES < 1e9
