"""Counting of a library exercise's signal, with the label given, on the simulator's exact joints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rehab_pose.exercise.exercise_library import shipped_library
from rehab_pose.exercise.repetition_signals import body_axes, signal_values
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose_lab.benchmarks.exercise_signals import AFTER_S, VIEWS, counted_cycles, scenes
from rehab_pose_sim.exercise_recording import joint_recording


def test_every_exercise_is_measured_in_every_view() -> None:
    assert len(scenes()) == len(VIEWS) * len(shipped_library().names)
    assert {scene.exercise for scene in scenes()} == set(shipped_library().names)


@pytest.mark.parametrize("name", ["squat", "marching", "single_leg_stance"])
def test_exact_joints_are_counted_exactly_and_still_ones_not_at_all(name: str) -> None:
    definition = shipped_library().definition(name)
    for view in VIEWS:
        recording = joint_recording(replace(view, exercise=name), after_s=AFTER_S)
        joints_m = recording.joints_m[:, SMPL_INDICES]
        values = signal_values(definition, joints_m, body_axes(joints_m, recording.up))
        assert counted_cycles(definition, recording.stamps_ns, values) == view.repetitions
        assert counted_cycles(definition, recording.stamps_ns, values * 0.0 + values[0]) == 0
