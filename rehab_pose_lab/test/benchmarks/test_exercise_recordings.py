"""Counting of joined episodes: each is one repetition, except that the first ones begin in the middle of a cycle."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.exercise_recordings import FRAME_NS, recorded_set_metrics
from rehab_pose_lab.datasets.clip import Clip
from rehab_pose_sim.exercise_recording import joint_recording
from rehab_pose_sim.settings import SimulationSettings


def episodes(exercise: str, label: str, group: str, count: int = 4) -> list[Clip]:
    """Return the repetitions of a simulated set as clips, each from one start to the next."""
    recording = joint_recording(SimulationSettings(exercise=exercise, repetitions=count, gap_s=0.0, rate_hz=30.0))
    starts = [int(np.searchsorted(recording.stamps_ns, stamp)) for stamp in recording.cycles_ns[:, 0]]
    bounds = [0, *starts[1:], len(recording.stamps_ns)]
    return [
        Clip(
            name=f"{label}_{first}",
            dataset="ui_prmd",
            subject="s01",
            group=group,
            label=label,
            stamps_ns=np.arange(end - first, dtype=np.int64) * FRAME_NS,
            skeleton=SMPL_24,
            positions_m=recording.joints_m[first:end].astype(np.float32),
            confidence=np.ones((end - first, 24), np.float32),
        )
        for first, end in pairwise(bounds)
    ]


def test_sets_are_counted_by_exercise_and_group() -> None:
    squats, more = episodes("squat", "deep_squat", "correct"), episodes("squat", "deep_squat", "incorrect")
    metrics = recorded_set_metrics([*squats, *more[:-1], more[0]])
    assert metrics["ui_prmd_squat_exact_pct"] == 100.0
    assert metrics["ui_prmd_correct_exact_pct"] == 100.0
    assert set(metrics) == {"ui_prmd_squat_exact_pct", "ui_prmd_correct_exact_pct", "ui_prmd_incorrect_exact_pct"}


def test_other_movements_are_left_out() -> None:
    assert recorded_set_metrics(episodes("squat", "shoulder_abduction", "correct")) == {}
