"""Smoothness, side, asymmetry and progress of repetitions with known truth."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from rehab_pose.datatypes import Joints, Repetition, RepetitionPhase, RepetitionProgress, Side
from rehab_pose.exercise.catalogue import EXERCISES, NONE
from rehab_pose.exercise.joint_history import JointHistory
from rehab_pose.exercise.repetition_counter import RepetitionCounter
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.smoothness_and_symmetry import spectral_arc_length

Film = Callable[..., list[Joints]]
FRAME_NS = 33_333_333


def counted(frames: list[Joints], label: str) -> tuple[list[Repetition], list[RepetitionProgress | None]]:
    counter, history = RepetitionCounter(ExerciseSettings()), JointHistory(16.0)
    repetitions, progress = [], []
    for index, joints in enumerate(frames):
        history.append(joints.stamp_ns, joints)
        reported = label if 60 <= index < len(frames) - 45 else NONE
        repetition = counter.update(joints.stamp_ns, joints.frame_id, reported, history)
        repetitions += [repetition] if repetition else []
        progress.append(counter.progress(joints.stamp_ns, joints.frame_id))
    return repetitions, progress


@pytest.mark.parametrize("label", EXERCISES)
def test_all_measures_of_a_repetition_are_computed(make_film: Film, label: str) -> None:
    repetitions, progress = counted(make_film(label, 3), label)
    assert [repetition.count for repetition in repetitions] == [1, 2, 3]
    two_sided = label not in {"arm_lifting", "squat"}
    for repetition in repetitions:
        assert repetition.side == (Side.BOTH if two_sided else Side.ANY)
        assert repetition.start_ns < repetition.turn_ns < repetition.end_ns
        assert repetition.smoothness < -1.0
        assert abs(repetition.asymmetry) < 0.3
        assert 0.0 <= repetition.quality <= 1.0
    reported_progress = [state for state in progress if state is not None]
    assert {state.label for state in reported_progress} == {label}
    assert {RepetitionPhase.OUT, RepetitionPhase.BACK} <= {state.phase for state in reported_progress}
    assert max(state.count for state in reported_progress) == 3
    resting = [state.phase == RepetitionPhase.REST for state in reported_progress]
    assert resting == [np.isnan(state.elapsed_s) for state in reported_progress]


def test_a_tremor_reduces_the_smoothness() -> None:
    stamps_ns = np.arange(90) * FRAME_NS
    calm = 0.5 - 0.5 * np.cos(np.pi * np.arange(90) / 89)
    tremor = calm + 0.03 * np.sin(2 * np.pi * 4.0 * np.arange(90) / 30)
    assert spectral_arc_length(stamps_ns, calm) > -1.8
    assert spectral_arc_length(stamps_ns, tremor) < spectral_arc_length(stamps_ns, calm) - 1.0
    assert np.isnan(spectral_arc_length(stamps_ns, np.full(90, np.nan)))


def test_smoothness_does_not_depend_on_size_or_tempo() -> None:
    curve = 0.5 - 0.5 * np.cos(np.pi * np.arange(90) / 89)
    slow = 0.5 - 0.5 * np.cos(np.pi * np.arange(180) / 179)
    reference = spectral_arc_length(np.arange(90) * FRAME_NS, curve)
    assert spectral_arc_length(np.arange(90) * FRAME_NS, 7.0 * curve) == pytest.approx(reference)
    assert spectral_arc_length(np.arange(180) * FRAME_NS, slow) == pytest.approx(reference, abs=0.1)


def test_counting_takes_less_than_its_time_budget(make_film: Film) -> None:
    frames = make_film("squat", 5)
    counter, history = RepetitionCounter(ExerciseSettings()), JointHistory(16.0)
    spent_s = 0.0
    for index, joints in enumerate(frames):
        history.append(joints.stamp_ns, joints)
        start_s = time.perf_counter()
        counter.update(joints.stamp_ns, joints.frame_id, "squat" if index > 60 else NONE, history)
        counter.progress(joints.stamp_ns, joints.frame_id)
        spent_s += time.perf_counter() - start_s
    assert 1e3 * spent_s / len(frames) < 0.6  # [ms]; measured: 0.04 ms
