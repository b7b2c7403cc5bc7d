"""Movement-level labels of a recording: the exercise, standing around it, and gestures before it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose_lab.datasets.clip import Clip, clip_from_joints
from rehab_pose_lab.datasets.movement_phases import movement_phases
from rehab_pose_lab.training.exercise_windows import labelled_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.datatypes import Joints

    Film = Callable[..., list[Joints]]


def clip_of(frames: list[Joints], label: str) -> Clip:
    return clip_from_joints(frames, name=label, dataset="kimore", subject="s1", label=label)


def joined(first: Clip, second: Clip) -> Clip:
    """Return the second clip, preceded by the first."""
    shift = int(first.stamps_ns[-1]) + 33_000_000 - int(second.stamps_ns[0])
    return replace(
        second,
        stamps_ns=np.concatenate([first.stamps_ns, second.stamps_ns + shift]),
        positions_m=np.concatenate([first.positions_m, second.positions_m]),
        confidence=np.concatenate([first.confidence, second.confidence]),
    )


@pytest.mark.parametrize("label", ["squat", "trunk_rotation"])
def test_standing_before_and_after_is_no_part_of_the_exercise(make_film: Film, label: str) -> None:
    clip = clip_of(make_film(label, 3, rest_s=4.0, noise_m=0.003), label)
    phases = movement_phases(clip)
    assert phases is not None
    assert 0.8 <= (phases.start_ns - clip.stamps_ns[0]) * 1e-9 <= 3.0
    assert (clip.stamps_ns[-1] - phases.end_ns) * 1e-9 >= 3.0
    assert not phases.gestures_ns


def test_arms_overhead_before_a_squat_are_a_gesture_and_taught_as_arm_lifting(make_film: Film) -> None:
    lift = clip_of(make_film("arm_lifting", 1, rest_s=2.0), "squat")
    clip = joined(lift, clip_of(make_film("squat", 3, rest_s=2.0), "squat"))
    phases = movement_phases(clip)
    assert phases is not None
    assert len(phases.gestures_ns) == 1
    start_ns, end_ns = phases.gestures_ns[0]
    assert start_ns >= lift.stamps_ns[0]
    assert end_ns <= lift.stamps_ns[-1] < phases.start_ns
    parts = {part.movement: part for part in labelled_parts(clip, 5)}
    assert parts["kimore/gesture"].label == 1
    assert parts["kimore/squat"].active_ends_ns.min() > phases.start_ns
    assert not parts["kimore/gesture"].recorded


def test_a_recording_that_does_not_show_its_exercise_has_no_phases(make_film: Film) -> None:
    assert movement_phases(clip_of(make_film("arm_lifting", 2), "lateral_trunk_tilt")) is None
    assert movement_phases(clip_of(make_film("squat", 1)[:20], "squat")) is None
    assert movement_phases(clip_of(make_film("squat", 1), "walking")) is None
