"""The benchmark of faults, with few kills and few damaged bags."""

from __future__ import annotations

import pytest

from rehab_pose_lab.benchmarks.damaged_bags import damaged_bag_metrics


def test_damaged_bags_are_read_without_a_traceback() -> None:
    metrics = damaged_bag_metrics(cuts=4, flips=5, log=lambda _: None)
    assert metrics["bag_tracebacks"] == 0
    assert metrics["recovered_pct"] >= 95
    assert (metrics["cut_bags"], metrics["flipped_bags"]) == (12, 20)
    assert 0 < metrics["flipped_messages_pct"] <= 100


def test_a_killed_session_node_loses_no_repetition() -> None:
    pytest.importorskip("rclpy", reason="ROS is not installed")
    from rehab_pose_lab.benchmarks.session_kills import kill_metrics  # noqa: PLC0415

    metrics = kill_metrics(2, lambda _: None)
    assert metrics["repetitions"] >= 2
    for name in ("repetitions_lost", "repetitions_doubled", "repetitions_of_before", "outages_unnamed"):
        assert metrics[name] == 0, name
    assert not metrics["recording_lost_max_s"] >= 2.0  # NaN: all were killed before their first second
