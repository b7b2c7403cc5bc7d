"""Simulated people who do no exercise: standing still, at daily activities, and under a therapist's hands.

Axes as in `rehab_pose_sim.pose`: x to the person's left, y up, z to the front.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.skinning import pose_joints
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.counting_cameras import CAMERA_HEIGHT_M, DISTANCE_M
from rehab_pose_sim.camera import random_shape
from rehab_pose_sim.motions import SWAY_HZ, SWAY_M, SWAY_RAD
from rehab_pose_sim.pose import HANGING, ScriptedPose, Stance, blended, smoothstep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel

__all__ = ["RATE_HZ", "daily_activities", "disturbed_by_therapist", "optical", "still_person"]

RATE_HZ = 30.0
"""Frame rate of the simulated recordings [Hz]."""
STEP_HZ, STEP_RAD, ARM_RAD, KNEE_RAD = 0.9, 0.42, 0.3, 0.7
"""Walking: frequency of two steps [Hz], amplitudes of hips and arms, flexion of the swinging knee [rad]."""
WALK_M_S = 0.9
"""Walking speed [m/s]."""
ROOM_M = 0.8
"""A person who walks stays within this distance of the middle of the view [m]."""


def optical(world_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points of the y-up world (..., 3) in the optical frame of a level camera in front of it [m]."""
    return np.asarray(world_m * [1.0, -1.0, -1.0] + [0.0, CAMERA_HEIGHT_M, DISTANCE_M])


def _stance(body: BodyModel, random: np.random.Generator) -> Stance:
    betas = random_shape(random, body.shape_count)
    return Stance(body, betas, place_m=(0.0, 0.0), heading_rad=float(np.radians(random.uniform(-35.0, 35.0))))


def _about(axis: int, angle_rad: float) -> NDArray[np.float64]:
    return np.asarray(np.eye(3)[axis] * angle_rad)


