"""The limit on how far joints rotate from one frame to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.loader import load_body_model
from rehab_pose.body.rate_limit import FREE_GLOBAL_ANGLE_RAD, limit_rate
from rehab_pose.body.skinning import pose_joints
from rehab_pose.datatypes import BodyParameters
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL = load_body_model()
FACING_CAMERA = np.diag([1.0, -1.0, -1.0])


def global_angles_rad(before_rad: NDArray[np.float64], now_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation angle (24) of every joint in the camera frame [rad], from the posed body."""
    first, second = (
        pose_joints(MODEL, BodyParameters(np.zeros(10), vectors, np.zeros(3)))[1] for vectors in (before_rad, now_rad)
    )
    angles_rad: NDArray[np.float64] = np.linalg.norm(
        axis_angles_from_matrices(np.swapaxes(first, 1, 2) @ second), axis=1
    )
    return angles_rad


def random_pose(random: np.random.Generator) -> NDArray[np.float64]:
    """Return rotation vectors (24, 3) [rad] of a person who faces the camera: half a turn from its axes."""
    rotations_rad = random.normal(0.0, 0.3, (24, 3))
    rotations_rad[0] = axis_angles_from_matrices(FACING_CAMERA @ matrices_from_axis_angles(random.normal(0.0, 0.2, 3)))
    return rotations_rad


def test_the_body_of_a_still_person_rotates_by_at_most_the_free_angle() -> None:
    random = np.random.default_rng(1)
    measured_m = random.normal(size=(24, 3))
    for _ in range(50):
        before, now = random_pose(random), random_pose(random)
        limited = limit_rate(before, now, measured_m, measured_m)
        assert global_angles_rad(before, limited).max() < 1.1 * FREE_GLOBAL_ANGLE_RAD


def test_small_changes_are_returned_unchanged() -> None:
    random = np.random.default_rng(2)
    before, measured_m = random_pose(random), random.normal(size=(24, 3))
    now = before + random.normal(0.0, 0.003, before.shape)
    assert limit_rate(before, now, measured_m, measured_m) == pytest.approx(now, abs=1e-15)


def test_a_fast_measured_rotation_allows_a_fast_joint_rotation() -> None:
    random = np.random.default_rng(3)
    before, measured_m = random_pose(random), random.normal(size=(24, 3))
    now = before.copy()
    now[4] += 0.3
    rotation = matrices_from_axis_angles(np.array([0.0, 0.0, 1.0]))
    assert limit_rate(before, now, measured_m, measured_m @ rotation.T) == pytest.approx(now)


def test_repeated_limited_steps_reach_the_goal() -> None:
    random = np.random.default_rng(4)
    current, goal, measured_m = random_pose(random), random_pose(random), random.normal(size=(24, 3))
    for _ in range(200):
        current = limit_rate(current, goal, measured_m, measured_m)
    assert global_angles_rad(current, goal).max() < 1e-6
