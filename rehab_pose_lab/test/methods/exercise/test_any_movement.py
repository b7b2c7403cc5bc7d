"""AnyMovementCounter: repetitions of movements without a label."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from rehab_pose.datatypes import Joints
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose_lab.methods.exercise.any_movement import AnyMovementCounter, principal_motion

Film = Callable[..., list[Joints]]


@pytest.mark.parametrize("label", EXERCISES)
def test_repetitions_of_any_movement_are_counted(make_film: Film, label: str) -> None:
    frames = make_film(label, 6, noise_m=0.004)[54:]  # from the starting pose on
    counter = AnyMovementCounter(len(SMPL_INDICES))
    cycles = [cycle for joints in frames for cycle in counter.update(joints.stamp_ns, joints.positions_m[SMPL_INDICES])]
    assert len(cycles) == 6
    assert all(before.end_ns <= after.end_ns for before, after in pairwise(cycles))


def test_a_person_at_rest_gives_no_repetition(make_film: Film) -> None:
    frames = make_film("none", 4)
    counter = AnyMovementCounter(len(SMPL_INDICES))
    assert not any(counter.update(joints.stamp_ns, joints.positions_m[SMPL_INDICES]) for joints in frames)


def test_the_principal_motion_interpolates_gaps_and_starts_low() -> None:
    positions_m = np.zeros((60, 3, 3))
    positions_m[:, 0, 1] = -np.sin(np.pi * np.arange(60) / 59)
    gappy = positions_m.copy()
    gappy[20:23] = np.nan
    complete, bridged = principal_motion(positions_m), principal_motion(gappy)
    assert complete[0] < complete[30]
    assert np.abs(complete - bridged).max() < 0.2
