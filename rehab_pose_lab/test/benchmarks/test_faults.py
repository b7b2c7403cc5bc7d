"""The benchmark of faults, with few kills and few damaged bags."""

from __future__ import annotations

import pytest

from rehab_pose.datatypes import Repetition
from rehab_pose.errors import SettingsError
from rehab_pose_lab.benchmarks.damaged_bags import damaged_bag_metrics
from rehab_pose_lab.benchmarks.faults import FaultPlan, fault_metrics


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


def test_a_repetition_that_ends_as_the_session_starts_may_be_counted_or_not() -> None:
    pytest.importorskip("rclpy", reason="ROS is not installed")
    from rehab_pose_lab.benchmarks.session_kills import _expected_and_earlier  # noqa: PLC0415

    ends_ns = [10, 20, 30, 40]
    done = [Repetition(end, "cam", "squat", 1, end - 5, end, "pelvis_height_m", 0.4, 0.9, 0.5) for end in ends_ns]
    assert _expected_and_earlier(done, 20) == ({30, 40}, {10})
    assert _expected_and_earlier(done, 25) == ({30, 40}, {10, 20})


def test_unknown_parts_and_lengths_are_refused() -> None:
    with pytest.raises(SettingsError, match="expected parts from bags"):
        fault_metrics(lambda _: None, FaultPlan(parts=("bags", "no_such")))
    with pytest.raises(SettingsError, match="above 0"):
        fault_metrics(lambda _: None, FaultPlan(parts=("fuzz",), fuzz_inputs=0))


def test_programs_end_on_signals_and_bind_nothing_beyond_this_machine() -> None:
    pytest.importorskip("rclpy", reason="ROS is not installed")
    from rehab_pose_lab.benchmarks.soak import socket_metrics  # noqa: PLC0415
    from rehab_pose_lab.benchmarks.stop_signals import signal_metrics  # noqa: PLC0415

    lines: list[str] = []
    signals = signal_metrics(3, lines.append)
    assert (signals["signals_tracebacks"], signals["survivors"]) == (0, 0), lines
    sockets = socket_metrics(lines.append, ["session"])
    assert (sockets["open_sockets"], sockets["bound_addresses"]) == (0, 1), lines
