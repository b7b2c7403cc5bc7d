"""Coverage of intervals on errors drawn from the distribution that the standard deviations describe."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose_lab.benchmarks.coverage import axis_sigma, coverage_pct, overconfident_pct, pixel_coverage_pct

DRAWS = 20_000


def drawn_errors(axes: int, sigma: float) -> np.ndarray:
    """Return lengths of errors with the same normal distribution on each axis, sigma being that of the length."""
    errors = np.random.default_rng(5).normal(0.0, sigma / np.sqrt(axes), (DRAWS, axes))
    return np.asarray(np.linalg.norm(errors, axis=1))


def test_ninety_percent_of_normal_errors_are_in_the_interval() -> None:
    errors_m = drawn_errors(3, 0.04)
    assert np.sqrt((errors_m**2).mean()) == pytest.approx(0.04, rel=0.02)
    assert coverage_pct(errors_m, np.full(DRAWS, 0.04)) == pytest.approx(90.0, abs=0.8)


def test_half_the_sigma_covers_much_less_and_twice_nearly_all() -> None:
    errors_m = drawn_errors(3, 0.04)
    assert coverage_pct(errors_m, np.full(DRAWS, 0.02)) < 45.0
    assert coverage_pct(errors_m, np.full(DRAWS, 0.08)) > 99.5


def test_marks_add_their_own_tolerance() -> None:
    sigma_m, px_per_m, tolerance_px = 0.03, 250.0, 5.0
    random = np.random.default_rng(6)
    joint_px = random.normal(0.0, sigma_m * px_per_m / np.sqrt(3.0), (DRAWS, 2))
    mark_px = random.normal(0.0, tolerance_px / np.sqrt(2.0), (DRAWS, 2))
    errors_px = np.linalg.norm(joint_px + mark_px, axis=1)
    same = np.ones(DRAWS)
    covered = pixel_coverage_pct(errors_px, sigma_m * same, px_per_m * same, tolerance_px)
    assert covered == pytest.approx(90.0, abs=0.8)
    assert pixel_coverage_pct(errors_px, sigma_m * same, px_per_m * same, 0.0) < covered - 3.0


def test_joints_that_are_not_compared_do_not_count() -> None:
    errors_m = np.array([0.01, np.nan, 0.5, 0.5])
    sigma_m = np.array([0.02, 0.02, np.nan, 0.02])
    assert coverage_pct(errors_m, sigma_m) == 50.0
    assert np.isnan(coverage_pct(errors_m[1:3], sigma_m[1:3]))


def test_only_confident_joints_can_be_overconfident() -> None:
    errors_m = np.array([0.07, 0.07, 0.05, np.nan])
    sigma_m = np.full(4, 0.02)
    confidence = np.array([0.6, 0.4, 0.6, 0.9])
    assert overconfident_pct(errors_m, sigma_m, confidence) == pytest.approx(100.0 / 3.0)


def test_the_variance_of_a_distance_is_that_of_three_axes() -> None:
    assert axis_sigma(np.array([0.03]))[0] * np.sqrt(3.0) == pytest.approx(0.03)
