"""Augmentation of windows keeps the pose and the side of a movement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.exercise.window_features import FEATURE_JOINTS, SMPL_INDICES
from rehab_pose_lab.training.exercise_augmentation import augment, augment_lightly

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.datatypes import Joints

    Film = Callable[..., list[Joints]]


def test_augmentation_keeps_the_pose(make_film: Film) -> None:
    frames = make_film("squat", 2)[60:180:3]
    window = np.array([[joints.positions_m[SMPL_INDICES] for joints in frames]] * 200, dtype=np.float32)
    augmented, up = augment(window, np.random.default_rng(0))
    moved = np.abs(augmented[..., 1] - window[..., 1])  # heights, which mirroring does not change
    assert np.nanmedian(moved) < 0.05
    assert np.isnan(augmented).any()
    np.testing.assert_allclose(np.linalg.norm(up, axis=-1), 1.0)
    assert np.degrees(np.arccos(-up[:, 1])).max() < 25.0


def test_light_augmentation_keeps_the_pose_and_reports_who_faces_the_camera(make_film: Film) -> None:
    frames = make_film("squat", 2)[60:180:3]
    window = np.array([[joints.positions_m[SMPL_INDICES] for joints in frames]] * 300, dtype=np.float32)
    augmented, up, facing = augment_lightly(window, np.random.default_rng(0))
    assert np.nanmedian(np.abs(augmented[..., 1] - window[..., 1])) < 0.05
    assert 0.2 < facing.mean() < 0.5
    np.testing.assert_allclose(np.linalg.norm(up, axis=-1), 1.0)
    shoulders = [FEATURE_JOINTS.index(f"{side}_shoulder") for side in ("left", "right")]
    across = augmented[facing > 0][:, :, shoulders[0]] - augmented[facing > 0][:, :, shoulders[1]]
    assert np.nanmedian(np.abs(across[..., 2]) / np.linalg.norm(across, axis=-1)) < 0.2


def test_without_mirroring_a_movement_stays_on_its_side(make_film: Film) -> None:
    frames = make_film("squat", 1)[60:180:3]
    window = np.array([[joints.positions_m[SMPL_INDICES] for joints in frames]] * 100, dtype=np.float32)
    left = FEATURE_JOINTS.index("left_wrist")
    window[:, :, left, 1] -= 0.5
    right = FEATURE_JOINTS.index("right_wrist")
    for mirror, fraction in ((True, 0.5), (False, 1.0)):
        augmented, _, _ = augment_lightly(window, np.random.default_rng(0), mirror=mirror)
        measured = augmented[np.isfinite(augmented[:, 0, [left, right], 0]).all(axis=1)]
        higher = np.median(measured[:, :, left, 1], axis=1) < np.median(measured[:, :, right, 1], axis=1)
        assert higher.mean() == pytest.approx(fraction, abs=0.12)
