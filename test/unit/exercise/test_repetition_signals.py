"""Repetition signals on poses with known angles and positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rehab_pose.datatypes import Joints
from rehab_pose.exercise.catalogue import (
    ARM_LIFTING,
    EXERCISES,
    LATERAL_TRUNK_TILT,
    PELVIS_ROTATION,
    SQUAT,
    TRUNK_ROTATION,
)
from rehab_pose.exercise.repetition_signals import arm_elevations, body_axes, definition_of, limb_values, signal_values
from rehab_pose.exercise.window_features import FEATURE_INDEX, FEATURE_JOINTS, SMPL_INDICES
from rehab_pose.geometry.rotations import matrices_from_axis_angles

Film = Callable[..., list[Joints]]
AXES = np.eye(3)
"""The frame of the points is the body frame: left, up, front."""


def pose(**positions_m: tuple[float, float, float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return one sample (1, J, 3) with the given joints; the others are missing."""
    points = np.full((1, len(FEATURE_JOINTS), 3), np.nan)
    for name, position in positions_m.items():
        points[0, FEATURE_INDEX[name]] = position
    return points


@pytest.mark.parametrize("angle_rad", [0.0, 0.5, np.pi / 2, 2.5])
def test_arm_elevation_is_the_angle_from_hanging(angle_rad: float) -> None:
    shoulder = np.array([0.2, 1.4, 0.0])
    wrist = shoulder + 0.5 * np.array([np.sin(angle_rad), -np.cos(angle_rad), 0.0])
    points = pose(left_shoulder=tuple(shoulder), left_wrist=tuple(wrist))
    left, right = arm_elevations(points, AXES)
    assert left[0] == pytest.approx(angle_rad, abs=1e-9)
    assert np.isnan(right[0])
    # The signal uses the arm that is not missing.
    assert signal_values(ARM_LIFTING, points, AXES)[0] == pytest.approx(angle_rad, abs=1e-9)


@pytest.mark.parametrize("angle_rad", [-0.4, 0.0, 0.3])
def test_trunk_tilt_is_positive_to_the_left(angle_rad: float) -> None:
    points = pose(pelvis=(0.0, 1.0, 0.0), neck=(0.5 * np.sin(angle_rad), 1.0 + 0.5 * np.cos(angle_rad), 0.0))
    assert signal_values(LATERAL_TRUNK_TILT, points, AXES)[0] == pytest.approx(angle_rad)


@pytest.mark.parametrize("angle_rad", [-0.6, 0.0, 0.8])
def test_shoulder_yaw_is_positive_to_the_left(angle_rad: float) -> None:
    # After a rotation to the left, the left shoulder is behind.
    left = np.array([0.2 * np.cos(angle_rad), 1.4, -0.2 * np.sin(angle_rad)])
    points = pose(pelvis=(0.0, 1.0, 0.0), left_shoulder=tuple(left), right_shoulder=tuple(left * [-1.0, 1.0, -1.0]))
    assert signal_values(TRUNK_ROTATION, points, AXES)[0] == pytest.approx(angle_rad)


def test_pelvis_signals_are_the_positions_to_the_left_and_downwards() -> None:
    points = pose(pelvis=(0.07, 0.8, 0.1))
    assert signal_values(PELVIS_ROTATION, points, AXES)[0] == pytest.approx(0.07)
    assert signal_values(SQUAT, points, AXES)[0] == pytest.approx(-0.8)


@pytest.mark.parametrize("label", EXERCISES)
def test_signals_do_not_depend_on_the_pose_of_the_camera(make_film: Film, label: str) -> None:
    points = np.array([joints.positions_m[SMPL_INDICES] for joints in make_film(label, 2, noise_m=0.0)[60:180]])
    up = np.array([0.0, -1.0, 0.0])
    rotation = matrices_from_axis_angles(np.array([0.3, 0.5, -0.2]))
    original = signal_values(label, points, body_axes(points, up))
    transformed = points @ rotation.T + np.array([0.2, -0.1, 0.4])
    moved = signal_values(label, transformed, body_axes(transformed, rotation @ up))
    # Positions have another origin. The front of the body frame, a median by coordinates, differs by a small yaw.
    offset = (moved - original).mean()
    np.testing.assert_allclose(moved - offset, original, atol=1e-6)
    assert label in {PELVIS_ROTATION, SQUAT} or abs(offset) < 0.05
    assert np.ptp(original) > definition_of(label).signal.minimum_range


def plain_signal(label: str, points: np.ndarray[Any, Any], axes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the signals of KIMORE's exercises, written out, as the shipped norms were computed with."""
    joint = {name: points[:, index] for name, index in FEATURE_INDEX.items()}
    left, up, front = axes
    if label == ARM_LIFTING:
        angles = []
        for side in ("left", "right"):
            arm = joint[f"{side}_wrist"] - joint[f"{side}_shoulder"]
            angles.append(np.arctan2(np.linalg.norm(arm - (arm @ up)[:, None] * up, axis=-1), -(arm @ up)))
        return np.asarray(0.5 * (angles[0] + angles[1]))
    hips = 0.5 * (joint["pelvis"] + 0.5 * (joint["left_hip"] + joint["right_hip"]))
    if label == LATERAL_TRUNK_TILT:
        trunk = 0.5 * (joint["neck"] + 0.5 * (joint["left_shoulder"] + joint["right_shoulder"])) - hips
        return np.asarray(np.arctan2(trunk @ left, trunk @ up))
    if label == TRUNK_ROTATION:
        across = joint["left_shoulder"] - joint["right_shoulder"]
        return np.asarray(np.arctan2(-(across @ front), across @ left))
    return np.asarray(hips @ left if label == PELVIS_ROTATION else -(joint["pelvis"] @ up))


@pytest.mark.parametrize("label", EXERCISES)
def test_the_library_has_the_signals_that_the_norms_were_computed_with(label: str) -> None:
    points = np.random.default_rng(5).normal(size=(200, len(FEATURE_JOINTS), 3)).astype(np.float32)
    axes = matrices_from_axis_angles(np.array([0.3, 0.5, -0.2]))
    values = signal_values(label, points, axes)
    np.testing.assert_allclose(values, plain_signal(label, points.astype(np.float64), axes), rtol=0.0, atol=1e-12)
    definition = definition_of(label)
    spec = (definition.signal.name, definition.signal.minimum_range, definition.two_sided)
    assert (
        spec
        == {
            ARM_LIFTING: ("arm_elevation_rad", 0.6, False),
            LATERAL_TRUNK_TILT: ("trunk_lateral_tilt_rad", 0.12, True),
            TRUNK_ROTATION: ("shoulder_yaw_rad", 0.30, True),
            PELVIS_ROTATION: ("pelvis_sway_m", 0.035, True),
            SQUAT: ("pelvis_drop_m", 0.07, False),
        }[label]
    )


def test_limbs_are_measured_one_by_one() -> None:
    points = pose(left_shoulder=(0.2, 1.4, 0.0), left_wrist=(0.7, 1.4, 0.0), right_shoulder=(-0.2, 1.4, 0.0))
    limbs = limb_values(ARM_LIFTING, points, AXES)
    assert limbs is not None
    assert limbs[0][0] == pytest.approx(np.pi / 2)
    assert np.isnan(limbs[1][0])
    assert limb_values(TRUNK_ROTATION, points, AXES) is None
