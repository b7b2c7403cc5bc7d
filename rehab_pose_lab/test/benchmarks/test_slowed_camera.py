"""Runs with a slowed camera, and their conversion to the reference machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehab_pose_lab.benchmarks import perception_speed, slowed_camera
from rehab_pose_lab.benchmarks.camera_runs import LOSSES

if TYPE_CHECKING:
    from rehab_pose_sim.graph_run import GraphPlan


def test_camera_and_times_are_converted_by_the_factor_around_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[GraphPlan] = []
    factors = iter([2.0, 2.2, 1.8, 2.0])

    def finished(plan: GraphPlan, _log: object) -> GraphPlan:
        plans.append(plan)
        return plan

    def metrics(plan: GraphPlan) -> dict[str, float]:
        run = {"graph_fps": plan.rate_hz - 1.0, "camera_fps": plan.rate_hz}  # by the camera's clock
        return run | {"graph_latency_ms_p50": 42.0, "graph_latency_ms_p95": 84.0} | dict.fromkeys(LOSSES, 1.0)

    monkeypatch.setattr(slowed_camera, "finished_run", finished)
    monkeypatch.setattr(slowed_camera, "run_metrics", metrics)
    monkeypatch.setattr(perception_speed, "machine_metrics", lambda: {"machine_factor": next(factors)})
    measured = slowed_camera.slowed_camera_metrics(lambda _text: None)
    assert [plan.rate_hz for plan in plans] == [30.0, 60.0, 60.0]
    assert [plan.clock_rate for plan in plans] == pytest.approx([1.0 / 2.0, 1.0 / 2.2, 1.0 / 1.8])
    assert [plan.composed for plan in plans] == [False, True, True]
    assert measured["separate_slowed_factor"] == pytest.approx(2.1)
    assert measured["separate_slowed_camera_fps"] == pytest.approx(31.5)
    assert measured["separate_slowed_fps"] == pytest.approx(30.45)
    assert measured["separate_slowed_ms_p50"] == pytest.approx(40.0)
    assert measured["composed60_slowed_ms_p95"] == pytest.approx(92.4)
    assert all(measured[loss] == 3.0 for loss in LOSSES)
