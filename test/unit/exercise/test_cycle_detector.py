"""CycleDetector: counts, times and phases of cycles at every tempo, range and noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.datatypes import RepetitionPhase
from rehab_pose.exercise.cycle_detector import Cycle, CycleDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME_NS = 33_333_333


def run(
    values: NDArray[np.float64], *, two_sided: bool, minimum_range: float = 0.2
) -> tuple[list[Cycle], list[RepetitionPhase]]:
    detector = CycleDetector(minimum_range, two_sided=two_sided, shortest_s=0.45, longest_s=20.0)
    cycles, phases = [], []
    for index, value in enumerate(values):
        cycle = detector.update(index * FRAME_NS, float(value))
        cycles += [cycle] if cycle else []
        phases.append(detector.phase)
    return cycles, phases


def one_sided(period_s: float, count: int, rest_s: float = 1.5) -> NDArray[np.float64]:
    times_s = np.arange(int((count * period_s + 2 * rest_s) * 30)) / 30.0
    phase = np.clip((times_s - rest_s) / period_s, 0.0, count)
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * phase))


@given(period_s=st.floats(0.7, 12.0), count=st.integers(1, 5), seed=st.integers(0, 50))
def test_one_sided_cycles_have_the_right_count_and_times_at_every_tempo(period_s: float, count: int, seed: int) -> None:
    values = one_sided(period_s, count)
    values = values + np.random.default_rng(seed).normal(0.0, 0.015, len(values))
    cycles, _ = run(values, two_sided=False)
    assert len(cycles) == count
    for number, cycle in enumerate(cycles):
        middle_s = 1.5 + (number + 0.5) * period_s
        assert cycle.turn_ns * 1e-9 == pytest.approx(middle_s, abs=0.15 + 0.12 * period_s)
        assert (cycle.end_ns - cycle.start_ns) * 1e-9 == pytest.approx(period_s, abs=0.2 + 0.3 * period_s)
        assert cycle.start_ns < cycle.turn_ns < cycle.end_ns


@given(period_s=st.floats(0.7, 12.0), count=st.integers(1, 5), side=st.sampled_from([-1.0, 1.0]))
def test_two_sided_cycles_have_the_right_count_and_turn_at_every_tempo(
    period_s: float, count: int, side: float
) -> None:
    times_s = np.arange(int((count * period_s + 3.0) * 30)) / 30.0
    phase = np.clip((times_s - 1.5) / period_s, 0.0, count)
    cycles, _ = run(side * 0.5 * np.sin(2 * np.pi * phase), two_sided=True)
    assert len(cycles) == count
    assert cycles[0].turn_ns * 1e-9 == pytest.approx(1.5 + 0.25 * period_s, abs=0.15 + 0.05 * period_s)


def test_a_last_swing_with_a_small_side_is_counted() -> None:
    phase = np.clip((np.arange(330) / 30.0 - 1.5) / 4.0, 0.0, 2.0)
    swing = np.sin(2 * np.pi * phase)
    cycles, _ = run(np.where(swing > 0, 1.0, 0.35) * swing, two_sided=True)
    assert len(cycles) == 2


@pytest.mark.parametrize("fraction", [0.15, 0.3])
def test_an_abandoned_attempt_is_not_counted(fraction: float) -> None:
    complete, part = one_sided(2.5, 1, 0.5), fraction * one_sided(1.5, 1, 0.5)
    cycles, _ = run(np.concatenate([complete, part, complete]), two_sided=False, minimum_range=0.05)
    assert len(cycles) == 2


def test_phases_alternate_between_out_and_back() -> None:
    _, phases = run(one_sided(3.0, 2), two_sided=False)
    runs = [phase for index, phase in enumerate(phases) if index == 0 or phase != phases[index - 1]]
    assert runs[0] == RepetitionPhase.REST
    assert runs[-1] == RepetitionPhase.REST
    moving = [phase for phase in runs if phase != RepetitionPhase.REST]
    assert moving == [RepetitionPhase.OUT, RepetitionPhase.BACK] * 2


def test_a_pause_is_not_part_of_a_cycle() -> None:
    complete = one_sided(2.0, 1, 0.2)
    cycles, _ = run(np.concatenate([complete, np.zeros(120), complete]), two_sided=False)
    assert len(cycles) == 2
    assert (cycles[1].start_ns - cycles[0].end_ns) * 1e-9 > 3.5


def cycles_of(values: NDArray[np.float64], minimum_range: float, *, two_sided: bool) -> list[Cycle]:
    detector = CycleDetector(minimum_range, two_sided=two_sided, shortest_s=0.7, longest_s=20.0)
    cycles = (detector.update(index * FRAME_NS, float(value)) for index, value in enumerate(values))
    return [cycle for cycle in cycles if cycle is not None]


def times_s(seconds: float) -> NDArray[np.float64]:
    return np.arange(int(seconds * 30)) / 30.0


@given(count=st.integers(1, 8), period_s=st.floats(1.2, 6.0), height=st.floats(0.3, 2.0), seed=st.integers(0, 99))
def test_one_sided_cycles_are_counted_with_any_height_and_noise(
    count: int, period_s: float, height: float, seed: int
) -> None:
    phase = np.clip((times_s(count * period_s + 2.0) - 1.0) / period_s, 0.0, count)
    noise = np.random.default_rng(seed).normal(0.0, 0.02 * height, len(phase))
    cycles = cycles_of(height * (0.5 - 0.5 * np.cos(2 * np.pi * phase)) + noise, 0.2, two_sided=False)
    assert len(cycles) == count
    assert all(cycle.maximum - cycle.minimum > 0.7 * height for cycle in cycles)


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


def test_movements_to_one_side_are_cycles_of_a_two_sided_signal() -> None:
    bump = np.sin(np.linspace(0, np.pi, 45))
    values = np.concatenate([np.zeros(30), *([bump, np.zeros(20)] * 4)])
    assert len(cycles_of(values, 0.5, two_sided=True)) == 3  # the last one is counted after a rest, or with the next
    assert len(cycles_of(np.append(values, np.zeros(60)), 0.5, two_sided=True)) == 4


@pytest.mark.parametrize("hold_s", [2, 6, 10])
@pytest.mark.parametrize("sides", [(1.0, -1.0), (1.0,), (-1.0,)])
def test_holds_on_either_side_and_rests_between_are_counted(hold_s: int, sides: tuple[float, ...]) -> None:
    out, hold, rest = smooth_way(30), np.ones(30 * hold_s), np.zeros(240)
    parts = [side * np.concatenate([out, hold, out[::-1]]) for side in sides]
    values = np.concatenate([np.zeros(60), *([*parts, rest] * 3)])
    values += np.random.default_rng(hold_s).normal(0.0, 0.02, len(values))
    detector = CycleDetector(0.5, two_sided=True, shortest_s=0.45, longest_s=40.0)
    cycles = [detector.update(index * FRAME_NS, float(value)) for index, value in enumerate(values)]
    assert sum(cycle is not None for cycle in cycles) == 3


def test_a_held_far_point_is_away_from_rest() -> None:
    detector = CycleDetector(0.5, two_sided=False, shortest_s=0.45, longest_s=40.0)
    values = np.concatenate([np.zeros(30), smooth_way(30), np.ones(300)])
    away = []
    for index, value in enumerate(values):
        detector.update(index * FRAME_NS, float(value))
        away.append(detector.away)
    assert not any(away[:30])
    assert all(away[60:])


def smooth_way(count: int) -> NDArray[np.float64]:
    return np.asarray(0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, count)))


def test_small_and_fast_movements_are_not_counted() -> None:
    t = times_s(10.0)
    assert not cycles_of(0.1 * np.sin(2 * np.pi * t / 3.0), 0.3, two_sided=False)
    assert not cycles_of(0.2 + 0.2 * np.sin(2 * np.pi * t / 0.4), 0.1, two_sided=False)


def test_incomplete_returns_are_counted() -> None:
    full = 1.0 - np.cos(np.linspace(0, 2 * np.pi, 90))
    partial = 0.4 + 0.8 * (1.0 - np.cos(np.linspace(0, 2 * np.pi, 90)))  # does not return to rest
    assert (
        len(cycles_of(np.concatenate([np.zeros(30), full, partial, partial, np.zeros(30)]), 0.4, two_sided=False)) == 3
    )


def test_missing_values_are_ignored() -> None:
    values = 0.5 - 0.5 * np.cos(2 * np.pi * times_s(6.0) / 3.0)
    values[40:46] = np.nan
    assert len(cycles_of(np.concatenate([values, np.zeros(10)]), 0.3, two_sided=False)) == 2


@given(rate_hz=st.floats(2.0, 12.0), period_s=st.floats(1.5, 4.0), two_sided=st.booleans(), seed=st.integers(0, 1000))
def test_a_cycle_turns_between_its_start_and_its_end_at_low_frame_rates(
    rate_hz: float, period_s: float, seed: int, *, two_sided: bool
) -> None:
    """At a few frames a second one sample may be at the extreme and the next one in the middle again."""
    random = np.random.default_rng(seed)
    detector = CycleDetector(0.2, two_sided=two_sided, shortest_s=0.45, longest_s=20.0)
    times_s = np.sort(random.uniform(0.0, 30.0, int(30.0 * rate_hz)))
    phase = 2 * np.pi * np.maximum(times_s - 2.0, 0.0) / period_s
    values = 0.5 * np.sin(phase) if two_sided else 0.5 - 0.5 * np.cos(phase)
    for time_s, value in zip(times_s, values + random.normal(0.0, 0.01, len(values)), strict=True):
        cycle = detector.update(round(time_s * 1e9) + 1, float(value))
        if cycle is not None:
            assert cycle.start_ns <= cycle.turn_ns <= cycle.end_ns
