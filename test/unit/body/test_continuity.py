"""What holds a jump back, and how limbs' lengths tell people apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.continuity import FREE_WHOLE_TURN_RAD, held_back, limb_scale
from rehab_pose.body.loader import load_body_model
from rehab_pose.body.skinning import pose_joints
from rehab_pose.datatypes import BodyParameters
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL = load_body_model()
FACING_CAMERA = np.diag([1.0, -1.0, -1.0])


def whole_turns_rad(before_rad: NDArray[np.float64], now_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the turn of every joint in the camera [rad], by way of the skinning's own chain."""
    first, second = (
        pose_joints(MODEL, BodyParameters(np.zeros(10), turns, np.zeros(3)))[1] for turns in (before_rad, now_rad)
    )
    angles_rad: NDArray[np.float64] = np.linalg.norm(
        axis_angles_from_matrices(np.swapaxes(first, 1, 2) @ second), axis=1
    )
    return angles_rad


def posture(random: np.random.Generator) -> NDArray[np.float64]:
    """Return rotations (24, 3) [rad] of somebody who faces the camera: half a turn from its axes."""
    turns = random.normal(0.0, 0.3, (24, 3))
    turns[0] = axis_angles_from_matrices(FACING_CAMERA @ matrices_from_axis_angles(random.normal(0.0, 0.2, 3)))
    return turns


def test_a_person_who_keeps_still_never_jumps() -> None:
    random = np.random.default_rng(1)
    measured_m = random.normal(size=(24, 3))
    for _ in range(50):
        before, now = posture(random), posture(random)
        held = held_back(before, now, measured_m, measured_m)
        assert whole_turns_rad(before, held).max() < 1.1 * FREE_WHOLE_TURN_RAD


def test_small_changes_pass_untouched() -> None:
    random = np.random.default_rng(2)
    before, measured_m = posture(random), random.normal(size=(24, 3))
    now = before + random.normal(0.0, 0.003, before.shape)
    assert held_back(before, now, measured_m, measured_m) == pytest.approx(now, abs=1e-15)


def test_who_moves_fast_may_turn_fast() -> None:
    random = np.random.default_rng(3)
    before, measured_m = posture(random), random.normal(size=(24, 3))
    now = before.copy()
    now[4] += 0.3
    turned = matrices_from_axis_angles(np.array([0.0, 0.0, 1.0]))
    assert held_back(before, now, measured_m, measured_m @ turned.T) == pytest.approx(now)


def test_what_is_held_back_arrives_in_the_end() -> None:
    random = np.random.default_rng(4)
    current, goal, measured_m = posture(random), posture(random), random.normal(size=(24, 3))
    for _ in range(200):
        current = held_back(current, goal, measured_m, measured_m)
    assert whole_turns_rad(current, goal).max() < 1e-6


def test_limbs_tell_how_much_longer_they_are() -> None:
    rest_m = MODEL.joints(np.zeros(10))
    turned = rest_m @ matrices_from_axis_angles(np.array([0.3, -0.2, 0.9])).T
    assert limb_scale(1.07 * turned, rest_m) == pytest.approx(1.07)
    hidden = turned.copy()
    hidden[16:] = np.nan
    hidden[4] = np.nan
    assert np.isnan(limb_scale(hidden, rest_m))
