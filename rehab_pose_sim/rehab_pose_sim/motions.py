"""What a simulated person does over time: standing still and exercises in turn, with the truth about each moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rehab_pose_sim.exercises import EXERCISES
from rehab_pose_sim.posture import Posture, Stance, blended

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import BodyParameters
    from rehab_pose_sim.settings import SimulationSettings

__all__ = ["BodyMotion", "Motion", "MotionSample", "Segment", "plan_of"]

PERSON_TEMPO_SPREAD, CYCLE_TEMPO_SPREAD = 0.08, 0.04
"""Spread of the period between people and between repetitions (log scale; KIMORE's experts spread by 0.2)."""
CYCLE_SIZE_SPREAD = 0.04
SWAY_M, SWAY_RAD = 0.004, 0.012
"""Amplitude of quiet standing's sway: pelvis [m], trunk and arms [rad]."""
IDLE_S = 10.0
MIN_REPETITIONS = 2
LEAVE_S = 0.9
"""Time to get back to standing after the last repetition [s]."""


@dataclass(frozen=True, eq=False)
class Segment:
    """A stretch of time with one label."""

    label: str
    start_s: float
    end_s: float
    cycle_starts_s: NDArray[np.float64]
    """(C + 1) when each repetition begins, and when the last one ends [s]."""
    cycle_sizes: NDArray[np.float64]
    """(C) size of each repetition; 1: as healthy people."""


@dataclass(frozen=True, eq=False)
class MotionSample:
    """The truth about one moment."""

    parameters: BodyParameters
    """In a y-up world whose origin is on the floor [m]."""
    label: str
    phase: float
    """0-1 within the current repetition; NaN outside repetitions."""
    repetitions: int
    """Finished since the exercise began."""
    angles_rad: dict[str, float]
    """Clinical angles that the script sets: trunk_lateral_tilt, trunk_rotation and trunk_flexion, of the chest."""


class BodyMotion(Protocol):
    """Anything that says where a body is at any time: a script, or a recording."""

    @property
    def length_s(self) -> float:
        """After this time the motion begins again [s]."""

    def at(self, time_s: float) -> MotionSample:
        """Return what the person does at a time [s] from 0 on."""


def plan_of(settings: SimulationSettings) -> tuple[Segment, ...]:
    """Return what happens when, from the settings and their seed."""
    random = np.random.default_rng([settings.seed, 1])
    labels = tuple(EXERCISES) if settings.exercise == "all" else (settings.exercise,)
    segments, now = [], 0.0
    for label in labels:
        idle_s = IDLE_S if label == "none" else settings.gap_s
        if idle_s > 0.0:
            segments.append(Segment("none", now, now + idle_s, np.zeros(1), np.zeros(0)))
            now += idle_s
        if label != "none":
            segments.append(_exercise_segment(label, now, settings, random))
            now = segments[-1].end_s
    return tuple(segments)


def _exercise_segment(label: str, start_s: float, settings: SimulationSettings, random: np.random.Generator) -> Segment:
    exercise = EXERCISES[label]
    period = exercise.period_s / settings.tempo * np.exp(random.normal(0.0, PERSON_TEMPO_SPREAD))
    moving_s = settings.seconds_per_exercise - exercise.lead_s - LEAVE_S
    count = max(MIN_REPETITIONS, round(moving_s / period))
    starts = (
        start_s
        + exercise.lead_s
        + np.append(0.0, np.cumsum(period * np.exp(random.normal(0.0, CYCLE_TEMPO_SPREAD, count))))
    )
    sizes = settings.amplitude * np.exp(random.normal(0.0, CYCLE_SIZE_SPREAD, count))
    return Segment(label, start_s, float(starts[-1]) + LEAVE_S, starts, sizes)


class Motion:
    """One person's movements; repeats its plan for ever."""

    def __init__(self, stance: Stance, plan: tuple[Segment, ...], settings: SimulationSettings) -> None:
        self._stance = stance
        self._plan = plan
        self._settings = settings
        random = np.random.default_rng([settings.seed, 2])
        self._sway_hz = random.uniform(0.12, 0.55, size=(12, 2))
        self._sway_phase_rad = random.uniform(0.0, 2.0 * np.pi, size=(12, 2))

    @property
    def length_s(self) -> float:
        """After this time the plan begins again [s]."""
        return self._plan[-1].end_s

    def at(self, time_s: float) -> MotionSample:
        """Return what the person does at a time [s] from 0 on."""
        now = time_s % self.length_s
        segment = next(entry for entry in self._plan if now < entry.end_s)
        posture, phase, repetitions = self._scripted(segment, now)
        posture = self._swaying(posture, time_s)
        chest = posture.pelvis_rad + posture.spine_rad
        angles = {
            "trunk_flexion": float(chest[0]),
            "trunk_rotation": float(chest[1]),
            "trunk_lateral_tilt": float(-chest[2]),
        }
        return MotionSample(self._stance.parameters(posture), segment.label, phase, repetitions, angles)

    def _scripted(self, segment: Segment, now: float) -> tuple[Posture, float, int]:
        if segment.label == "none":
            return Posture(), float("nan"), 0
        exercise, starts = EXERCISES[segment.label], segment.cycle_starts_s
        cycle = int(np.searchsorted(starts, now, side="right")) - 1
        repetitions = int(np.clip(cycle, 0, len(segment.cycle_sizes)))
        if 0 <= cycle < len(segment.cycle_sizes):
            phase = float((now - starts[cycle]) / (starts[cycle + 1] - starts[cycle]))
            return self._exercising(segment, cycle, phase), phase, repetitions
        # Getting ready before the first repetition, and standing up after the last.
        share = (now - segment.start_s) / exercise.lead_s if cycle < 0 else (segment.end_s - now) / LEAVE_S
        share = float(np.clip(share, 0.0, 1.0))
        ready = self._exercising(segment, 0 if cycle < 0 else -1, 0.0)
        return blended(Posture(), ready, share * share * (3.0 - 2.0 * share)), float("nan"), repetitions

    def _exercising(self, segment: Segment, cycle: int, phase: float) -> Posture:
        """Return the posture in a repetition; its size passes smoothly from the one before."""
        sizes = segment.cycle_sizes
        before = sizes[max(cycle - 1, 0)] if cycle >= 0 else sizes[-1]
        size = before + (sizes[cycle] - before) * min(1.0, 4.0 * phase)
        return EXERCISES[segment.label].posture(phase, float(size), self._settings.asymmetry)

    def _swaying(self, posture: Posture, time_s: float) -> Posture:
        angle = 2.0 * np.pi * self._sway_hz * time_s + self._sway_phase_rad
        wave = 0.5 * self._settings.sway * np.sin(angle).sum(axis=1)
        return Posture(
            pelvis_m=posture.pelvis_m + SWAY_M * wave[:3] * [1.0, 0.0, 1.0],
            pelvis_rad=posture.pelvis_rad + 0.3 * SWAY_RAD * wave[3:6],
            spine_rad=posture.spine_rad + SWAY_RAD * wave[3:6],
            neck_rad=posture.neck_rad + 2.0 * SWAY_RAD * wave[6:9],
            arms=posture.arms + 2.0 * SWAY_RAD * wave[9:12],
        )
