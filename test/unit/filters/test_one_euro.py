"""OneEuroFilter: noise at rest, lag, missing values."""

from __future__ import annotations

import numpy as np

from rehab_pose.filters.one_euro import OneEuroFilter

FRAME_NS = 33_333_333


def test_noise_at_rest_is_reduced() -> None:
    random = np.random.default_rng(0)
    smoother = OneEuroFilter(1.0, 0.0)
    noisy = random.normal(0.0, 0.01, 300)
    filtered = [float(smoother.filter(index * FRAME_NS, np.array([value]))[0]) for index, value in enumerate(noisy)]
    assert np.std(filtered[30:]) < 0.5 * np.std(noisy[30:])


def test_a_speed_coefficient_reduces_the_lag() -> None:
    slow, quick = OneEuroFilter(1.0, 0.0), OneEuroFilter(1.0, 20.0)
    for index in range(60):
        value = np.array([index / 30.0])
        slow_value, quick_value = slow.filter(index * FRAME_NS, value), quick.filter(index * FRAME_NS, value)
    assert abs(quick_value[0] - value[0]) < 0.2 * abs(slow_value[0] - value[0])


def test_a_constant_is_unchanged_and_missing_values_stay_missing() -> None:
    smoother = OneEuroFilter(1.0, 1.0)
    smoother.filter(0, np.array([2.0, np.nan]))
    np.testing.assert_allclose(smoother.filter(FRAME_NS, np.array([2.0, 3.0])), [2.0, 3.0])
    np.testing.assert_array_equal(np.isnan(smoother.filter(2 * FRAME_NS, np.array([2.0, np.nan]))), [False, True])


def test_a_jump_back_in_time_resets_the_filter() -> None:
    smoother = OneEuroFilter(0.1, 0.0)
    smoother.filter(10 * FRAME_NS, np.array([0.0]))
    np.testing.assert_allclose(smoother.filter(0, np.array([5.0])), [5.0])
