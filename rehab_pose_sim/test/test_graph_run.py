"""Frames of a run that are drawn."""

from __future__ import annotations

from rehab_pose_sim.graph_run import GraphPlan, GraphRun
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


def test_no_frame_is_drawn_without_answers() -> None:
    graph = GraphRun(GraphPlan(None, None, composed=True, seconds_per_exercise=9.0), log=lambda _text: None)
    assert graph.middle_frames() == []
    graph.record = GraphRecord(camera_ns={START_NS: START_NS})
    assert graph.middle_frames() == []
