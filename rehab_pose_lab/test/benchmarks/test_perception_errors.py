"""Perception errors of inputs with known errors, and the ranges that the scenes cover."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.kinect_frame import error_after_offset_mm
from rehab_pose_lab.benchmarks.perception_errors import joint_errors_m, overlap, pck, sides_swapped
from rehab_pose_lab.benchmarks.perception_scenes import clips_of_scenes, perception_scenes
from rehab_pose_lab.datasets.location import data_folder
from rehab_pose_lab.training.pose_library import recorded_clips

WRISTS = [SMPL_24.index("left_wrist"), SMPL_24.index("right_wrist")]


def standing() -> np.ndarray:
    joints = np.zeros((24, 3))
    joints[:, 1] = np.arange(24) * 0.05
    for index, name in enumerate(SMPL_24.joint_names):
        joints[index, 0] = 0.2 if name.startswith("left") else -0.2 if name.startswith("right") else 0.0
    joints[:, 2] = 2.5
    return joints


def test_the_overlap_of_two_squares_is_their_intersection_over_union() -> None:
    first, second = np.zeros((20, 20), np.bool_), np.zeros((20, 20), np.bool_)
    first[0:10, 0:10] = True
    second[0:10, 5:15] = True
    assert overlap(first, second) == pytest.approx(50 / 150)
    assert overlap(first, first) == 1.0
    assert overlap(None, first) == 0.0
    assert overlap(None, np.zeros((4, 4), np.bool_)) == 1.0


def test_a_missing_joint_has_no_error_but_is_not_correct() -> None:
    truth, predicted = standing(), standing()
    predicted[0] += [0.03, 0.04, 0.0]
    predicted[1] += [0.0, 0.0, 0.11]
    predicted[2] = np.nan
    errors = joint_errors_m(predicted, truth)
    assert errors[0] == pytest.approx(0.05)
    assert np.isnan(errors[2])
    assert pck(errors) == pytest.approx(22 / 24)
    assert np.isnan(pck(np.empty(0)))


def test_exchanged_wrists_are_a_swap() -> None:
    truth = standing()
    predicted = truth.copy()
    predicted[WRISTS] = truth[WRISTS[::-1]] + 0.02
    assert sides_swapped(predicted, truth)
    assert not sides_swapped(truth, truth)


def test_a_common_error_is_not_a_swap() -> None:
    truth = standing()
    assert not sides_swapped(truth + np.array([0.0, 0.0, 0.5]), truth)
    shifted = truth.copy()
    shifted[WRISTS[0], 0] -= 0.15
    assert not sides_swapped(shifted, truth)


def test_sides_near_each_other_are_not_tested_for_swaps() -> None:
    truth = standing()
    truth[WRISTS, 0] = (0.05, -0.05)
    predicted = truth.copy()
    predicted[WRISTS] = truth[WRISTS[::-1]]
    assert not sides_swapped(predicted, truth)


def test_a_missing_limb_is_not_a_swap() -> None:
    predicted = standing()
    predicted[WRISTS] = np.nan
    assert not sides_swapped(predicted, standing())


def test_a_constant_offset_does_not_count_as_error() -> None:
    truth = standing()
    predicted = truth + np.array([0.05, -0.02, 0.1])
    assert error_after_offset_mm(predicted, truth) == pytest.approx(0.0, abs=1e-9)
    predicted[::2, 0] += 0.02
    assert error_after_offset_mm(predicted, truth) == pytest.approx(10.0)
    truth[3] = np.nan
    assert error_after_offset_mm(predicted, truth) == pytest.approx(10.0, abs=0.1), "one joint of 24 is left out"
    assert np.isnan(error_after_offset_mm(np.full((24, 3), np.nan), truth))


def test_the_scenes_cover_the_documented_ranges() -> None:
    scenes = perception_scenes()
    assert scenes == perception_scenes()
    assert len({scene.name for scene in scenes}) == len(scenes) >= 24
    settings = [scene.settings for scene in scenes]
    for name, low, high in (
        ("camera_height_m", 0.6, 2.0),
        ("distance_m", 1.2, 4.0),
        ("yaw_deg", -60.0, 60.0),
        ("clothing_m", 0.0, 0.03),
    ):
        values = [getattr(entry, name) for entry in settings]
        assert (min(values), max(values)) == (low, high)
    assert {entry.noise for entry in settings} == {"realsense", "kinect"}
    assert {entry.furniture for entry in settings} == {"none", "beside", "front", "around"}
    assert len({entry.exercise for entry in settings}) == 5
    assert len({entry.shape_seed for entry in settings}) == len({entry.seed for entry in settings}) == len(scenes)
    assert all(entry.wall_distance_m > entry.distance_m + 1.0 for entry in settings)
    assert sum(scene.occluded for scene in scenes) >= 3
    assert {scene.recorded.split(":")[0] for scene in scenes} == {"", "kimore", "ui_prmd"}


@pytest.mark.skipif(not (data_folder() / "kimore").is_dir(), reason="needs the public data sets")
def test_recorded_scenes_show_no_training_subject() -> None:
    scenes = perception_scenes()
    clips = clips_of_scenes(scenes, data_folder())
    assert len(clips) >= 10
    trained_on = {(clip.dataset, clip.subject) for clip in recorded_clips(data_folder())[0]}
    for clip in clips.values():
        assert (clip.dataset, clip.subject) not in trained_on
        assert clip.duration_s <= 12.1
