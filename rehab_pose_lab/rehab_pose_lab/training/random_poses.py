"""Random poses: plausible SMPL joint rotations, for training on rendered people.

Two sources are mixed: rotations fitted to recorded people, where a library of them is given, and random ones that cover
poses which the recordings lack. Axes of SMPL's rest pose: y up, z forward, x to the person's left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles, smallest_rotation
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PoseSampler"]

SIDES = (("left", 1.0), ("right", -1.0))
SEATED_FRACTION = 0.15
"""Fraction of the random poses that are seated."""
LIBRARY_FRACTION = 0.6
"""Fraction of the poses that are taken from the library, where there is one."""
RANDOM_ARMS_FRACTION = 0.3
"""Fraction of the poses from the library that get random arms."""
LIBRARY_JITTER_RAD = 0.06
"""Standard deviation of the noise on library rotations, so that no pose repeats exactly [rad]."""
MAX_ELBOW_RAD = 2.4
"""Largest flexion of the elbow [rad]."""


@dataclass(frozen=True)
class RandomPose:
    """Joint rotations of a person who stands or sits facing +z; the rotation of the root is included."""

    rotations_rad: NDArray[np.float64]
    """(24, 3) rotation vectors relative to the parent [rad]."""
    seated: bool


class PoseSampler:
    """Generates random poses from a seeded generator."""

    def __init__(self, random: np.random.Generator, library_rad: NDArray[np.float64] | None = None) -> None:
        """Set the sources of poses.

        Args:
            random: Seeded generator.
            library_rad: (N, 24, 3) fitted rotation vectors without heading [rad]; None: all poses are random.
        """
        self._random = random
        self._library_rad = library_rad

    def sample(self) -> RandomPose:
        """Return one pose."""
        random = self._random
        if self._library_rad is not None and random.random() < LIBRARY_FRACTION:
            rotations = self._library_rad[random.integers(len(self._library_rad))].astype(np.float64)
            rotations = rotations + random.normal(0.0, LIBRARY_JITTER_RAD, rotations.shape)
            if random.random() < RANDOM_ARMS_FRACTION:
                self._arms(rotations)
            return RandomPose(rotations, seated=False)
        rotations = random.normal(0.0, 0.05, (len(SMPL_24), 3))
        seated = bool(random.random() < SEATED_FRACTION)
        self._trunk(rotations)
        self._arms(rotations)
        self._legs(rotations, seated=seated)
        return RandomPose(rotations, seated=seated)

    def arm_directions(self) -> NDArray[np.float64]:
        """Return directions (2, 2, 3) of both upper arms and forearms in the chest's frame: any that can be reached."""
        random = self._random
        directions = np.empty((2, 2, 3))
        symmetric = random.random() < 0.5
        for side, (_, sign) in enumerate(SIDES):
            if side == 0 or not symmetric:
                upper = self._arm_direction()
                # The elbow bends towards the front and the middle.
                bent = upper + random.uniform(0.0, 1.5) * (np.array([-0.7, 0.3, 1.0]) + random.normal(0.0, 0.6, 3))
            directions[side] = np.stack([upper, bent]) * [sign, 1.0, 1.0]
        return directions

    def _trunk(self, rotations: NDArray[np.float64]) -> None:
        random = self._random
        bend = random.choice((0.15, 0.5))
        flexion, tilt = random.normal(0.05, bend), random.normal(0.0, bend * 0.8)
        yaw = random.normal(0.0, bend)
        for name, fraction in (("spine1", 0.35), ("spine2", 0.35), ("spine3", 0.3)):
            rotations[SMPL_24.index(name)] += np.array([flexion, yaw, tilt]) * fraction
        rotations[0] += np.array([random.normal(0.0, 0.12), random.normal(0.0, 0.3), random.normal(0.0, 0.08)])
        rotations[SMPL_24.index("neck")] += random.normal(0.0, 0.15, 3)
        rotations[SMPL_24.index("head")] += random.normal(0.0, 0.2, 3)

    def _arms(self, rotations: NDArray[np.float64]) -> None:
        random = self._random
        symmetric = random.random() < 0.5
        shared = self._arm_direction(), random.gamma(1.5, 0.4), random.normal(0.0, 0.5)
        for side, sign in SIDES:
            direction, flexion, twist = (
                shared if symmetric else (self._arm_direction(), random.gamma(1.5, 0.4), random.normal(0.0, 0.5))
            )
            shoulder = smallest_rotation(np.array([1.0, 0.0, 0.0]), direction) @ matrices_from_axis_angles(
                np.array([twist, 0.0, 0.0])
            )
            elbow = np.array([random.normal(0.0, 0.2), -min(flexion, MAX_ELBOW_RAD), 0.0])
            vector = axis_angles_from_matrices(shoulder)
            # Mirroring in the y-z plane keeps x of a rotation vector and negates y and z.
            mirror = np.array([1.0, sign, sign])
            rotations[SMPL_24.index(f"{side}_shoulder")] = vector * mirror
            rotations[SMPL_24.index(f"{side}_elbow")] = elbow * mirror
            rotations[SMPL_24.index(f"{side}_wrist")] = random.normal(0.0, 0.25, 3)
            lift = max(0.0, float(direction[1])) * 0.3
            rotations[SMPL_24.index(f"{side}_collar")] = np.array([0.0, 0.0, lift]) * mirror + random.normal(0, 0.05, 3)

    def _arm_direction(self) -> NDArray[np.float64]:
        """Return the direction of a left upper arm (3): hanging in a third of the cases, else any reachable one."""
        random = self._random
        if random.random() < 0.35:
            direction = np.array([0.25, -1.0, 0.05]) + random.normal(0.0, 0.15, 3)
        else:
            direction = random.normal(0.0, 1.0, 3) + np.array([0.5, 0.0, 0.5])
            direction[2] = max(direction[2], -0.4)
            direction[0] = max(direction[0], -0.5)
        unit: NDArray[np.float64] = direction / np.linalg.norm(direction)
        return unit

    def _legs(self, rotations: NDArray[np.float64], *, seated: bool) -> None:
        random = self._random
        squat = abs(random.normal(0.0, 0.5)) if random.random() < 0.4 else abs(random.normal(0.0, 0.08))
        for side, sign in SIDES:
            difference = random.normal(0.0, 0.12)
            if seated:
                hip, knee = random.normal(1.45, 0.15), random.normal(1.4, 0.25)
            else:
                hip, knee = squat * 1.1 + difference, max(0.0, squat * 1.6 + random.normal(0.05, 0.1))
                if random.random() < 0.1:
                    hip, knee = random.uniform(0.2, 1.5), random.uniform(0.0, 1.6)
            abduction = abs(random.normal(0.08, 0.12))
            rotations[SMPL_24.index(f"{side}_hip")] = [-hip, random.normal(0.0, 0.15), sign * abduction]
            rotations[SMPL_24.index(f"{side}_knee")] = [knee, 0.0, 0.0]
            rotations[SMPL_24.index(f"{side}_ankle")] = [hip - knee + random.normal(0.0, 0.1), 0.0, 0.0]
