"""The benchmark of postures on results with known errors, and the scenes that it covers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rehab_pose_lab.benchmarks.posture_evaluation import (
    PostureRow,
    counted_error_mm,
    evaluate_postures,
    posture_table,
)
from rehab_pose_lab.benchmarks.posture_scenes import attitude_scenes, posture_scenes
from rehab_pose_sim.settings import POSTURE_CHOICES


def row(errors_m: np.ndarray, confidence: np.ndarray, sigma_m: float = 0.02) -> PostureRow:
    sigma = np.where(np.isfinite(errors_m), sigma_m, np.nan)
    return PostureRow("posture", errors_m, sigma, confidence)


def test_small_errors_count_at_any_confidence() -> None:
    errors_m = np.full((2, 24), 0.05)
    assert counted_error_mm(row(errors_m, np.full((2, 24), 0.1))) == pytest.approx(50.0)


def test_large_errors_count_only_where_they_are_claimed() -> None:
    errors_m = np.full((2, 24), 0.03)
    errors_m[:, 12:] = 0.40
    unsure = np.full((2, 24), 0.9)
    unsure[:, 12:] = 0.29
    sure = np.full((2, 24), 0.9)
    assert row(errors_m, unsure).error_mm == pytest.approx(215.0)
    assert counted_error_mm(row(errors_m, unsure)) == pytest.approx(30.0)
    assert counted_error_mm(row(errors_m, sure)) == pytest.approx(215.0)
    assert np.isnan(counted_error_mm(row(errors_m, np.zeros((2, 24)))))


def test_frames_without_a_person_lower_only_the_detection() -> None:
    errors_m = np.full((4, 24), 0.05)
    errors_m[0] = np.nan
    confidence = np.where(np.isfinite(errors_m), 0.8, 0.0)
    entry = row(errors_m, confidence)
    assert entry.found_pct == 75.0
    assert entry.error_mm == pytest.approx(50.0)
    assert entry.mean_confidence == pytest.approx(0.8)
    assert np.isnan(counted_error_mm(row(errors_m[:1], confidence[:1])))


def test_overconfident_joints_are_a_share_of_all_compared_ones() -> None:
    errors_m = np.full((1, 24), 0.01)
    errors_m[0, :6] = 0.5
    confidence = np.full((1, 24), 0.9)
    confidence[0, :3] = 0.4
    assert row(errors_m, confidence).overconfident_pct == pytest.approx(12.5)


def test_the_scenes_cover_all_postures_and_attitudes() -> None:
    postures, attitudes = posture_scenes(), attitude_scenes()
    assert postures == posture_scenes()
    assert {scene.settings.posture for scene in postures} == set(POSTURE_CHOICES)
    assert {scene.settings.roll_deg for scene in attitudes} == {0.0, 90.0, -90.0, 180.0}
    assert max(scene.settings.pitch_deg for scene in attitudes) == 60.0
    distances_m = [scene.settings.distance_m for scene in attitudes]
    assert (min(distances_m), max(distances_m)) == (0.8, 5.0)
    assert all(scene.settings.imu for scene in attitudes)
    assert not any(scene.settings.imu for scene in postures)
    settings = [scene.settings for scene in (*postures, *attitudes)]
    assert len({entry.seed for entry in settings}) == len(settings)


def test_a_standing_person_is_found_by_every_method_and_has_a_line() -> None:
    scene = attitude_scenes()[0]
    small = replace(scene, settings=replace(scene.settings, width_px=320, height_px=240, fx=230.0, fy=230.0))
    measured = evaluate_postures([small], frames=2, quiet=True)
    assert {len(rows) for rows in measured.values()} == {1}
    for rows in measured.values():
        assert rows[0].errors_m.shape == (2, 24)
        assert rows[0].found_pct == 100.0
        assert rows[0].error_mm < 60.0
    lines = posture_table(measured)
    assert len(lines) == 3
    assert lines[2].count("|") == 3
