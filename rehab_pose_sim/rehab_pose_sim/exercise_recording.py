"""Joints of a simulated exercise over time with the truth about its repetitions, without rendering.

Solving a posture takes tens of milliseconds. The joints are therefore solved on a grid of phases (or of how far the
movement has gone) and interpolated between them: a minute at 30 Hz takes a few milliseconds once the grid is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import PchipInterpolator

from rehab_pose.body.loader import load_body_model
from rehab_pose.body.skinning import pose_joints
from rehab_pose.units import NS_PER_S
from rehab_pose_sim.camera import random_shape
from rehab_pose_sim.exercises import MAX_AMPLITUDE
from rehab_pose_sim.motions import LEAVE_S, SWAY_HZ, SWAY_M, Motion, motion_plan, repetition_timing
from rehab_pose_sim.posture_motions import RestingExerciseMotion, resting_lift, subject_motion
from rehab_pose_sim.resting_exercises import RESTING_EXERCISES
from rehab_pose_sim.room import world_camera
from rehab_pose_sim.upright_exercises import UPRIGHT_EXERCISES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rehab_pose_sim.motions import Segment
    from rehab_pose_sim.pose import ScriptedPose
    from rehab_pose_sim.settings import SimulationSettings

    Joints = Callable[[NDArray[np.float64]], NDArray[np.float64]]

__all__ = ["JointRecording", "joint_recording"]

LIFTS = np.linspace(0.0, MAX_AMPLITUDE, 9)
"""Grid of how far a movement on a surface has gone."""
PHASES = np.linspace(0.0, 1.0, 49)
"""Grid of the phase of an upright exercise."""
SIZES = (0.9, 1.1)
"""Sizes of a repetition between which an upright exercise is interpolated, relative to the settings' amplitude."""
WAY_IN = np.linspace(0.0, 1.0, 9)
"""Grid of the way from standing or sitting to the starting pose."""
SWAY_LEVELS_M = 1.0
"""Height above the lowest joint at which the sway has its full size [m]."""


@dataclass(frozen=True, eq=False)
class JointRecording:
    """Joints over time and the truth about the repetitions."""

    label: str
    stamps_ns: NDArray[np.int64]
    """(T) [ns]."""
    joints_m: NDArray[np.float64]
    """(T, 24, 3) SMPL_24 in the optical frame [m], exact."""
    up: NDArray[np.float64]
    """(3) unit vector against gravity in the optical frame."""
    exercising: NDArray[np.bool_]
    """(T) True from the person's first movement for the exercise to the end of the last one."""
    cycles_ns: NDArray[np.int64]
    """(C, 2) start and end of each repetition, holds included and rests excluded [ns]."""
    far_ns: NDArray[np.int64]
    """(C, F) stamps at which the far point is reached; F = 2 where a repetition goes to both sides [ns]."""
    phase: NDArray[np.float64]
    """(T) 0-1 within a repetition; NaN outside."""
    repetitions: NDArray[np.int64]
    """(T) completed repetitions."""


