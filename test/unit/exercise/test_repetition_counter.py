"""RepetitionCounter: counts with late, interrupted and wrong labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from rehab_pose.datatypes import Joints, Repetition, Side
from rehab_pose.exercise.catalogue import EXERCISES, NONE
from rehab_pose.exercise.joint_history import JointHistory
from rehab_pose.exercise.repetition_counter import RepetitionCounter
from rehab_pose.exercise.settings import ExerciseSettings

FRAME_NS = 33_333_333
Film = Callable[..., list[Joints]]


def count_with(frames: list[Joints], label: str, known_from: int) -> list[Repetition]:
    """Return the repetitions counted with a label that is reported from a given frame on."""
    settings = ExerciseSettings()
    counter, history = RepetitionCounter(settings), JointHistory(16.0)
    repetitions = []
    for index, joints in enumerate(frames):
        history.append(joints.stamp_ns, joints)
        reported = label if known_from <= index < len(frames) - 60 else NONE
        repetition = counter.update(joints.stamp_ns, joints.frame_id, reported, history)
        repetitions += [repetition] if repetition is not None else []
    return repetitions


@pytest.mark.parametrize("label", EXERCISES)
@pytest.mark.parametrize("known_after_s", [1.5, 4.2])
def test_repetitions_before_the_label_are_counted(make_film: Film, label: str, known_after_s: float) -> None:
    repetitions = count_with(make_film(label, 4), label, int(known_after_s * 30))
    assert [repetition.count for repetition in repetitions] == [1, 2, 3, 4]
    assert all(repetition.start_ns < repetition.end_ns <= repetition.stamp_ns for repetition in repetitions)
    assert all(before.end_ns <= after.start_ns for before, after in pairwise(repetitions))


def test_interruptions_of_the_label_do_not_change_the_count(make_film: Film) -> None:
    frames = make_film("squat", 5)
    counter, history = RepetitionCounter(ExerciseSettings()), JointHistory(16.0)
    counts = []
    for index, joints in enumerate(frames):
        history.append(joints.stamp_ns, joints)
        label = NONE if index < 60 or 200 < index < 230 or index % 50 < 5 else "squat"
        repetition = counter.update(joints.stamp_ns, joints.frame_id, label, history)
        counts += [repetition.count] if repetition is not None else []
    assert counts == [1, 2, 3, 4, 5]


def test_the_count_of_a_new_set_starts_at_one(make_film: Film) -> None:
    frames = make_film("squat", 2, rest_s=15.0)  # longer than set_gap_s
    counter, history = RepetitionCounter(ExerciseSettings()), JointHistory(16.0)
    counts = []
    for round_number in range(2):
        for index, joints in enumerate(frames):
            stamp_ns = joints.stamp_ns + round_number * len(frames) * FRAME_NS
            history.append(stamp_ns, joints)
            label = "squat" if 60 <= index < len(frames) - 460 else NONE
            repetition = counter.update(stamp_ns, joints.frame_id, label, history)
            counts += [repetition.count] if repetition is not None else []
    assert counts == [1, 2, 1, 2]


def counts_of(
    frames: list[Joints], labels: list[str], settings: ExerciseSettings | None = None
) -> list[tuple[str, int]]:
    counter, history = RepetitionCounter(settings or ExerciseSettings()), JointHistory(16.0)
    repetitions = []
    for joints, label in zip(frames, labels, strict=True):
        history.append(joints.stamp_ns, joints)
        repetition = counter.update(joints.stamp_ns, joints.frame_id, label, history)
        repetitions += [(repetition.label, repetition.count)] if repetition is not None else []
    return repetitions


def test_a_short_wrong_label_neither_counts_nor_ends_the_set(make_film: Film) -> None:
    frames = make_film("squat", 5)
    labels = [NONE] * 90 + ["squat"] * (len(frames) - 90)
    labels[230:250] = ["arm_lifting"] * 20
    assert counts_of(frames, labels) == [("squat", number) for number in range(1, 6)]


def test_the_next_set_does_not_count_a_repetition_again(make_film: Film) -> None:
    frames = make_film("arm_lifting", 2, rest_s=8.0)
    end = 30 + 24 + 2 * 90
    labels = [NONE] * 90 + ["arm_lifting"] * (end + 15 - 90)
    labels += [NONE] * 45 + ["arm_lifting"] * 60
    labels += [NONE] * (len(frames) - len(labels))
    short_gap = ExerciseSettings(set_gap_s=1.0, lookback_s=12.0)
    assert counts_of(frames, labels, short_gap) == [("arm_lifting", 1), ("arm_lifting", 2)]


def test_a_label_shorter_than_its_confirmation_counts_nothing(make_film: Film) -> None:
    frames = make_film("squat", 4)
    labels = [NONE] * len(frames)
    labels[220:235] = ["squat"] * 15
    assert counts_of(frames, labels) == []


def restamped(frames: list[Joints]) -> list[Joints]:
    return [
        dataclasses.replace(joints, stamp_ns=1_000_000_000 + index * FRAME_NS) for index, joints in enumerate(frames)
    ]


def test_a_single_movement_with_the_label_for_a_moment_is_not_counted(make_film: Film) -> None:
    frames = make_film("squat", 2, rest_s=8.0)
    begin, cycle = 54, 90
    moment = [NONE] * len(frames)
    moment[begin + 50 : begin + 80] = ["squat"] * 30
    one = [*frames[: begin + cycle], *frames[begin + 2 * cycle :]]
    assert counts_of(restamped(one), moment[: len(one)]) == []
    # The same movement belongs to the set if a well labelled one follows.
    followed = list(moment)
    followed[begin + cycle : begin + 2 * cycle + 20] = ["squat"] * (cycle + 20)
    assert counts_of(frames, followed) == [("squat", 1), ("squat", 2)]


@pytest.mark.parametrize("times", [1, 2, 4])
def test_movements_to_one_side_count_from_the_second_one_on(make_film: Film, times: int) -> None:
    frames = make_film("trunk_rotation", 1)
    begin, half, still = 54, 45, [frames[54]] * 90
    movement = frames[begin : begin + half]
    film = restamped([*frames[:begin], *(movement + still) * times, *still])
    counter, history = RepetitionCounter(ExerciseSettings()), JointHistory(16.0)
    sides, counts = [], []
    for index, joints in enumerate(film):
        history.append(joints.stamp_ns, joints)
        label = "trunk_rotation" if index > begin + 20 else NONE
        repetition = counter.update(joints.stamp_ns, joints.frame_id, label, history)
        if repetition is not None:
            sides.append(repetition.side)
            counts.append(repetition.count)
    expected = times if times > 1 else 0
    assert counts == list(range(1, expected + 1))
    assert set(sides) <= {Side.LEFT}


def assessed(frames: list[Joints], label: str, every: int = 1) -> list[Repetition]:
    """Return the repetitions of every n-th frame, in which the label is always reported."""
    counter, history = RepetitionCounter(ExerciseSettings()), JointHistory(60.0)
    repetitions = []
    for joints in frames[::every]:
        history.append(joints.stamp_ns, joints)
        repetition = counter.update(joints.stamp_ns, joints.frame_id, label, history)
        repetitions += [repetition] if repetition is not None else []
    return repetitions


def test_every_repetition_has_a_quality_with_its_interval(make_film: Film) -> None:
    repetitions = assessed(make_film("squat", 4), "squat")
    assert len(repetitions) == 4
    for repetition in repetitions:
        assert 0.0 < repetition.quality_low <= repetition.quality <= repetition.quality_high <= 1.0
        assert repetition.quality_withheld == ""


def test_a_reason_is_given_once_a_set(make_film: Film) -> None:
    repetitions = assessed(make_film("squat", 4), "squat")
    given = [reason.partition(": ")[2] for repetition in repetitions for reason in repetition.reasons]
    words = {" ".join(word for word in reason.split() if not word[0].isdigit()) for reason in given}
    assert given
    assert len(words) == len(given)


def test_the_quality_is_withheld_with_the_reason_where_frames_are_few(make_film: Film) -> None:
    repetitions = assessed(make_film("squat", 4), "squat", every=6)
    assert repetitions
    for repetition in repetitions:
        assert np.isnan([repetition.quality, repetition.quality_low, repetition.quality_high]).all()
        assert repetition.quality_withheld == "not assessed: 5 frames/s, at least 8 are needed"
        assert repetition.reasons == ()


def test_the_quality_is_withheld_where_most_joints_are_uncertain(make_film: Film) -> None:
    frames = [dataclasses.replace(joints, confidence=0.2 * joints.confidence) for joints in make_film("squat", 2)]
    repetitions = assessed(frames, "squat")
    assert repetitions
    for repetition in repetitions:
        assert np.isnan(repetition.quality)
        assert "median confidence of the joints 0.2" in repetition.quality_withheld
