"""Observed time and gaps, from stamps of frames with and without a person."""

from __future__ import annotations

import pytest

from rehab_pose.session.observation import Gap, GapReason, ObservationTracker
from rehab_pose.units import NS_PER_S

PERIOD_S = 0.1


def watch(tracker: ObservationTracker, start_s: float, end_s: float, *, present: bool = True) -> list[Gap]:
    gaps = []
    for index in range(round(start_s / PERIOD_S), round(end_s / PERIOD_S)):
        stamp_ns = round(index * PERIOD_S * NS_PER_S)
        gaps += tracker.frame(stamp_ns, index * PERIOD_S, present=present, confidence=0.5, unknown_movement=False)
    return gaps


def described(gaps: list[Gap]) -> list[tuple[GapReason, object]]:
    return [(gap.reason, pytest.approx(gap.duration_s, abs=0.11)) for gap in gaps]


def test_a_pause_of_the_camera_is_a_gap_and_not_observed() -> None:
    tracker = ObservationTracker()
    assert watch(tracker, 10, 15) == []
    assert described(watch(tracker, 18, 20)) == [(GapReason.NO_RESULTS, 3.1)]
    assert tracker.total.observed_ns / NS_PER_S == pytest.approx(6.8, abs=0.01)
    assert (tracker.total.frames, tracker.total.frames_with_person) == (70, 70)
    assert tracker.total.confidence_sum == pytest.approx(35.0)


def test_a_person_out_of_view_is_a_gap() -> None:
    tracker = ObservationTracker()
    watch(tracker, 10, 15)
    assert watch(tracker, 15, 15.5, present=False) == []
    assert watch(tracker, 15.5, 17) == [], "half a second is no gap"
    watch(tracker, 17, 20, present=False)
    assert described(watch(tracker, 20, 21)) == [(GapReason.NO_PERSON, 3.0)]
    assert tracker.total.observed_ns / NS_PER_S == pytest.approx(7.1, abs=0.11)


def test_an_outage_of_the_stage_is_named() -> None:
    tracker = ObservationTracker()
    watch(tracker, 10, 11)
    tracker.stage_down()
    assert described(watch(tracker, 14, 15)) == [(GapReason.STAGE_OUTAGE, 3.1)]
    assert described(watch(tracker, 18, 19)) == [(GapReason.NO_RESULTS, 3.1)]


def test_the_time_without_the_session_node_is_a_gap() -> None:
    tracker = ObservationTracker(10 * NS_PER_S, GapReason.SESSION_NODE_DOWN)
    assert described(watch(tracker, 14, 15)) == [(GapReason.SESSION_NODE_DOWN, 4.0)]


def test_gaps_that_are_open_at_the_end_are_named() -> None:
    tracker = ObservationTracker()
    watch(tracker, 10, 12)
    watch(tracker, 12, 14, present=False)
    assert described(tracker.finish(20.0)) == [(GapReason.NO_PERSON, 1.9), (GapReason.NO_RESULTS, 6.1)]


def test_a_jump_back_in_time_is_counted_and_no_gap() -> None:
    tracker = ObservationTracker()
    watch(tracker, 10, 12)
    assert watch(tracker, 1, 3) == []
    assert tracker.total.time_jumps == 1
