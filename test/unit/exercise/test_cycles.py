"""Cycles carry true times and turns, at every tempo; progress follows the movement."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.datatypes import RepetitionPhase
from rehab_pose.exercise.cycles import Cycle, CycleDetector

FRAME_NS = 33_333_333


def run(values: np.ndarray, *, two_sided: bool, least: float = 0.2) -> tuple[list[Cycle], list[RepetitionPhase]]:
    detector = CycleDetector(least, two_sided=two_sided, shortest_s=0.45, longest_s=20.0)
    found, phases = [], []
    for index, value in enumerate(values):
        cycle = detector.update(index * FRAME_NS, float(value))
        found += [cycle] if cycle else []
        phases.append(detector.phase)
    return found, phases


def one_sided(period_s: float, count: int, rest_s: float = 1.5) -> np.ndarray:
    times_s = np.arange(int((count * period_s + 2 * rest_s) * 30)) / 30.0
    phase = np.clip((times_s - rest_s) / period_s, 0.0, count)
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * phase))


@given(period_s=st.floats(0.7, 12.0), count=st.integers(1, 5), seed=st.integers(0, 50))
def test_every_tempo_is_counted_and_timed(period_s: float, count: int, seed: int) -> None:
    values = one_sided(period_s, count)
    values = values + np.random.default_rng(seed).normal(0.0, 0.015, len(values))
    found, _ = run(values, two_sided=False)
    assert len(found) == count
    for number, cycle in enumerate(found):
        middle_s = 1.5 + (number + 0.5) * period_s
        assert cycle.turn_ns * 1e-9 == pytest.approx(middle_s, abs=0.15 + 0.12 * period_s)
        assert (cycle.end_ns - cycle.start_ns) * 1e-9 == pytest.approx(period_s, abs=0.2 + 0.3 * period_s)
        assert cycle.start_ns < cycle.turn_ns < cycle.end_ns


@given(period_s=st.floats(0.7, 12.0), count=st.integers(1, 5), side=st.sampled_from([-1.0, 1.0]))
def test_both_sides_at_every_tempo(period_s: float, count: int, side: float) -> None:
    times_s = np.arange(int((count * period_s + 3.0) * 30)) / 30.0
    phase = np.clip((times_s - 1.5) / period_s, 0.0, count)
    found, _ = run(side * 0.5 * np.sin(2 * np.pi * phase), two_sided=True)
    assert len(found) == count
    assert found[0].turn_ns * 1e-9 == pytest.approx(1.5 + 0.25 * period_s, abs=0.15 + 0.05 * period_s)


def test_the_short_side_of_the_last_swing_counts_too() -> None:
    phase = np.clip((np.arange(330) / 30.0 - 1.5) / 4.0, 0.0, 2.0)
    swing = np.sin(2 * np.pi * phase)
    found, _ = run(np.where(swing > 0, 1.0, 0.35) * swing, two_sided=True)
    assert len(found) == 2


@pytest.mark.parametrize("share", [0.15, 0.3])
def test_an_attempt_that_is_given_up_does_not_count(share: float) -> None:
    whole, part = one_sided(2.5, 1, 0.5), share * one_sided(1.5, 1, 0.5)
    found, _ = run(np.concatenate([whole, part, whole]), two_sided=False, least=0.05)
    assert len(found) == 2


def test_phases_go_round() -> None:
    _, phases = run(one_sided(3.0, 2), two_sided=False)
    runs = [phase for place, phase in enumerate(phases) if place == 0 or phase != phases[place - 1]]
    assert runs[0] == RepetitionPhase.REST
    assert runs[-1] == RepetitionPhase.REST
    moving = [phase for phase in runs if phase != RepetitionPhase.REST]
    assert moving == [RepetitionPhase.OUT, RepetitionPhase.BACK] * 2


def test_a_pause_belongs_to_no_repetition() -> None:
    whole = one_sided(2.0, 1, 0.2)
    found, _ = run(np.concatenate([whole, np.zeros(120), whole]), two_sided=False)
    assert len(found) == 2
    assert (found[1].start_ns - found[0].end_ns) * 1e-9 > 3.5
