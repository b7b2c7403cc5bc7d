"""Directions against gravity: turns of the image that make it upright, and the filter of an IMU's measurements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.geometry.gravity import GravityFilter, quarter_turns, roll_rad, turned_points

G = 9.81
NO_RATE = np.full(3, np.nan)
UPS = {0: (0.0, -1.0, 0.0), 1: (1.0, 0.0, 0.0), 2: (0.0, 1.0, 0.0), 3: (-1.0, 0.0, 0.0)}
"""Direction against gravity in the camera's frame by the number of turns that make its image upright."""


@pytest.mark.parametrize(("turns", "up"), UPS.items())
def test_the_turned_image_shows_up_at_its_top(turns: int, up: tuple[float, float, float]) -> None:
    assert quarter_turns(np.array(up)) == turns
    image = np.zeros((9, 9))
    image[4 + 4 * int(up[1]), 4 + 4 * int(up[0])] = 1.0
    assert np.rot90(image, turns)[0, 4] == 1.0
    np.testing.assert_allclose(turned_points(np.array(up), turns), UPS[0], atol=1e-12)


@given(roll=st.floats(-3.1, 3.1), tilt=st.floats(-1.2, 1.2))
def test_roll_is_the_angle_about_the_optical_axis_whatever_the_tilt(roll: float, tilt: float) -> None:
    up = np.array([np.sin(roll) * np.cos(tilt), -np.cos(roll) * np.cos(tilt), np.sin(tilt)])
    assert roll_rad(up) == pytest.approx(roll, abs=1e-9)


def test_unknown_directions_and_views_straight_down_count_as_upright() -> None:
    assert quarter_turns(np.full(3, np.nan)) == 0
    assert roll_rad(np.array([0.1, 0.05, -0.99])) == 0.0


@pytest.mark.parametrize("turns", range(4))
def test_points_turn_with_the_image(turns: int) -> None:
    camera = CameraIntrinsics(5, 5, 10.0, 10.0, 2.0, 2.0)
    depth = np.random.default_rng(1).uniform(1.0, 3.0, (5, 5)).astype(np.float32)
    turned = camera.back_project_image(np.ascontiguousarray(np.rot90(depth, turns)))
    np.testing.assert_allclose(
        turned_points(np.rot90(camera.back_project_image(depth), turns), turns), turned, rtol=1e-6, atol=1e-6
    )


def test_a_camera_at_rest_gives_the_measured_direction() -> None:
    gravity = GravityFilter()
    assert np.isnan(gravity.up).all()
    random = np.random.default_rng(2)
    for index in range(200):
        gravity.add_acceleration(0.005 * index, np.array([1.0, -9.6, 1.7]) + 0.1 * random.normal(size=3), NO_RATE)
    np.testing.assert_allclose(gravity.up, np.array([1.0, -9.6, 1.7]) / np.linalg.norm([1.0, -9.6, 1.7]), atol=0.02)


def test_braking_turns_the_direction_by_less_than_five_degrees() -> None:
    gravity = GravityFilter()
    for index in range(200):
        gravity.add_acceleration(0.01 * index, np.array([0.0, -G, 0.0]), NO_RATE)
    for index in range(50):
        gravity.add_acceleration(2.0 + 0.01 * index, np.array([0.0, -G, 2.0]), NO_RATE)
    assert np.degrees(np.arccos(-gravity.up[1])) < 5.0


def test_a_blow_is_left_out() -> None:
    gravity = GravityFilter()
    for index in range(20):
        gravity.add_acceleration(0.01 * index, np.array([0.0, -G, 0.0]), NO_RATE)
    gravity.add_acceleration(0.21, np.array([30.0, 0.0, 0.0]), NO_RATE)
    np.testing.assert_allclose(gravity.up, [0.0, -1.0, 0.0], atol=1e-9)


def test_a_turned_camera_is_followed_by_its_gyroscope() -> None:
    gravity = GravityFilter()
    for index in range(20):
        gravity.add_acceleration(0.01 * index, np.array([0.0, -G, 0.0]), np.zeros(3))
    # Turned clockwise about the optical axis by a quarter turn in half a second, shaken so that only the rate is used.
    for index in range(50):
        gravity.add_acceleration(0.2 + 0.01 * index, np.array([0.0, 0.0, 40.0]), np.array([0.0, 0.0, np.pi]))
    np.testing.assert_allclose(gravity.up, [-1.0, 0.0, 0.0], atol=0.05)


def test_time_that_jumps_back_starts_again() -> None:
    gravity = GravityFilter()
    for index in range(20):
        gravity.add_acceleration(5.0 + 0.01 * index, np.array([0.0, -G, 0.0]), NO_RATE)
    gravity.add_acceleration(1.0, np.array([G, 0.0, 0.0]), NO_RATE)
    assert np.isnan(gravity.up).all()


def test_an_orientation_gives_the_rooms_vertical_in_the_sensors_axes() -> None:
    gravity = GravityFilter()
    # The sensor is turned by 90 degrees about its x axis: its y axis points up.
    gravity.add_orientation(0.0, np.array([np.sin(np.pi / 4), 0.0, 0.0, np.cos(np.pi / 4)]))
    np.testing.assert_allclose(gravity.up, [0.0, 1.0, 0.0], atol=1e-9)