def joint_recording(settings: SimulationSettings, *, start_ns: int = NS_PER_S, after_s: float = 0.0) -> JointRecording:
    """Return the joints of one exercise of the settings, from a still beginning of `gap_s` to the end of the set.

    Args:
        settings: Exercise (one of the library), person, movement, place of the camera, rate.
        start_ns: Stamp of the first sample [ns].
        after_s: Time after the set in which the person is still [s].

    Raises:
        ValueError: The settings ask for no exercise or for all of them.
    """
    label = settings.exercise
    if label not in UPRIGHT_EXERCISES and label not in RESTING_EXERCISES:
        msg = f"simulation.exercise: expected one exercise, got {label}; choose one of the library"
        raise ValueError(msg)
    segment = next(entry for entry in motion_plan(settings) if entry.label == label)
    count = int(np.floor((segment.end_s + after_s) * settings.rate_hz)) + 1
    stamps_s = np.arange(count) / settings.rate_hz
    phase, size, repetitions = _phases(segment, settings, stamps_s)
    if label in RESTING_EXERCISES:
        joints_m = _resting_joints(settings, phase, size)
    else:
        joints_m = _upright_joints(settings, segment, stamps_s, phase, size)
    joints_m = joints_m + _sway(settings, stamps_s, joints_m)
    camera = world_camera(settings)
    timing = repetition_timing(label, settings)
    starts, ends = segment.cycle_starts_s[:-1], segment.cycle_ends_s
    far_s = np.array([np.add(first, timing.far_points_s(end - first)) for first, end in zip(starts, ends, strict=True)])

    def stamps_ns(times_s: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.asarray(start_ns + np.rint(times_s * NS_PER_S), dtype=np.int64)

    return JointRecording(
        label=label,
        stamps_ns=stamps_ns(stamps_s),
        joints_m=camera.in_camera(joints_m.reshape(-1, 3)).reshape(joints_m.shape),
        up=camera.rotation[:, 1].copy(),
        exercising=(stamps_s >= segment.start_s) & (stamps_s < segment.end_s),
        cycles_ns=stamps_ns(np.stack([starts, ends], axis=1)),
        far_ns=stamps_ns(far_s),
        phase=phase,
        repetitions=repetitions,
    )


def _phases(
    segment: Segment, settings: SimulationSettings, stamps_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return phase (NaN outside repetitions), size and completed repetitions at times (T) [s]."""
    timing = repetition_timing(segment.label, settings)
    starts, ends, sizes = segment.cycle_starts_s[:-1], segment.cycle_ends_s, segment.cycle_sizes
    phase, size = np.full(len(stamps_s), np.nan), np.full(len(stamps_s), sizes[0])
    previous = sizes[0]
    for start_s, end_s, own in zip(starts, ends, sizes, strict=True):
        inside = (stamps_s >= start_s) & (stamps_s < end_s)
        phase[inside] = timing.phase(stamps_s[inside] - start_s, float(end_s - start_s))
        size[stamps_s >= start_s] = own
        size[inside] = previous + (own - previous) * np.minimum(1.0, 4.0 * phase[inside])
        previous = own
    return phase, size, np.searchsorted(ends, stamps_s, side="right").astype(np.int64)


def _body_key(settings: SimulationSettings) -> SimulationSettings:
    """Return the settings that the solved joints depend on, so that equal ones are solved once."""
    defaults, side = type(settings)(), settings.side
    resting = RESTING_EXERCISES.get(settings.exercise)
    if not (resting or UPRIGHT_EXERCISES[settings.exercise]).one_limb:
        side = "both"  # the timing alone knows the side
    elif side == "both" and (resting or UPRIGHT_EXERCISES[settings.exercise].left_only):
        side = "left"
    return replace(
        defaults,
        exercise=settings.exercise,
        posture=settings.posture,
        support=settings.support,
        side=side,
        asymmetry=settings.asymmetry,
        amplitude=1.0 if settings.exercise in RESTING_EXERCISES else settings.amplitude,
        shape_seed=settings.shape_seed,
        yaw_deg=settings.yaw_deg,
    )


def _motion(settings: SimulationSettings) -> Motion | RestingExerciseMotion:
    model = load_body_model()
    betas = np.zeros(model.shape_count)
    if settings.shape_seed:
        betas = random_shape(np.random.default_rng([settings.shape_seed, 7, 0]), model.shape_count)
    motion = subject_motion(settings, model, betas)
    if not isinstance(motion, (Motion, RestingExerciseMotion)):
        msg = f"simulation.posture: expected a standing posture for {settings.exercise}, got {settings.posture}"
        raise TypeError(msg)
    return motion


@lru_cache(maxsize=256)
def _solved_lifts(settings: SimulationSettings) -> tuple[Joints, Joints]:
    """Return the joints by how far the movement has gone, on the left and on the right."""
    motion = _motion(settings)
    if not isinstance(motion, RestingExerciseMotion):
        msg = f"{settings.exercise} is not done on a surface"
        raise TypeError(msg)
    model = load_body_model()

    def curve(sign: float) -> Joints:
        return _curve(LIFTS, [pose_joints(model, motion.parameters(sign * float(lift)))[0] for lift in LIFTS])

    left = curve(1.0)
    return left, curve(-1.0) if RESTING_EXERCISES[settings.exercise].two_sided else left


def _resting_joints(
    settings: SimulationSettings, phase: NDArray[np.float64], size: NDArray[np.float64]
) -> NDArray[np.float64]:
    left, right = _solved_lifts(_body_key(settings))
    lift = np.where(np.isfinite(phase), resting_lift(settings, np.nan_to_num(phase), size), 0.0)
    return np.where((lift < 0.0)[:, None, None], right(np.abs(lift)), left(np.abs(lift)))


@lru_cache(maxsize=256)
def _solved_phases(settings: SimulationSettings) -> tuple[Joints, Joints, Joints]:
    """Return the joints by phase for both SIZES, and by the fraction of the way to the starting pose."""
    motion, label, amplitude = _motion(settings), settings.exercise, settings.amplitude
    if not isinstance(motion, Motion):
        msg = f"{settings.exercise} is done on a surface"
        raise TypeError(msg)
    model = load_body_model()

    def joints(pose: ScriptedPose) -> NDArray[np.float64]:
        return pose_joints(model, motion.body(pose))[0]

    small, large = (
        _curve(PHASES, [joints(motion.in_repetition(label, float(phase), share * amplitude)) for phase in PHASES])
        for share in SIZES
    )
    return small, large, _curve(WAY_IN, [joints(motion.ready(label, float(part), amplitude)) for part in WAY_IN])


def _upright_joints(
    settings: SimulationSettings,
    segment: Segment,
    stamps_s: NDArray[np.float64],
    phase: NDArray[np.float64],
    size: NDArray[np.float64],
) -> NDArray[np.float64]:
    small, large, way = _solved_phases(_body_key(settings))
    timing = repetition_timing(segment.label, settings)
    place = np.where(np.isfinite(phase), np.nan_to_num(phase), timing.end)
    low, high = SIZES
    share = ((size / settings.amplitude - low) / (high - low))[:, None, None]
    joints_m = (1.0 - share) * small(place) + share * large(place)
    first_s, last_s = segment.cycle_starts_s[[0, -1]]
    lead_s = max(first_s - segment.start_s, 1e-9)
    fraction = np.clip(
        np.minimum((stamps_s - segment.start_s) / lead_s, (segment.end_s - stamps_s) / LEAVE_S), 0.0, 1.0
    )
    outside = (stamps_s < first_s) | (stamps_s >= last_s)
    joints_m[outside] = way(fraction[outside])
    return joints_m


def _curve(grid: NDArray[np.float64], joints_m: list[NDArray[np.float64]]) -> Joints:
    """Return joints (T, 24, 3) [m] at places (T) of a grid (N) as a function: a shape-preserving cubic."""
    interpolate = PchipInterpolator(grid, np.array(joints_m), axis=0)
    return lambda place: np.asarray(interpolate(place), dtype=np.float64)


def _sway(
    settings: SimulationSettings, stamps_s: NDArray[np.float64], joints_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the natural sway (T, 24, 3) [m]: horizontal sines that grow with the height above the lowest joint."""
    random = np.random.default_rng([settings.seed, 2])
    hz, phase = random.uniform(*SWAY_HZ, size=(2, 2)), random.uniform(0.0, 2.0 * np.pi, size=(2, 2))
    wave = SWAY_M * settings.sway * 0.5 * np.sin(2.0 * np.pi * stamps_s[:, None, None] * hz + phase).sum(axis=-1)
    height = joints_m[..., 1] - joints_m[..., 1].min(axis=1, keepdims=True)
    share = np.clip(height / SWAY_LEVELS_M, 0.0, 1.0)[..., None]
    sway = np.zeros_like(joints_m)
    sway[..., 0::2] = share * wave[:, None]
    return sway
