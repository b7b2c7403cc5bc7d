"""Loaders of public data sets: axes, sides, missing joints, and counts of what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import ContractError, RecordingError
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.clip import Clip, clip_from_points
from rehab_pose_lab.datasets.irds import load_irds
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.datasets.mars import load_mars
from rehab_pose_lab.datasets.ui_prmd import load_ui_prmd
from rehab_pose_lab.datasets.utkinect import load_utkinect
from rehab_pose_lab.training.evaluation_classifier import EvaluationClassifier
from rehab_pose_lab.training.exercise_metrics import recognition_metrics
from rehab_pose_lab.training.exercise_predictions import predict_recordings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

LOADERS = {
    "kimore": load_kimore,
    "utkinect": load_utkinect,
    "ui_prmd": load_ui_prmd,
    "mars": load_mars,
    "irds": load_irds,
}
FRAME_NS = 33_333_333
NAMES = ("pelvis", "left_wrist", "")


def clip_of(points_m: NDArray[np.float64], tracking: NDArray[np.uint8] | None = None) -> Clip:
    return clip_from_points(
        name="made",
        dataset="made",
        subject="s",
        group="",
        label="squat",
        stamps_ns=np.arange(len(points_m)) * FRAME_NS,
        points_m=points_m,
        smpl_names=NAMES,
        optical_from_set=np.diag([-1.0, -1.0, 1.0]),
        tracking=tracking,
    )


def steady(frames: int = 20) -> NDArray[np.float64]:
    return np.tile(np.array([[0.1, 0.2, 2.5], [0.4, 0.3, 2.4], [9.0, 9.0, 9.0]]), (frames, 1, 1))


def test_points_are_renamed_and_rotated_and_other_joints_are_missing() -> None:
    clip = clip_of(steady())
    np.testing.assert_allclose(clip.positions_m[0, SMPL_24.index("pelvis")], [-0.1, -0.2, 2.5], rtol=1e-6)
    np.testing.assert_allclose(clip.positions_m[0, SMPL_24.index("left_wrist")], [-0.4, -0.3, 2.4], rtol=1e-6)
    assert np.isfinite(clip.positions_m[..., 0]).sum() == 2 * 20
    assert not any(clip.counts.values())


def test_zeros_outliers_and_untracked_joints_are_missing_and_counted() -> None:
    points, tracking = steady(), np.full((20, 3), 2, dtype=np.uint8)
    points[3, 0] = 0.0
    points[8, 1] += [0.0, 1.2, 0.0]
    tracking[12, 1], tracking[13, 1] = 0, 1
    clip = clip_of(points, tracking)
    pelvis, wrist = SMPL_24.index("pelvis"), SMPL_24.index("left_wrist")
    missing = np.isnan(clip.positions_m[..., 0])
    assert np.flatnonzero(missing[:, pelvis]).tolist() == [3]
    assert np.flatnonzero(missing[:, wrist]).tolist() == [8, 12]
    assert dict(clip.counts) == {
        "repeated_frames": 0,
        "all_zero_joints": 1,
        "far_joints": 0,
        "not_tracked_joints": 1,
        "jumped_joints": 1,
    }
    assert clip.confidence[13, wrist] == pytest.approx(0.5)
    assert clip.confidence[12, wrist] == 0.0


def test_a_fast_hand_is_not_an_outlier() -> None:
    points = steady(30)
    points[:, 1, 1] += 0.5 * np.sin(np.arange(30) / 30 * 2 * np.pi)  # 3 m/s
    assert clip_of(points).counts["jumped_joints"] == 0


def test_repeated_stamps_are_dropped_and_counted() -> None:
    clip = clip_from_points(
        name="made",
        dataset="made",
        subject="s",
        group="",
        label="squat",
        stamps_ns=np.array([0, 10, 10, 20]),
        points_m=steady(4),
        smpl_names=NAMES,
        optical_from_set=np.eye(3),
    )
    assert clip.stamps_ns.tolist() == [0, 10, 20]
    assert clip.counts["repeated_frames"] == 1


def test_a_clip_refuses_decreasing_stamps_and_wrong_shapes() -> None:
    good = clip_of(steady(3))
    with pytest.raises(RecordingError, match="increase"):
        Clip("a", "b", "c", "", "squat", np.array([0, 2, 1]), SMPL_24, good.positions_m, good.confidence)
    with pytest.raises(ContractError, match=r"Clip\.positions_m"):
        Clip("a", "b", "c", "", "squat", np.array([0, 1]), SMPL_24, good.positions_m, good.confidence)


@pytest.mark.parametrize("name", LOADERS)
def test_a_folder_without_the_data_set_is_refused_with_its_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=f"{name}: expected"):
        LOADERS[name](tmp_path)


@pytest.mark.parametrize("name", LOADERS)
def test_people_are_upright_and_face_the_camera(shared_data: Path, name: str) -> None:
    loader: Callable[[Path], list[Clip]] = LOADERS[name]
    if not (shared_data / name).is_dir():
        pytest.skip(f"{name} is not in {shared_data}")
    clips = loader(shared_data / name)
    assert clips
    points = np.concatenate([clip.positions_m for clip in clips[::7]])

    def median(joint: str) -> NDArray[np.float64]:
        return np.asarray(np.nanmedian(points[:, SMPL_24.index(joint)], axis=0))

    assert median("head")[1] < median("pelvis")[1] < median("left_ankle")[1]
    assert median("left_hip")[0] > median("right_hip")[0]  # facing the camera, their left is the image's right
    assert 1.0 < median("pelvis")[2] < 4.0
    assert median("left_foot")[2] < median("left_ankle")[2]  # toes to the camera
    assert 0.25 < np.linalg.norm(median("left_hip") - median("left_knee")) < 0.55


def test_kimore_has_its_five_exercises(shared_data: Path) -> None:
    if not (shared_data / "kimore").is_dir():
        pytest.skip(f"kimore is not in {shared_data}")
    clips = load_kimore(shared_data / "kimore")
    assert {clip.label for clip in clips} == set(EXERCISES)
    assert len({clip.name for clip in clips}) == len(clips)


def test_the_shipped_recogniser_is_accurate_on_some_subjects(shared_data: Path) -> None:
    if not (shared_data / "kimore").is_dir():
        pytest.skip(f"kimore is not in {shared_data}")
    clips = load_kimore(shared_data / "kimore")
    subjects = sorted({clip.subject for clip in clips})[::8]
    chosen = [clip for clip in clips if clip.subject in subjects]
    metrics = recognition_metrics(
        predict_recordings(EvaluationClassifier().exercise_logits, chosen, EXERCISES), EXERCISES
    )
    assert metrics["recording_acc"] > 0.95
    assert metrics["window_acc"] > 0.88
