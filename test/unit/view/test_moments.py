"""A bag of results is shown as it is, from any place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.bags.writer import BagWriter
from rehab_pose.datatypes import ExerciseClassification, Joints, JointVisibility, Repetition
from rehab_pose.messages import topics
from rehab_pose.messages.exercise import classification_message, exercise_list_message, repetition_message
from rehab_pose.messages.joints import joints_message
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose.units import NS_PER_S
from rehab_pose.view.exercise_state import ExerciseState
from rehab_pose.view.moments import ResultMoments, is_result_bag

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = 5
"""One each second; no person in the last."""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    count = len(SMPL_24)
    with BagWriter(tmp_path / "results") as bag:
        bag.write(topics.EXERCISE_LIST, NS_PER_S, exercise_list_message(bag.factory, ("none", "squat")))
        for index in range(FRAMES):
            stamp = (1 + index) * NS_PER_S
            joints = Joints(
                stamp,
                "camera",
                SMPL_24,
                np.tile([0.1, 0.2, 2.0], (count, 1)),
                np.full(count, 0.9),
                np.full(count, np.nan),
                np.full(count, JointVisibility.OBSERVED, np.uint8),
            )
            label = ExerciseClassification(stamp, "camera", stamp, "squat", 0.9, np.full(6, 1 / 6), False, "test")
            seen = joints if index < FRAMES - 1 else None
            bag.write(topics.JOINTS, stamp, joints_message(bag.factory, stamp, "camera", seen))
            bag.write(topics.EXERCISE, stamp, classification_message(bag.factory, label))
            if index == 2:
                squat = Repetition(stamp, "camera", "squat", 1, NS_PER_S, stamp, "pelvis_drop_m", 0.0, 0.3, 0.9)
                bag.write(topics.REPETITION, stamp, repetition_message(bag.factory, squat))
    return tmp_path / "results"


def test_each_frame_of_results_is_a_moment(results: Path) -> None:
    assert is_result_bag(results)
    recording = ResultMoments(results, 75)
    constant, labels = recording.load(ExerciseState())
    assert labels == ("none", "squat")
    assert constant["exercises"].content == {"exercises": [["squat", "Squat"]]}
    moments = list(recording.moments(0.0))
    assert [moment.time_s for moment in moments] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert [moment.present for moment in moments] == [True, True, True, True, False]
    assert [len(moment.repetitions) for moment in moments] == [0, 0, 1, 0, 0]
    assert all({"joints", "exercise"} <= set(moment.parts) for moment in moments)
    assert moments[2].parts["joints"].content["stamp_ms"] == 3000


def test_results_are_shown_from_a_chosen_place(results: Path) -> None:
    recording = ResultMoments(results, 75)
    recording.load(ExerciseState())
    moments = list(recording.moments(2.5))
    assert [moment.parts["joints"].content["stamp_ms"] for moment in moments] == [4000, 5000]
    assert not list(recording.moments(100.0))
