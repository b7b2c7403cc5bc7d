"""Rendered sets of repetitions: their asymmetry and count are measured by the repetition counter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehab_pose.exercise.catalogue import NONE
from rehab_pose.exercise.joint_history import JointHistory
from rehab_pose.exercise.repetition_counter import RepetitionCounter
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose_lab.training.repetition_sets import SetPlan, render_set

if TYPE_CHECKING:
    from rehab_pose.datatypes import Joints, Repetition


def counted(frames: list[Joints], label: str) -> list[Repetition]:
    counter, history = RepetitionCounter(ExerciseSettings()), JointHistory(16.0)
    repetitions = []
    for index, joints in enumerate(frames):
        history.append(joints.stamp_ns, joints)
        reported = label if 60 <= index < len(frames) - 45 else NONE
        repetition = counter.update(joints.stamp_ns, joints.frame_id, reported, history)
        repetitions += [repetition] if repetition else []
    return repetitions


def plan(label: str, **changes: float | bool) -> SetPlan:
    facts: dict[str, object] = {
        "label": label,
        "period_s": 3.0,
        "count": 3,
        "amplitude": 0.8,
        "asymmetry": 0.0,
        "shape_seed": 3,
        "yaw_rad": 0.3,
        "rate_hz": 30.0,
        "noise_scale": 0.4,
        "pauses": False,
        "partial": False,
        "joints_go_missing": False,
        "seed": 5,
    }
    return SetPlan(**{**facts, **changes})  # type: ignore[arg-type]


@pytest.mark.no_cover
@pytest.mark.parametrize("label", ["lateral_trunk_tilt", "trunk_rotation"])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_the_asymmetry_has_the_sign_of_the_larger_side(label: str, sign: float) -> None:
    frames, _ = render_set(plan(label, asymmetry=0.4 * sign))
    repetitions = counted(frames, label)
    assert len(repetitions) == 3
    assert all(0.15 < sign * repetition.asymmetry < 0.75 for repetition in repetitions)


def test_partial_attempts_missing_joints_and_pauses_do_not_change_the_count() -> None:
    frames, _ = render_set(plan("squat", partial=True, joints_go_missing=True, pauses=True, count=4))
    assert len(counted(frames, "squat")) == 4