def _arms(left: Sequence[Sequence[float]], right: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Return both arms from the directions of upper arm and forearm, the right one's given as for a left arm."""
    arms = np.array([left, right], dtype=np.float64)
    arms[1, :, 0] *= -1.0
    return arms


TO_EAR, TO_MOUTH = ((0.5, -0.8, 0.3), (-0.1, 0.95, 0.25)), ((0.35, -0.9, 0.35), (-0.45, 0.65, 0.55))
UP, FORWARD, WAVING = (
    ((0.25, 0.95, 0.2), (0.1, 1.0, 0.15)),
    ((0.15, -0.2, 1.0), (0.0, -0.1, 1.0)),
    ((0.8, -0.3, 0.3), (0.2, 0.95, 0.2)),
)
CARRYING, DOWN = ((0.2, -0.95, 0.1), (-0.1, -0.1, 1.0)), ((0.15, -1.0, 0.5), (0.0, -1.0, 0.4))
ON_HIPS, FOLDED = ((0.75, -0.66, -0.28), (-0.42, -0.74, 0.45)), ((0.4, -0.9, 0.3), (-0.85, 0.1, 0.45))
STILL_ARMS = (HANGING, ON_HIPS, FOLDED, FORWARD, CARRYING)
"""Arms of people who stand still."""
SITTING = ScriptedPose(
    pelvis_m=np.array([0.0, -0.42, -0.32]),
    arms=_arms(((0.2, -0.9, 0.35), (-0.1, -0.4, 0.9)), ((0.2, -0.9, 0.35), (-0.1, -0.4, 0.9))),
)
RISING = ScriptedPose(
    pelvis_m=np.array([0.0, -0.3, -0.28]), pelvis_rad=_about(0, 0.5), spine_rad=_about(0, 0.35), arms=_arms(DOWN, DOWN)
)
CROUCHING = ScriptedPose(
    pelvis_m=np.array([0.0, -0.38, -0.2]),
    pelvis_rad=_about(0, 0.6),
    spine_rad=_about(0, 0.5),
    arms=_arms(DOWN, HANGING),
)
STOOPING = ScriptedPose(
    pelvis_m=np.array([0.0, -0.04, -0.16]),
    pelvis_rad=_about(0, 0.8),
    spine_rad=_about(0, 0.6),
    arms=_arms(HANGING, DOWN),
)


@dataclass(frozen=True)
class _Step:
    """A pose that is reached after a time and kept for another."""

    reach_s: float
    pose: ScriptedPose
    keep_s: float = 0.0
    walks: bool = False


def still_person(
    seconds: float, random: np.random.Generator, body: BodyModel
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return stamps (T) [s] and joints (T, 24, 3) [m] in the world of a person who stands or sits still, swaying."""
    stance = _stance(body, random)
    arms = STILL_ARMS[int(random.integers(0, len(STILL_ARMS)))]
    posture = SITTING if random.random() < 0.25 else ScriptedPose(arms=_arms(arms, arms))
    stamps_s = np.arange(0.0, seconds, 1.0 / RATE_HZ)
    hz, phase = random.uniform(*SWAY_HZ, size=(6, 2)), random.uniform(0.0, 2.0 * np.pi, size=(6, 2))
    wave = 0.5 * np.sin(2.0 * np.pi * stamps_s[:, None, None] * hz + phase).sum(axis=-1)
    points = []
    for size in wave:
        pelvis_m = posture.pelvis_m + SWAY_M * size[:3] * [1.0, 0.0, 1.0]
        swaying = replace(posture, pelvis_m=pelvis_m, spine_rad=posture.spine_rad + SWAY_RAD * size[3:])
        points.append(pose_joints(body, stance.parameters(swaying))[0])
    return stamps_s, np.array(points)


def daily_activities(
    seconds: float, random: np.random.Generator, body: BodyModel
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return stamps (T) [s] and joints (T, 24, 3) [m] in the world of a person at daily activities in random order.

    Walking about, sitting down, sitting and standing up, picking up with bent and with straight knees, reaching up with
    one arm, waving, phoning, drinking, carrying, looking around, shifting the weight, talking.
    """
    stance = _stance(body, random)
    steps: list[_Step] = []
    while sum(step.reach_s + step.keep_s for step in steps) < seconds:
        steps += _activity(random)
    stamps_s = np.arange(0.0, seconds, 1.0 / RATE_HZ)
    points, walking = np.empty((len(stamps_s), len(SMPL_24), 3)), np.zeros(len(stamps_s))
    place, begun_s, before = 0, 0.0, ScriptedPose()
    for row, now_s in enumerate(stamps_s.tolist()):
        while now_s >= begun_s + steps[place].reach_s + steps[place].keep_s:
            begun_s += steps[place].reach_s + steps[place].keep_s
            before = steps[place].pose
            place += 1
        step = steps[place]
        fraction = float(np.clip((now_s - begun_s) / max(step.reach_s, 1e-6), 0.0, 1.0))
        pose = blended(before, step.pose, smoothstep(fraction)) if fraction < 1.0 else step.pose
        points[row] = pose_joints(body, stance.parameters(pose))[0]
        if step.walks:
            end_s = begun_s + step.reach_s + step.keep_s
            walking[row] = float(np.clip(min(now_s - begun_s, end_s - now_s) / 0.6, 0.0, 1.0))
    return stamps_s, _walked(points, walking, random)


def _activity(random: np.random.Generator) -> list[_Step]:
    """Return the steps of a random activity; each begins and ends standing."""
    makers = (_walk, _walk, _sit, _bend, _bend, _hand, _hand, _wave, _lean, _talk)
    steps = makers[int(random.integers(0, len(makers)))](random)
    return [*steps, _Step(_quick_s(random), ScriptedPose(), float(random.uniform(0.3, 3.0)))]


def _quick_s(random: np.random.Generator) -> float:
    return float(random.uniform(0.7, 1.4))


def _walk(random: np.random.Generator) -> list[_Step]:
    """Return the steps of walking, half of the times with a load in both hands."""
    if random.random() < 0.5:
        return [_Step(float(random.uniform(3.0, 10.0)), ScriptedPose(), walks=True)]
    pose = ScriptedPose(arms=_arms(CARRYING, CARRYING))
    return [_Step(_quick_s(random), pose, 0.5), _Step(float(random.uniform(3.0, 8.0)), pose, walks=True)]


def _sit(random: np.random.Generator) -> list[_Step]:
    """Return the steps of sitting down, moving a hand while sitting, and standing up."""
    steps = [
        _Step(0.8 * _quick_s(random), RISING),
        _Step(0.6 * _quick_s(random), SITTING, float(random.uniform(1.0, 6.0))),
    ]
    for _ in range(int(random.integers(0, 4))):
        hand = (TO_EAR, TO_MOUTH, FORWARD)[int(random.integers(0, 3))]
        pose = replace(SITTING, arms=_arms(DOWN, hand))
        steps.append(_Step(_quick_s(random), pose, float(random.uniform(0.5, 4.0))))
        steps.append(_Step(_quick_s(random), SITTING, float(random.uniform(0.5, 3.0))))
    return [*steps, _Step(0.7 * _quick_s(random), RISING)]


def _bend(random: np.random.Generator) -> list[_Step]:
    """Return the steps of picking up, with bent or with straight knees."""
    pose = CROUCHING if random.random() < 0.5 else STOOPING
    return [_Step(_quick_s(random), pose, float(random.uniform(0.2, 1.5)))]


def _hand(random: np.random.Generator) -> list[_Step]:
    """Return the steps of reaching up with one arm, of phoning or of drinking."""
    hand = (UP, TO_EAR, TO_MOUTH)[int(random.integers(0, 3))]
    other = DOWN if random.random() < 0.3 else HANGING
    pose = ScriptedPose(arms=_arms(other, hand) if random.random() < 0.5 else _arms(hand, other))
    return [_Step(_quick_s(random), pose, float(random.uniform(0.5, 6.0)))]


def _wave(random: np.random.Generator) -> list[_Step]:
    """Return the steps of waving with one hand."""
    pose, aside = (ScriptedPose(arms=_arms(HANGING, ((0.8, -0.3, 0.3), (across, 0.95, 0.2)))) for across in (0.2, 0.65))
    return [_Step(_quick_s(random), pose), *[_Step(0.3, entry) for entry in (aside, pose) * 3]]


def _lean(random: np.random.Generator) -> list[_Step]:
    """Return the steps of shifting the weight, or of looking aside."""
    if random.random() < 0.5:
        pose = ScriptedPose(pelvis_m=np.array([random.uniform(-0.04, 0.04), 0.0, 0.0]))
        return [_Step(_quick_s(random), pose, float(random.uniform(1.0, 6.0)))]
    yaw_rad = float(random.uniform(-0.9, 0.9))
    pose = ScriptedPose(spine_rad=_about(1, 0.25 * yaw_rad), neck_rad=_about(1, 0.7 * yaw_rad))
    return [_Step(_quick_s(random), pose, float(random.uniform(0.5, 2.0)))]


def _talk(random: np.random.Generator) -> list[_Step]:
    """Return the steps of talking with the hands."""
    steps = []
    for _ in range(int(random.integers(2, 6))):
        wide = float(random.uniform(-0.5, 0.6))
        hand = ((0.3, -0.9, 0.25), (wide, float(random.uniform(-0.3, 0.3)), 0.9))
        pose = ScriptedPose(arms=_arms(hand, HANGING if wide > 0.2 else hand))
        steps.append(_Step(float(random.uniform(0.4, 0.9)), pose))
    return steps


def _below(joint: str) -> list[int]:
    """Return the indices of a joint's descendants in SMPL_24."""
    inside = {SMPL_24.index(joint)}
    for index, parent in enumerate(SMPL_24.parents):
        if parent in inside:
            inside.add(index)
    return sorted(inside - {SMPL_24.index(joint)})


def _swung(points: NDArray[np.float64], joint: str, axes_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points (T, 24, 3) with all below a joint turned about it by rotation vectors (T, 3) [rad]."""
    index, below = SMPL_24.index(joint), _below(joint)
    centre, turned = points[:, index, None], points.copy()
    rotations = matrices_from_axis_angles(axes_rad)
    turned[:, below] = (points[:, below] - centre) @ rotations.transpose(0, 2, 1) + centre
    return turned


def _walked(
    points: NDArray[np.float64], walking: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    """Return points (T, 24, 3) [m] with steps, arm swing and a way through the room where `walking` (T) is above 0."""
    phase = 2.0 * np.pi * STEP_HZ * np.cumsum(walking > 0.0) / RATE_HZ
    across = points[:, SMPL_24.index("left_hip")] - points[:, SMPL_24.index("right_hip")]
    across[:, 1] = 0.0
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    for sign, side in ((1.0, "left"), (-1.0, "right")):
        swing = walking * np.sin(phase) * sign
        bend = walking * KNEE_RAD * np.clip(np.cos(phase) * sign, 0.0, None)
        points = _swung(points, f"{side}_hip", -STEP_RAD * swing[:, None] * across)
        points = _swung(points, f"{side}_knee", bend[:, None] * across)
        points = _swung(points, f"{side}_shoulder", ARM_RAD * swing[:, None] * across)
    heading, place = np.zeros(len(points)), np.zeros((len(points), 3))
    current_rad, position = 0.0, np.zeros(3)
    front = np.cross(across[0], np.array([0.0, 1.0, 0.0]))
    goal = np.zeros(3)
    for row, speed in enumerate(walking.tolist()):
        if speed > 0.0:
            if np.linalg.norm(goal - position) < 0.2:
                goal = random.uniform(-ROOM_M, ROOM_M, 3) * [1.0, 0.0, 1.0]
            towards = goal - position
            ahead = matrices_from_axis_angles(np.array([0.0, current_rad, 0.0])) @ front
            turn = np.arctan2(np.cross(ahead, towards)[1], ahead @ towards)
            current_rad += float(np.clip(turn, -0.06, 0.06))
            position = position + speed * WALK_M_S / RATE_HZ * ahead
        heading[row], place[row] = current_rad, position
    rotations = matrices_from_axis_angles(np.stack([np.zeros_like(heading), heading, np.zeros_like(heading)], axis=1))
    return np.asarray(points @ rotations.transpose(0, 2, 1) + place[:, None])


def disturbed_by_therapist(
    stamps_s: NDArray[np.float64], points: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    """Return joints (T, 24, 3) [m] of a still patient with a therapist's contact and occlusion; NaN = missing.

    Every few seconds, for 0.5 to 4 s: limbs that are hidden, or drawn to the therapist's arms; an upper body that seems
    turned or tilted because the therapist stands half behind it; an arm or the trunk that the therapist moves a little.
    """
    points, now_s = points.copy(), 2.0
    while now_s < stamps_s[-1] - 5.0:
        length_s = float(random.uniform(0.5, 4.0))
        during = (stamps_s >= now_s) & (stamps_s < now_s + length_s)
        fraction = (stamps_s[during] - now_s) / length_s
        size = np.asarray(smoothstep(np.clip(np.minimum(fraction, 1.0 - fraction) * 4.0, 0.0, 1.0)))
        points[during] = _contact(points[during], size, random)
        now_s += length_s + float(random.uniform(0.2, 4.0))
    return points


def _contact(
    points: NDArray[np.float64], size: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    """Return joints (T, 24, 3) [m] under one contact whose strength (T) rises from 0 to 1 and falls again."""
    side = ("left", "right")[int(random.integers(0, 2))]
    kind = int(random.integers(0, 5))
    if kind == 0:  # a limb is hidden
        hidden = _below(f"{side}_{('shoulder', 'hip')[int(random.integers(0, 2))]}")
        points = points.copy()
        points[np.ix_(np.flatnonzero(size > 0.5), np.array(hidden))] = np.nan
        return points
    if kind == 1:  # a limb is drawn to the therapist's arms
        drawn = _below(f"{side}_collar")
        away = random.normal(0.0, 0.15, 3) * size[:, None, None]
        weights = np.linspace(0.2, 1.0, len(drawn))[None, :, None]
        points = points.copy()
        points[:, drawn] += away * weights
        return points
    axis = np.eye(3)[1] if kind == 2 else random.normal(0.0, 1.0, 3) * [1.0, 0.0, 1.0]
    axis = axis / np.linalg.norm(axis)
    if kind == 2:  # the upper body seems turned
        return _upper_body_swung(points, size[:, None] * axis * random.uniform(-0.5, 0.5))
    if kind == 3:  # the trunk is tilted by the therapist
        return _upper_body_swung(points, size[:, None] * axis * random.uniform(0.05, 0.2))
    return _swung(points, f"{side}_shoulder", size[:, None] * axis * random.uniform(0.3, 1.3))


def _upper_body_swung(points: NDArray[np.float64], axes_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points (T, 24, 3) with all above the hips turned about the pelvis by rotation vectors (T, 3) [rad]."""
    legs = [index for index, name in enumerate(SMPL_24.joint_names) if name.endswith(("hip", "knee", "ankle", "foot"))]
    turned = _swung(points, "pelvis", axes_rad)
    turned[:, legs] = points[:, legs]
    return turned
