"""The speed of the machine is measured by the detectors on whole images."""

from __future__ import annotations

import pytest

from rehab_pose_lab.benchmarks import perception_speed


@pytest.mark.no_cover
def test_the_machine_factor_is_the_time_by_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perception_speed, "NAIVE_FRAMES", 2)
    metrics = perception_speed.machine_metrics()
    assert metrics["keypoints_naive_ms"] > 5.0, "all detectors on a whole image take tens of milliseconds"
    expected = metrics["keypoints_naive_ms"] / perception_speed.REFERENCE_NAIVE_MS
    assert metrics["machine_factor"] == pytest.approx(expected)


@pytest.mark.parametrize(("machine_factor", "clock_rate"), [(2.0, 0.5), (1.0, 1.0), (0.5, 1.0)])
def test_a_clock_is_slowed_on_a_slow_machine_and_never_sped_up(machine_factor: float, clock_rate: float) -> None:
    assert perception_speed.reference_clock_rate(machine_factor) == clock_rate
