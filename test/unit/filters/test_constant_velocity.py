"""Extrapolation at constant velocity: fast points move on, points that only show noise are held."""

from __future__ import annotations

import numpy as np

from rehab_pose.filters.constant_velocity import displacement_shares, extrapolation_fraction


def test_points_move_on_in_proportion_to_time_if_they_move_by_more_than_the_noise() -> None:
    moved = np.array([[30.0, 40.0], [0.3, 0.4], [3.0, 4.0], [0.0, 0.0]])
    shares = displacement_shares(moved, noise=5.0, fraction=0.5)[:, 0]
    np.testing.assert_allclose(shares, [0.5 * 2500 / 2525, 0.5 * 0.25 / 25.25, 0.25, 0.0])


def test_a_missing_point_stays_missing() -> None:
    moved = np.array([[np.nan, 1.0], [9.0, 0.0]])
    shares = displacement_shares(moved, noise=1.0, fraction=1.0)[:, 0]
    assert np.isnan(shares[0])
    assert shares[1] > 0.9


def test_points_are_extrapolated_for_a_short_time_after_two_measurements_that_give_a_velocity() -> None:
    frame_ns = 33_000_000
    assert extrapolation_fraction(0, 2 * frame_ns, 3 * frame_ns, longest_s=0.045) == 0.5
    assert extrapolation_fraction(0, 2 * frame_ns, 4 * frame_ns, longest_s=0.045) is None
    assert extrapolation_fraction(0, 2 * frame_ns, 2 * frame_ns, longest_s=0.045) is None
    assert extrapolation_fraction(0, 5 * frame_ns, 6 * frame_ns, longest_s=0.045) is None
    assert extrapolation_fraction(frame_ns, frame_ns, 2 * frame_ns, longest_s=0.045) is None
