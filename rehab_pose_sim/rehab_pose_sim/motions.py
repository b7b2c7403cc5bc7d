"""Movements of the simulated person over time: standing still and exercises in turn, with the ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rehab_pose_sim.exercises import EXERCISES
from rehab_pose_sim.pose import ScriptedPose, Stance, blended, mirrored_pose, smoothstep
from rehab_pose_sim.repetition_timing import RepetitionTiming
from rehab_pose_sim.resting_exercises import RESTING_EXERCISES
from rehab_pose_sim.upright_exercises import ON_THIGHS, UPRIGHT_EXERCISES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import BodyParameters
    from rehab_pose_sim.settings import SimulationSettings

__all__ = ["BodyMotion", "Motion", "MotionSample", "Segment", "motion_plan", "repetition_timing"]

PERSON_TEMPO_STD, CYCLE_TEMPO_STD = 0.08, 0.04
"""Standard deviation of the logarithm of the period, between people and between repetitions (KIMORE's experts: 0.2)."""
CYCLE_SIZE_STD = 0.04
"""Standard deviation of the logarithm of a repetition's size."""
SWAY_M, SWAY_RAD = 0.004, 0.012
"""Amplitude of the sway in quiet standing: pelvis [m], trunk and arms [rad]."""
SWAY_HZ = (0.12, 0.55)
"""Range of the sway's frequencies [Hz]."""
IDLE_S = 10.0
"""Length of the plan that holds no exercise [s]."""
MIN_REPETITIONS = 2
LEAVE_S = 0.9
"""Time from the last repetition back to standing [s]."""


@dataclass(frozen=True, eq=False)
class Segment:
    """An interval of time with one label."""

    label: str
    start_s: float
    end_s: float
    cycle_starts_s: NDArray[np.float64]
    """(C + 1) start of each repetition, and end of the last one [s]."""
    cycle_sizes: NDArray[np.float64]
    """(C) size of each repetition; 1: as healthy people do it."""
    rest_s: float = 0.0
    """Pause between two repetitions, which belongs to neither [s]."""

    @property
    def cycle_ends_s(self) -> NDArray[np.float64]:
        """(C) end of each repetition [s]."""
        ends = self.cycle_starts_s[1:].copy()
        ends[:-1] -= self.rest_s
        return ends

    def moment(self, timing: RepetitionTiming, now_s: float) -> tuple[float, float, int]:
        """Return the phase (NaN outside repetitions), the repetition's size and the completed ones at a time [s]."""
        cycle = int(np.searchsorted(self.cycle_starts_s, now_s, side="right")) - 1
        count = len(self.cycle_sizes)
        if not 0 <= cycle < count:
            return (
                float("nan"),
                float(self.cycle_sizes[0 if cycle < 0 else -1]) if count else 1.0,
                max(min(cycle, count), 0),
            )
        start_s, end_s, size = self.cycle_starts_s[cycle], self.cycle_ends_s[cycle], float(self.cycle_sizes[cycle])
        if now_s >= end_s:
            return float("nan"), size, cycle + 1
        return float(timing.phase(now_s - start_s, float(end_s - start_s))), size, cycle


@dataclass(frozen=True, eq=False)
class MotionSample:
    """Ground truth of one moment."""

    parameters: BodyParameters
    """In the y-up world whose origin is on the floor [m]."""
    label: str
    phase: float
    """0-1 within the current repetition; NaN outside repetitions."""
    repetitions: int
    """Completed since the exercise began."""
    angles_rad: dict[str, float]
    """Clinical angles of the chest that the script sets: trunk_lateral_tilt, trunk_rotation and trunk_flexion [rad]."""


class BodyMotion(Protocol):
    """The pose of a body at any time, from a script or from a recording."""

    @property
    def length_s(self) -> float:
        """Time after which the motion repeats [s]."""

    def at(self, time_s: float) -> MotionSample:
        """Return pose and label at a time from 0 on [s]."""


def motion_plan(settings: SimulationSettings) -> tuple[Segment, ...]:
    """Return the segments in order of time, from the settings and their seed."""
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
    exercise = RESTING_EXERCISES.get(label) or UPRIGHT_EXERCISES[label]
    timing = repetition_timing(label, settings)
    period = timing.share * exercise.period_s / settings.tempo * np.exp(random.normal(0.0, PERSON_TEMPO_STD))
    moving_s = settings.seconds_per_exercise - exercise.lead_s - LEAVE_S
    whole_s = timing.length_s(period) + settings.rest_s
    count = settings.repetitions or max(MIN_REPETITIONS, round(moving_s / whole_s))
    lengths_s = timing.length_s(0.0) + period * np.exp(random.normal(0.0, CYCLE_TEMPO_STD, count))
    lengths_s[:-1] += settings.rest_s
    starts = start_s + exercise.lead_s + np.append(0.0, np.cumsum(lengths_s))
    sizes = settings.amplitude * np.exp(random.normal(0.0, CYCLE_SIZE_STD, count))
    return Segment(label, start_s, float(starts[-1]) + LEAVE_S, starts, sizes, settings.rest_s)


def repetition_timing(label: str, settings: SimulationSettings) -> RepetitionTiming:
    """Return the phase over time of the repetitions of an exercise."""
    exercise = RESTING_EXERCISES.get(label) or UPRIGHT_EXERCISES[label]
    hold_s = settings.hold_s if getattr(exercise, "holds", True) else 0.0
    return RepetitionTiming.of(two_sided=exercise.two_sided, side=settings.side, hold_s=hold_s)


class Motion:
    """Movements of one person; the plan is repeated without end."""

    def __init__(self, stance: Stance, plan: tuple[Segment, ...], settings: SimulationSettings) -> None:
        self._stance = stance
        self._plan = plan
        self._settings = settings
        self._timings = {
            entry.label: repetition_timing(entry.label, settings) for entry in plan if entry.label != "none"
        }
        seated = any(UPRIGHT_EXERCISES[label].seated for label in self._timings)
        self._idle = ScriptedPose(seated=1.0, arms=ON_THIGHS) if seated else ScriptedPose()
        random = np.random.default_rng([settings.seed, 2])
        self._sway_hz = random.uniform(*SWAY_HZ, size=(12, 2))
        self._sway_phase_rad = random.uniform(0.0, 2.0 * np.pi, size=(12, 2))

    @property
    def length_s(self) -> float:
        """Time after which the plan repeats [s]."""
        return self._plan[-1].end_s

    def at(self, time_s: float) -> MotionSample:
        """Return pose and label at a time from 0 on [s]."""
        now = time_s % self.length_s
        segment = next(entry for entry in self._plan if now < entry.end_s)
        pose, phase, repetitions = self._scripted(segment, now)
        pose = self._with_sway(pose, time_s)
        chest = pose.pelvis_rad + pose.spine_rad
        angles = {
            "trunk_flexion": float(chest[0]),
            "trunk_rotation": float(chest[1]),
            "trunk_lateral_tilt": float(-chest[2]),
        }
        return MotionSample(self._stance.parameters(pose), segment.label, phase, repetitions, angles)

    def _scripted(self, segment: Segment, now: float) -> tuple[ScriptedPose, float, int]:
        """Return pose, phase (NaN outside repetitions) and completed repetitions at a time of the plan [s]."""
        if segment.label == "none":
            return self._idle, float("nan"), 0
        exercise, starts = UPRIGHT_EXERCISES[segment.label], segment.cycle_starts_s
        timing, ends = self._timings[segment.label], segment.cycle_ends_s
        cycle = int(np.searchsorted(starts, now, side="right")) - 1
        repetitions = int(np.clip(cycle, 0, len(segment.cycle_sizes)))
        if 0 <= cycle < len(segment.cycle_sizes):
            if now >= ends[cycle]:
                return self._exercising(segment, cycle, timing.end), float("nan"), repetitions + 1
            phase = float(timing.phase(now - starts[cycle], float(ends[cycle] - starts[cycle])))
            return self._exercising(segment, cycle, phase), phase, repetitions
        # From standing to the first repetition, and from the last one back to standing.
        fraction = (now - segment.start_s) / exercise.lead_s if cycle < 0 else (segment.end_s - now) / LEAVE_S
        size = float(segment.cycle_sizes[0 if cycle < 0 else -1])
        return self.ready(segment.label, float(np.clip(fraction, 0.0, 1.0)), size), float("nan"), repetitions

    def ready(self, label: str, fraction: float, size: float) -> ScriptedPose:
        """Return the pose on the way from standing or sitting (0) to the first repetition (1), of a given size."""
        return blended(self._idle, self.in_repetition(label, self._timings[label].start, size), smoothstep(fraction))

    def in_repetition(self, label: str, phase: float, size: float) -> ScriptedPose:
        """Return the pose at a phase (0-1) of a repetition of a size (1: as healthy people do it)."""
        exercise, side = UPRIGHT_EXERCISES[label], self._settings.side
        if side != "both" and exercise.one_limb and not exercise.left_only:
            return exercise.pose(phase, 0.5 * size, 1.0 if side == "left" else -1.0)
        pose = exercise.pose(phase, size, self._settings.asymmetry)
        return mirrored_pose(pose) if side == "right" and exercise.left_only else pose

    def body(self, pose: ScriptedPose) -> BodyParameters:
        """Return the body parameters of a pose in the world."""
        return self._stance.parameters(pose)

    def _exercising(self, segment: Segment, cycle: int, phase: float) -> ScriptedPose:
        """Return the pose in a repetition; the size changes smoothly from the previous one."""
        sizes = segment.cycle_sizes
        previous = sizes[max(cycle - 1, 0)]
        size = previous + (sizes[cycle] - previous) * min(1.0, 4.0 * phase)
        return self.in_repetition(segment.label, phase, float(size))

    def _with_sway(self, pose: ScriptedPose, time_s: float) -> ScriptedPose:
        """Return the pose with natural sway: two sines per axis with random frequencies and phases."""
        angle = 2.0 * np.pi * self._sway_hz * time_s + self._sway_phase_rad
        wave = 0.5 * self._settings.sway * np.sin(angle).sum(axis=1)
        return ScriptedPose(
            feet_m=pose.feet_m,
            feet_rad=pose.feet_rad,
            seated=pose.seated,
            pelvis_m=pose.pelvis_m + SWAY_M * wave[:3] * [1.0, 0.0, 1.0],
            pelvis_rad=pose.pelvis_rad + 0.3 * SWAY_RAD * wave[3:6],
            spine_rad=pose.spine_rad + SWAY_RAD * wave[3:6],
            neck_rad=pose.neck_rad + 2.0 * SWAY_RAD * wave[6:9],
            arms=pose.arms + 2.0 * SWAY_RAD * wave[9:12],
        )
