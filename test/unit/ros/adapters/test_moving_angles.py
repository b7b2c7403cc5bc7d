"""Angles that move in an exercise are shown, others are not."""

from __future__ import annotations

import numpy as np

from rehab_pose.datatypes import JointAngles
from rehab_pose.ros.adapters.moving_angles import MAX_SHOWN, MovingAngles
from rehab_pose.units import NS_PER_S

NAMES = ("left_knee_flexion", "right_knee_flexion", "left_hip_flexion", "right_hip_flexion", "trunk_flexion", "still")


def angles(time_s: float, degrees: list[float]) -> JointAngles:
    values = np.radians(degrees)
    return JointAngles(round(time_s * NS_PER_S) + 1, "cam", NAMES, values, values, np.ones(6), np.abs(values))


def test_the_angles_with_the_largest_ranges_are_shown() -> None:
    moving = MovingAngles(NAMES)
    assert not moving.names
    for index in range(60):
        part = np.sin(index / 10.0)
        moving.add(angles(index / 30.0, [60 * part, 55 * part, 50 * part, 45 * part, 40 * part, 5 * part]))
    assert moving.names == set(NAMES[:MAX_SHOWN])


def test_an_angle_that_stopped_long_ago_and_missing_values_are_not_shown() -> None:
    moving = MovingAngles(NAMES)
    for index in range(30):
        moving.add(angles(index / 30.0, [90.0 * index, 0, np.nan, 0, 0, 0]))
    assert moving.names == {"left_knee_flexion"}
    for index in range(300):
        moving.add(angles(1.0 + index / 30.0, [10.0, 0, np.nan, 0, 0, 0]))
    assert not moving.names


def test_a_step_back_in_time_starts_again() -> None:
    moving = MovingAngles(NAMES)
    moving.add(angles(5.0, [90.0, 0, 0, 0, 0, 0]))
    moving.add(angles(1.0, [0.0, 0, 0, 0, 0, 0]))
    moving.add(angles(1.1, [0.0, 0, 0, 0, 0, 0]))
    assert not moving.names
