"""ExerciseRecogniser with the shipped weights on a stick figure."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.datatypes import ExerciseUpdate, Joints
from rehab_pose.errors import ModelFileError, SettingsError
from rehab_pose.exercise.catalogue import EXERCISES, LABELS, NONE
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.exercise.settings import ExerciseSettings

if TYPE_CHECKING:
    from pathlib import Path

Film = Callable[..., list[Joints]]


def process(recogniser: ExerciseRecogniser, frames: list[Joints]) -> list[ExerciseUpdate]:
    return [recogniser.recognise(joints.stamp_ns, joints.frame_id, joints) for joints in frames]


@pytest.fixture(scope="module")
def recogniser() -> ExerciseRecogniser:
    return ExerciseRecogniser()


@pytest.mark.parametrize("label", EXERCISES)
def test_the_label_is_right_within_three_seconds_and_the_count_is_exact(
    recogniser: ExerciseRecogniser, make_film: Film, label: str
) -> None:
    recogniser.reset()
    frames = make_film(label, 4)
    updates = process(recogniser, frames)
    labels = [update.classification.label for update in updates]
    begin = 54  # after 1.8 s of standing and moving to the starting pose
    assert label in labels[: begin + 90]
    settled = Counter(labels[begin + 90 : -120])
    assert settled[label] > 0.95 * settled.total()
    counts = [u.repetition.count for u in updates if u.repetition is not None and u.repetition.label == label]
    assert counts == [1, 2, 3, 4]


@pytest.mark.parametrize("label", EXERCISES)
def test_labels_do_not_depend_on_the_viewpoint(recogniser: ExerciseRecogniser, make_film: Film, label: str) -> None:
    recogniser.reset()
    updates = process(recogniser, make_film(label, 3, yaw_rad=0.6, noise_m=0.012, seed=4))
    settled = Counter(update.classification.label for update in updates[144:-120])
    assert settled.most_common(1)[0][0] == label


def test_standing_still_is_none(recogniser: ExerciseRecogniser, make_film: Film) -> None:
    recogniser.reset()
    updates = process(recogniser, make_film("none", 3))
    assert {update.classification.label for update in updates} == {NONE}
    assert all(update.repetition is None for update in updates)


def test_the_label_is_none_after_the_movement(recogniser: ExerciseRecogniser, make_film: Film) -> None:
    recogniser.reset()
    updates = process(recogniser, make_film("squat", 3, rest_s=5.0))
    assert updates[-1].classification.label == NONE


def test_every_classification_is_complete(recogniser: ExerciseRecogniser, make_film: Film) -> None:
    recogniser.reset()
    for joints, update in zip(frames := make_film("squat", 1), process(recogniser, frames), strict=True):
        result = update.classification
        assert result.stamp_ns == joints.stamp_ns >= result.start_ns
        assert result.label in LABELS
        assert result.probabilities.sum() == pytest.approx(1.0, abs=1e-6)
        exercises = result.probabilities[1:]
        expected = 1.0 - exercises.max() if result.label == NONE else result.probabilities[LABELS.index(result.label)]
        assert result.confidence == pytest.approx(expected)
        assert result.model_id.startswith("exercise-")


def test_probabilities_do_not_depend_on_the_frame_rate(make_film: Film) -> None:
    frames = make_film("squat", 3)
    probabilities = []
    for keep, stride in ((1, 4), (2, 2)):
        slower = ExerciseRecogniser(ExerciseSettings(stride_frames=stride))
        updates = process(slower, frames[::keep])
        probabilities.append(np.array([update.classification.probabilities for update in updates[:: 2 // keep]]))
    assert np.abs(probabilities[0] - probabilities[1][: len(probabilities[0])]).max() < 0.15


def test_a_jump_back_in_time_resets_the_recogniser(recogniser: ExerciseRecogniser, make_film: Film) -> None:
    frames = make_film("squat", 2, rest_s=1.0)
    recogniser.reset()
    first = [update.classification.probabilities for update in process(recogniser, frames)]
    second = [update.classification.probabilities for update in process(recogniser, frames)]
    np.testing.assert_array_equal(first, second)


def test_changed_settings_keep_the_history_and_the_count(make_film: Film, tmp_path: Path) -> None:
    recogniser = ExerciseRecogniser()
    frames = make_film("squat", 4)
    middle = len(frames) // 2
    updates = process(recogniser, frames[:middle])
    recogniser.change_settings(dataclasses.replace(recogniser.settings, confidence_threshold=0.4))
    updates += process(recogniser, frames[middle:])
    assert [update.repetition.count for update in updates if update.repetition is not None] == [1, 2, 3, 4]
    before = recogniser.settings
    with pytest.raises(ModelFileError):
        recogniser.change_settings(dataclasses.replace(before, weights_path=str(tmp_path / "none.onnx")))
    assert recogniser.settings == before
    recogniser.change_settings(dataclasses.replace(before, confidence_threshold=1.0))
    recogniser.reset()
    assert {update.classification.label for update in process(recogniser, frames)} == {NONE}


def test_the_label_is_none_after_the_person_left(recogniser: ExerciseRecogniser, make_film: Film) -> None:
    recogniser.reset()
    frames = make_film("squat", 2, rest_s=0.0)
    process(recogniser, frames)
    for index in range(60):
        update = recogniser.recognise(frames[-1].stamp_ns + (index + 1) * 33_333_333, "camera", None)
    assert update.classification.label == NONE
    assert update.repetition is None


def test_arm_lifting_is_recognised_without_the_lower_legs(recogniser: ExerciseRecogniser, make_film: Film) -> None:
    recogniser.reset()
    legs = [
        i for i, name in enumerate(make_film("none", 0)[0].skeleton.joint_names) if name.endswith(("ankle", "foot"))
    ]
    frames = []
    for joints in make_film("arm_lifting", 3):
        positions_m = joints.positions_m.copy()
        positions_m[legs] = np.nan
        frames.append(dataclasses.replace(joints, positions_m=positions_m))
    settled = Counter(update.classification.label for update in process(recogniser, frames)[144:-120])
    assert settled.most_common(1)[0][0] == "arm_lifting"


def test_one_frame_takes_less_than_its_time_budget(recogniser: ExerciseRecogniser, make_film: Film) -> None:
    frames = make_film("squat", 2)
    recogniser.reset()
    durations_s = []
    for joints in frames:
        start = time.perf_counter()
        recogniser.recognise(joints.stamp_ns, joints.frame_id, joints)
        durations_s.append(time.perf_counter() - start)
    assert np.mean(durations_s) < 0.010  # about 0.7 ms on an idle core; the machine may be busy


def test_a_missing_or_damaged_weights_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="expected a file"):
        ExerciseRecogniser(ExerciseSettings(weights_path=str(tmp_path / "absent.onnx")))
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"not a network")
    with pytest.raises(ModelFileError, match="not a usable ONNX"):
        ExerciseRecogniser(ExerciseSettings(weights_path=str(damaged)))


def test_a_setting_out_of_range_is_refused() -> None:
    with pytest.raises(SettingsError, match="confidence_threshold"):
        ExerciseSettings(confidence_threshold=1.5)


def test_the_recogniser_runs_without_torch() -> None:
    program = (
        "import sys; sys.modules['torch'] = None; "
        "from rehab_pose.exercise.recogniser import ExerciseRecogniser; ExerciseRecogniser()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
