"""Extrapolation at constant velocity: fast points move on, points that only show noise are held."""

from __future__ import annotations

import numpy as np

from rehab_pose.filters.constant_velocity import displacement_shares


def test_points_move_on_in_proportion_to_time_if_they_move_by_more_than_the_noise() -> None:
    moved = np.array([[30.0, 40.0], [0.3, 0.4], [3.0, 4.0], [0.0, 0.0]])
    shares = displacement_shares(moved, noise=5.0, interval_ns=66_000_000, horizon_ns=33_000_000)[:, 0]
    np.testing.assert_allclose(shares, [0.5 * 2500 / 2525, 0.5 * 0.25 / 25.25, 0.25, 0.0])


def test_a_missing_point_stays_missing() -> None:
    moved = np.array([[np.nan, 1.0], [9.0, 0.0]])
    shares = displacement_shares(moved, noise=1.0, interval_ns=10, horizon_ns=10)[:, 0]
    assert np.isnan(shares[0])
    assert shares[1] > 0.9
