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

from rehab_pose.datatypes import ExerciseUpdate, Joints, JointsOfFrame
from rehab_pose.errors import ModelFileError, SettingsError
from rehab_pose.exercise.catalogue import EXERCISES, LABELS, NONE
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.stamp_filter import StampVerdict
from rehab_pose.geometry.rotations import matrices_from_axis_angles

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


@pytest.mark.no_cover
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


@pytest.mark.parametrize(("rate_hz", "expected"), [(15.0, 3), (30.0, 3), (60.0, 6)])
def test_a_fast_camera_has_no_more_classifications_a_second(
    make_film: Film, monkeypatch: pytest.MonkeyPatch, rate_hz: float, expected: int
) -> None:
    recogniser = ExerciseRecogniser(ExerciseSettings(stride_frames=3, library=False))
    stamps_ns = [1 + round(index * 1e9 / rate_hz) for index in range(30)]
    classified: list[int] = []
    monkeypatch.setattr(recogniser, "_classify", classified.append)
    for stamp_ns, joints in zip(stamps_ns, make_film("squat", 1), strict=False):
        recogniser.recognise(stamp_ns, joints.frame_id, joints)
    assert classified == stamps_ns[::expected]


def test_a_jump_back_in_time_resets_the_recogniser(recogniser: ExerciseRecogniser, make_film: Film) -> None:
    frames = make_film("squat", 2, rest_s=1.0)
    recogniser.reset()
    first = [update.classification.probabilities for update in process(recogniser, frames)]
    second = [update.classification.probabilities for update in process(recogniser, frames)]
    np.testing.assert_array_equal(first, second)


def numbers(updates: list[ExerciseUpdate], label: str) -> list[int]:
    return [u.repetition.count for u in updates if u.repetition is not None and u.repetition.label == label]


def stretched(frames: list[Joints], at: int, seconds: float, seed: int = 1) -> list[Joints]:
    """Return frames with the pose of one kept for a time, with noise on it."""
    rng = np.random.default_rng(seed)
    count, step_ns = round(30 * seconds), frames[1].stamp_ns - frames[0].stamp_ns
    held = [
        dataclasses.replace(
            frames[at],
            stamp_ns=frames[at].stamp_ns + (index + 1) * step_ns,
            positions_m=frames[at].positions_m + rng.normal(0.0, 0.006, (24, 3)),
        )
        for index in range(count)
    ]
    later = [dataclasses.replace(joints, stamp_ns=joints.stamp_ns + count * step_ns) for joints in frames[at + 1 :]]
    return [*frames[: at + 1], *held, *later]


READY, CYCLE = 54, 90
"""Frames before the first repetition of a film, and of one repetition."""


@pytest.mark.parametrize(("label", "far"), [("squat", 45), ("arm_lifting", 45), ("trunk_rotation", 22)])
def test_holds_are_counted_and_keep_the_label(
    recogniser: ExerciseRecogniser, make_film: Film, label: str, far: int
) -> None:
    recogniser.reset()
    frames = make_film(label, 3)
    for cycle in (2, 1, 0):
        frames = stretched(frames, READY + cycle * CYCLE + far, 6.0, seed=cycle)
    updates = process(recogniser, frames)
    assert numbers(updates, label) == [1, 2, 3]
    second_hold = updates[READY + CYCLE + 180 + far + 60 : READY + CYCLE + 180 + far + 170]
    assert {update.classification.label for update in second_hold} == {label}


@pytest.mark.parametrize("label", ["squat", "lateral_trunk_tilt"])
def test_rests_between_repetitions_keep_the_set(recogniser: ExerciseRecogniser, make_film: Film, label: str) -> None:
    recogniser.reset()
    frames = make_film(label, 3)
    for cycle in (2, 1):
        frames = stretched(frames, READY + cycle * CYCLE, 8.0, seed=cycle)
    updates = process(recogniser, frames)
    assert numbers(updates, label) == [1, 2, 3]
    assert updates[READY + CYCLE + 200].classification.label == NONE  # the person stands still


@pytest.mark.parametrize("hidden_s", [1.2, 9.0])
def test_a_person_who_was_hidden_goes_on_with_the_set(
    recogniser: ExerciseRecogniser, make_film: Film, hidden_s: float
) -> None:
    recogniser.reset()
    at = READY + 2 * CYCLE
    frames = stretched(make_film("squat", 4), at, hidden_s)
    updates = []
    for index, joints in enumerate(frames):
        hidden = at < index <= at + round(30 * hidden_s)
        updates.append(recogniser.recognise(joints.stamp_ns, joints.frame_id, None if hidden else joints))
    assert numbers(updates, "squat") == [1, 2, 3, 4]


def test_a_long_absence_begins_another_set(recogniser: ExerciseRecogniser, make_film: Film) -> None:
    recogniser.reset()
    first = make_film("squat", 2)
    away_ns = 20_000_000_000 + first[-1].stamp_ns
    updates = process(recogniser, first)
    for index in range(600):
        updates.append(recogniser.recognise(first[-1].stamp_ns + (index + 1) * 33_333_333, "camera", None))
    second = [dataclasses.replace(joints, stamp_ns=joints.stamp_ns + away_ns) for joints in first]
    assert numbers(updates + process(recogniser, second), "squat") == [1, 2, 1, 2]


def test_repeated_and_late_stamps_are_dropped_and_counted(make_film: Film) -> None:
    recogniser = ExerciseRecogniser()
    random, updates, extra = np.random.default_rng(5), [], 0
    frames = make_film("squat", 8)
    for index, joints in enumerate(frames):
        updates.append(recogniser.process(JointsOfFrame(joints.stamp_ns, joints.frame_id, joints)))
        if index % 30 == 29:
            late = frames[index - int(random.integers(0, 28))]
            assert recogniser.process(JointsOfFrame(late.stamp_ns, late.frame_id, late)) is None
            extra += 1
    assert numbers([update for update in updates if update is not None], "squat") == list(range(1, 9))
    assert None not in updates
    assert recogniser.dropped.total() == extra
    # The frame is answered where every frame needs an answer, without a repetition.
    last = recogniser.recognise(frames[-1].stamp_ns, "camera", frames[-1])
    assert recogniser.verdict is StampVerdict.REPEATED
    assert last.repetition is None


@pytest.mark.parametrize("way", range(3))
def test_a_still_person_before_a_moving_camera_is_none(
    recogniser: ExerciseRecogniser, make_film: Film, way: int
) -> None:
    recogniser.reset()
    updates = []
    for joints in make_film("none", 3):
        turn = np.zeros(3)
        turn[way] = np.radians(4.0) * np.sin(2.0 * np.pi * 0.3 * joints.stamp_ns * 1e-9)
        moved = dataclasses.replace(joints, positions_m=joints.positions_m @ matrices_from_axis_angles(turn))
        updates.append(recogniser.recognise(joints.stamp_ns, joints.frame_id, moved))
    assert {update.classification.label for update in updates} == {NONE}
    assert not any(update.repetition for update in updates)


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
