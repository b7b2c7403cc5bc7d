"""Frames of a run that are drawn, and its metrics."""

from __future__ import annotations

import pytest

from rehab_pose_sim.graph_run import GraphPlan, GraphRun, run_metrics
from rehab_pose_sim.graph_watch import GraphRecord
from rehab_pose_sim.motions import motion_plan

START_NS = 1_000_000_000_000


def test_the_drawn_frames_are_answered_ones_near_the_middle_of_a_repetition() -> None:
    graph = GraphRun(GraphPlan(None, None, composed=True, seconds_per_exercise=9.0), log=lambda _text: None)
    graph.record = record = GraphRecord()
    end_s = motion_plan(graph.simulation)[-1].end_s
    for index in range(round(end_s * 30)):
        stamp_ns = START_NS + round(index / 30 * 1e9)
        record.camera_ns[stamp_ns] = stamp_ns
        if index % 3 == 0:
            record.exercise_ns[stamp_ns] = stamp_ns
        if index % 5 == 0:
            record.body_ns[stamp_ns] = stamp_ns
    frames = graph.middle_frames()
    segments = [segment for segment in motion_plan(graph.simulation) if len(segment.cycle_starts_s) > 1]
    assert len(frames) == len(segments) == 5
    for (index, stamp_ns), segment in zip(frames, segments, strict=True):
        assert stamp_ns == START_NS + round(index / 30 * 1e9)
        assert index % 15 == 0, "label and body"
        assert segment.cycle_starts_s[0] < index / 30 < segment.end_s


def test_latency_is_measured_by_the_clock_of_the_camera() -> None:
    plan = GraphPlan(None, None, composed=True, seconds_per_exercise=9.0, clock_rate=0.5)
    graph = GraphRun(plan, log=lambda _text: None)
    sent_ns = [START_NS + round(index / 30 * 1e9) for index in range(91)]
    graph.record = GraphRecord(camera_ns={stamp_ns: START_NS + 2 * (stamp_ns - START_NS) for stamp_ns in sent_ns})
    arrived_ns = {stamp_ns: sent + 40_000_000 for stamp_ns, sent in graph.record.camera_ns.items()}
    graph.record.exercise_ns = graph.record.body_ns = arrived_ns
    metrics = run_metrics(graph)
    assert metrics["graph_latency_ms_p50"] == metrics["body_latency_ms_p50"] == pytest.approx(20.0)
    assert metrics["camera_fps"] == metrics["graph_fps"] == pytest.approx(30.0)
    assert graph.simulation.clock_rate == 0.5
    for stamp_ns in sent_ns[:5]:  # frames that are lost before the camera is discovered change nothing
        del graph.record.camera_ns[stamp_ns]
    assert run_metrics(graph)["graph_latency_ms_p50"] == pytest.approx(20.0)


def test_no_frame_is_drawn_without_answers() -> None:
    graph = GraphRun(GraphPlan(None, None, composed=True, seconds_per_exercise=9.0), log=lambda _text: None)
    assert graph.middle_frames() == []
    graph.record = GraphRecord(camera_ns={START_NS: START_NS})
    assert graph.middle_frames() == []
