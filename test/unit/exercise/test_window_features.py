"""Window features: invariance to the camera's pose and the person's size, missing joints, resampling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.exercise.window_features import (
    FEATURE_JOINTS,
    MAX_GAP_S,
    SMPL_INDICES,
    body_frames,
    motion_range_m,
    resample,
    window_features,
)
from rehab_pose.geometry.rotations import matrices_from_axis_angles

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints

UP = np.array([[0.0, -1.0, 0.0]])


def window(make_film: Callable[..., list[Joints]], label: str = "squat") -> NDArray[np.float64]:
    frames = make_film(label, 2, noise_m=0.0)[60:180:3]
    return np.array([[joints.positions_m[SMPL_INDICES] for joints in frames]])


@pytest.mark.parametrize("axis", [(0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.4, 0.6, 0.3)])
def test_features_do_not_depend_on_the_pose_of_the_camera(
    make_film: Callable[..., list[Joints]], axis: tuple[float, float, float]
) -> None:
    points = window(make_film)
    rotation = matrices_from_axis_angles(np.array(axis))
    moved = points @ rotation.T + np.array([0.3, -0.2, 0.5])
    original, _ = window_features(points, UP)
    transformed, _ = window_features(moved, UP @ rotation.T)
    np.testing.assert_allclose(transformed, original, atol=1e-5)


@given(scale=st.floats(0.8, 1.3))
def test_features_do_not_depend_on_the_size_of_the_person(make_film: Callable[..., list[Joints]], scale: float) -> None:
    points = window(make_film)
    np.testing.assert_allclose(window_features(scale * points, UP)[0], window_features(points, UP)[0], atol=1e-5)


def test_rotation_of_the_trunk_changes_the_features(make_film: Callable[..., list[Joints]]) -> None:
    features, _ = window_features(window(make_film, "trunk_rotation"), UP)
    lateral = features.reshape(*features.shape[:2], len(FEATURE_JOINTS), 7)[0, :, FEATURE_JOINTS.index("left_wrist"), 0]
    assert np.ptp(lateral) > 0.5


def test_body_frame_of_a_person_who_faces_the_camera(make_film: Callable[..., list[Joints]]) -> None:
    rotations, _, torso_m = body_frames(window(make_film), UP)
    np.testing.assert_allclose(rotations[0], np.diag([1.0, -1.0, -1.0]), atol=1e-6)
    assert torso_m[0] == pytest.approx(0.50, abs=1e-6)


def test_missing_joints_are_zero_with_validity_zero(make_film: Callable[..., list[Joints]]) -> None:
    points = window(make_film)
    points[:, :, FEATURE_JOINTS.index("left_ankle")] = np.nan
    points[:, :5] = np.nan
    features, present = window_features(points, UP)
    by_joint = features.reshape(*features.shape[:2], len(FEATURE_JOINTS), 7)
    assert np.isfinite(features).all()
    np.testing.assert_array_equal(by_joint[:, :, FEATURE_JOINTS.index("left_ankle")], 0.0)
    np.testing.assert_array_equal(present[0, :6], [0, 0, 0, 0, 0, 1])


def test_resampling_a_linear_motion_is_exact_outside_gaps() -> None:
    stamps_ns = np.sort(np.random.default_rng(3).choice(np.arange(0, 2_000_000_000, 20_000_000), 60, replace=False))
    points = (stamps_ns * 1e-9)[:, None, None] * np.ones((1, 4, 3))
    times_ns = np.linspace(stamps_ns[0], stamps_ns[-1], 50).astype(np.int64)
    points_at = resample(stamps_ns, points, times_ns)
    gaps = np.diff(stamps_ns)[np.clip(np.searchsorted(stamps_ns, times_ns) - 1, 0, 58)] * 1e-9
    known = gaps <= MAX_GAP_S
    np.testing.assert_allclose(points_at[known, 0, 0], times_ns[known] * 1e-9, atol=1e-5)
    assert np.isnan(points_at[~known]).all()


def test_gaps_and_times_before_the_first_sample_are_missing() -> None:
    stamps_ns = np.array([0, 100, 600, 700], dtype=np.int64) * 1_000_000
    points_at = resample(stamps_ns, np.ones((4, 1, 3)), np.array([-200, 50, 350, 650], dtype=np.int64) * 1_000_000)
    np.testing.assert_array_equal(np.isnan(points_at[:, 0, 0]), [True, False, True, False])


def test_motion_range_is_small_for_noise_and_large_for_movement(make_film: Callable[..., list[Joints]]) -> None:
    at_rest = np.array([[j.positions_m[SMPL_INDICES] for j in make_film("none", 2, noise_m=0.006)[:60:3]]])
    assert motion_range_m(at_rest)[0] < 0.03
    assert motion_range_m(window(make_film))[0] > 0.1
