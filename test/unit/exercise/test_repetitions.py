"""Cycles are counted exactly, whatever the tempo, the range and the noise."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.datatypes import Joints, Repetition
from rehab_pose.exercise.catalogue import EXERCISES, NONE
from rehab_pose.exercise.history import JointHistory
from rehab_pose.exercise.repetitions import Cycle, CycleDetector, RepetitionCounter
from rehab_pose.exercise.settings import ExerciseSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME_NS = 33_333_333
Film = Callable[..., list[Joints]]


def cycles_of(values: NDArray[np.float64], minimum_range: float, *, two_sided: bool) -> list[Cycle]:
    detector = CycleDetector(minimum_range, two_sided=two_sided, shortest_s=0.7, longest_s=20.0)
    found = (detector.update(index * FRAME_NS, float(value)) for index, value in enumerate(values))
    return [cycle for cycle in found if cycle is not None]


def times_s(seconds: float) -> NDArray[np.float64]:
    return np.arange(int(seconds * 30)) / 30.0


@given(count=st.integers(1, 8), period_s=st.floats(1.2, 6.0), height=st.floats(0.3, 2.0), seed=st.integers(0, 99))
def test_one_sided_cycles(count: int, period_s: float, height: float, seed: int) -> None:
    phase = np.clip((times_s(count * period_s + 2.0) - 1.0) / period_s, 0.0, count)
    noise = np.random.default_rng(seed).normal(0.0, 0.02 * height, len(phase))
    found = cycles_of(height * (0.5 - 0.5 * np.cos(2 * np.pi * phase)) + noise, 0.2, two_sided=False)
    assert len(found) == count
    assert all(cycle.maximum - cycle.minimum > 0.7 * height for cycle in found)


@given(
    count=st.integers(1, 8),
    period_s=st.floats(1.5, 7.0),
    first=st.sampled_from([-1.0, 1.0]),
    centre=st.floats(-0.3, 0.3),
)
def test_two_sided_cycles_start_on_either_side(count: int, period_s: float, first: float, centre: float) -> None:
    phase = np.clip((times_s(count * period_s + 2.0) - 1.0) / period_s, 0.0, count)
    assert len(cycles_of(centre + first * 0.4 * np.sin(2 * np.pi * phase), 0.3, two_sided=True)) == count


def test_a_pause_in_the_middle_does_not_split_a_two_sided_cycle() -> None:
    bump = np.sin(np.linspace(0, np.pi, 45))
    rest = np.zeros(60)
    values = np.concatenate([rest, bump, rest, -bump, rest, bump, rest, -bump, rest])
    assert len(cycles_of(values, 0.5, two_sided=True)) == 2


def test_only_one_side_counts_a_cycle_a_movement() -> None:
    bump = np.sin(np.linspace(0, np.pi, 45))
    values = np.concatenate([np.zeros(30), *([bump, np.zeros(20)] * 4)])
    assert len(cycles_of(values, 0.5, two_sided=True)) == 3  # the last is counted when the next would begin


def test_small_and_fast_movements_do_not_count() -> None:
    t = times_s(10.0)
    assert not cycles_of(0.1 * np.sin(2 * np.pi * t / 3.0), 0.3, two_sided=False)
    assert not cycles_of(0.2 + 0.2 * np.sin(2 * np.pi * t / 0.4), 0.1, two_sided=False)


def test_incomplete_returns_count_and_half_attempts_do_not_split() -> None:
    deep = 1.0 - np.cos(np.linspace(0, 2 * np.pi, 90))
    tired = 0.4 + 0.8 * (1.0 - np.cos(np.linspace(0, 2 * np.pi, 90)))  # does not stand up all the way
    assert len(cycles_of(np.concatenate([np.zeros(30), deep, tired, tired, np.zeros(30)]), 0.4, two_sided=False)) == 3


def test_missing_values_are_passed_over() -> None:
    values = 0.5 - 0.5 * np.cos(2 * np.pi * times_s(6.0) / 3.0)
    values[40:46] = np.nan
    assert len(cycles_of(np.concatenate([values, np.zeros(10)]), 0.3, two_sided=False)) == 2


def count_with(frames: list[Joints], label: str, known_from: int) -> list[Repetition]:
    """Count with a label that is known only from some frame on."""
    settings = ExerciseSettings()
    counter, history = RepetitionCounter(settings), JointHistory(16.0)
    found = []
    for index, joints in enumerate(frames):
        history.append(joints.stamp_ns, joints)
        said = label if known_from <= index < len(frames) - 60 else NONE
        repetition = counter.update(joints.stamp_ns, joints.frame_id, said, history)
        found += [repetition] if repetition is not None else []
    return found


@pytest.mark.parametrize("label", EXERCISES)
@pytest.mark.parametrize("known_after_s", [1.5, 4.2])
def test_a_repetition_done_before_the_label_was_known_counts(make_film: Film, label: str, known_after_s: float) -> None:
    found = count_with(make_film(label, 4), label, int(known_after_s * 30))
    assert [repetition.count for repetition in found] == [1, 2, 3, 4]
    assert all(repetition.start_ns < repetition.end_ns <= repetition.stamp_ns for repetition in found)
    assert all(before.end_ns <= after.start_ns for before, after in pairwise(found))


def test_flicker_of_the_label_neither_loses_nor_doubles(make_film: Film) -> None:
    frames = make_film("squat", 5)
    counter, history = RepetitionCounter(ExerciseSettings()), JointHistory(16.0)
    counts = []
    for index, joints in enumerate(frames):
        history.append(joints.stamp_ns, joints)
        label = NONE if index < 60 or 200 < index < 230 or index % 50 < 5 else "squat"
        repetition = counter.update(joints.stamp_ns, joints.frame_id, label, history)
        counts += [repetition.count] if repetition is not None else []
    assert counts == [1, 2, 3, 4, 5]


def test_a_new_set_starts_at_one(make_film: Film) -> None:
    frames = make_film("squat", 2, rest_s=5.0)
    counter, history = RepetitionCounter(ExerciseSettings()), JointHistory(16.0)
    counts = []
    for round_number in range(2):
        for index, joints in enumerate(frames):
            stamp_ns = joints.stamp_ns + round_number * len(frames) * FRAME_NS
            history.append(stamp_ns, joints)
            label = "squat" if 60 <= index < len(frames) - 160 else NONE
            repetition = counter.update(stamp_ns, joints.frame_id, label, history)
            counts += [repetition.count] if repetition is not None else []
    assert counts == [1, 2, 1, 2]


def counts_of(frames: list[Joints], said: list[str], settings: ExerciseSettings | None = None) -> list[tuple[str, int]]:
    counter, history = RepetitionCounter(settings or ExerciseSettings()), JointHistory(16.0)
    found = []
    for joints, label in zip(frames, said, strict=True):
        history.append(joints.stamp_ns, joints)
        repetition = counter.update(joints.stamp_ns, joints.frame_id, label, history)
        found += [(repetition.label, repetition.count)] if repetition is not None else []
    return found


def test_a_short_wrong_label_counts_nothing_and_breaks_nothing(make_film: Film) -> None:
    frames = make_film("squat", 5)
    said = [NONE] * 90 + ["squat"] * (len(frames) - 90)
    said[230:250] = ["arm_lifting"] * 20
    assert counts_of(frames, said) == [("squat", number) for number in range(1, 6)]


def test_a_repetition_is_not_counted_again_by_the_next_set(make_film: Film) -> None:
    frames = make_film("arm_lifting", 2, rest_s=8.0)
    end = 30 + 24 + 2 * 90
    said = [NONE] * 90 + ["arm_lifting"] * (end + 15 - 90)
    said += [NONE] * 45 + ["arm_lifting"] * 60
    said += [NONE] * (len(frames) - len(said))
    forgetful = ExerciseSettings(set_gap_s=1.0, lookback_s=12.0)
    assert counts_of(frames, said, forgetful) == [("arm_lifting", 1), ("arm_lifting", 2)]


def test_a_label_that_flashes_up_counts_nothing(make_film: Film) -> None:
    frames = make_film("squat", 4)
    said = [NONE] * len(frames)
    said[220:235] = ["squat"] * 15
    assert counts_of(frames, said) == []
