"""Sequences with known joint rotations after the protocol of KinePose's paper (Gildea et al., IMVIP 2022).

24 sequences of 30 frames inside the limits: three speeds (largest change of an angle from frame to frame), four
people each with knees and elbows bent throughout, and the same again with knees and elbows straight in frames 1-3,
13-18 and 28-30. The paper's own sequences are not published, so these differ from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.pose import Pose, joints_of
from rehab_pose.geometry.rotations import matrices_from_axis_angles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_lab.methods.biomechanics.preset import KinePosePreset

__all__ = ["SPEEDS_RAD", "IkSequence", "ik_sequences"]

SPEEDS_RAD = {"a": np.pi / 500.0, "b": np.pi / 200.0, "c": np.pi / 70.0}
"""Largest change of an angle from one frame to the next [rad]."""
FRAMES = 30
PEOPLE = 4
STRAIGHT_PHASES = ((0, 3), (12, 18), (27, 30))
HINGES = ("knee", "elbow")
BENT_FRACTION = (0.25, 0.9)
"""Limits of a hinge's angle in the phases where it is bent, as fractions of its range."""
SEED = 2022


@dataclass(frozen=True, eq=False)
class IkSequence:
    """Keypoints and the rotations from which they are computed."""

    name: str
    speed: str
    straight_phases: bool
    keypoints_m: NDArray[np.float64]
    """(T, K, 3) [m]."""
    rotations: NDArray[np.float64]
    """(T, J, 3, 3) world_from_joint of the chain."""
    angles_rad: NDArray[np.float64]
    """(T, n) of the chain [rad]."""


def _random_angles(
    lower: NDArray[np.float64], upper: NDArray[np.float64], fastest_rad: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return angles (T, n) [rad] with a random start and a varying speed that reverse at the limits."""
    count = len(lower)
    value, direction = random.uniform(lower, upper), random.choice([-1.0, 1.0], count)
    cycles, phase = random.uniform(0.0, 1.5, count), random.uniform(0.0, 2.0 * np.pi, count)
    angles = np.empty((FRAMES, count))
    for t in range(FRAMES):
        angles[t] = value
        rate = fastest_rad * np.cos(2.0 * np.pi * cycles * t / FRAMES + phase)
        reverses = (value + direction * rate < lower) | (value + direction * rate > upper)
        direction = np.where(reverses, -direction, direction)
        value = np.clip(value + direction * rate, lower, upper)
    return angles


def _person(
    preset: KinePosePreset, fastest_rad: float, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return angles (T, n) and the root's rotation (T, 3, 3) with every hinge bent."""
    chain = preset.chain
    lower, upper = chain.lower_rad.copy(), chain.upper_rad.copy()
    for place, name in enumerate(chain.angle_names):
        if any(hinge in name for hinge in HINGES):
            straight, bent = sorted((chain.lower_rad[place], chain.upper_rad[place]), key=abs)
            ends = straight + (bent - straight) * np.array(BENT_FRACTION)
            lower[place], upper[place] = ends.min(), ends.max()
    angles = _random_angles(lower, upper, fastest_rad, random)
    angles_of_root = _random_angles(np.full(3, -0.5 * np.pi), np.full(3, 0.5 * np.pi), fastest_rad, random)
    x, y, z = (matrices_from_axis_angles(angles_of_root[:, place, None] * np.eye(3)[place]) for place in range(3))
    return angles, z @ y @ x


def _sequence(
    preset: KinePosePreset, name: str, angles: NDArray[np.float64], roots: NDArray[np.float64], *, straight: bool
) -> IkSequence:
    chain = preset.chain
    angles = angles.copy()
    if straight:
        hinges = [place for place, joint in enumerate(chain.angle_names) if any(hinge in joint for hinge in HINGES)]
        for first, end in STRAIGHT_PHASES:
            angles[first:end, hinges] = 0.0
    keypoints, rotations = [], []
    for frame_angles, root in zip(angles, roots, strict=True):
        pose = Pose(np.concatenate([np.zeros(ROOT_UNKNOWNS), frame_angles]), np.ascontiguousarray(root))
        positions, world_from_joint = joints_of(chain, pose)
        keypoints.append(positions[list(preset.keypoint_joints)])
        rotations.append(world_from_joint)
    return IkSequence(name, name[0], straight, np.array(keypoints), np.array(rotations), angles)


def ik_sequences(preset: KinePosePreset, seed: int = SEED) -> list[IkSequence]:
    """Return the 24 sequences; the same seed gives the same ones."""
    sequences = []
    for number, (speed, fastest_rad) in enumerate(SPEEDS_RAD.items()):
        for person in range(PEOPLE):
            angles, roots = _person(preset, fastest_rad, np.random.default_rng([seed, number, person]))
            for straight in (False, True):
                name = f"{speed}{person}_{'ext' if straight else 'bent'}"
                sequences.append(_sequence(preset, name, angles, roots, straight=straight))
    return sequences
