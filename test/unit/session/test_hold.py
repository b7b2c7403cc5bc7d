"""The time at the far point of a repetition."""

from __future__ import annotations

import pytest

from rehab_pose.datatypes import Repetition, RepetitionPhase, RepetitionProgress
from rehab_pose.exercise.exercise_library import shipped_library
from rehab_pose.session.hold import HoldTimer
from rehab_pose.units import NS_PER_S

SQUAT = shipped_library().definition("squat")


def progress(time_s: float, signal: float, phase: RepetitionPhase) -> RepetitionProgress:
    return RepetitionProgress(round(time_s * NS_PER_S), "camera", "squat", 0, phase, "pelvis_drop_m", signal, time_s)


def test_the_hold_begins_near_the_far_point_and_ends_with_the_way_back() -> None:
    timer = HoldTimer()
    held = [
        timer.progress(progress(time_s, signal, phase), SQUAT)
        for time_s, signal, phase in (
            (0.0, -0.95, RepetitionPhase.REST),
            (0.5, -0.90, RepetitionPhase.OUT),
            (1.0, -0.70, RepetitionPhase.OUT),
            (3.0, -0.68, RepetitionPhase.OUT),
            (4.0, -0.70, RepetitionPhase.BACK),
            (4.5, -0.90, RepetitionPhase.BACK),
        )
    ]
    assert held == pytest.approx([0.0, 0.0, 0.0, 2.0, 3.0, 0.0])
    assert timer.progress(None, SQUAT) == 0.0


def test_the_range_of_the_last_repetition_replaces_the_typical_one() -> None:
    timer = HoldTimer()
    timer.repetition(Repetition(10, "camera", "squat", 1, 0, 10, "pelvis_drop_m", -0.95, -0.85, 0.9))
    timer.progress(progress(1.0, -0.95, RepetitionPhase.REST), SQUAT)
    timer.progress(progress(2.0, -0.87, RepetitionPhase.OUT), SQUAT)
    assert timer.progress(progress(2.5, -0.86, RepetitionPhase.OUT), SQUAT) == pytest.approx(0.5)
