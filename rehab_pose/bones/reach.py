"""Poses near the limits of rehabilitation exercises, in which the bones are fitted inside the skin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["reach_rotations_rad"]

RotationVectors = dict[str, tuple[float, float, float]]

ARMS_DOWN: RotationVectors = {"shoulder": (0.0, 0.0, -1.25), "elbow": (0.0, -0.3, 0.0)}
BOTH_SIDES: tuple[RotationVectors, ...] = (
    {"collar": (0.0, 0.0, 0.28), "shoulder": (0.0, 0.0, 1.05)},
    {"collar": (0.0, -0.15, 0.1), "shoulder": (0.0, -1.25, 0.0), "elbow": (0.0, -0.6, 0.0)},
    {
        **ARMS_DOWN,
        "hip": (-1.6, 0.0, 0.12),
        "knee": (2.0, 0.0, 0.0),
        "ankle": (-0.45, 0.0, 0.0),
        "spine1": (0.12, 0.0, 0.0),
        "spine2": (0.12, 0.0, 0.0),
        "spine3": (0.12, 0.0, 0.0),
    },
    {**ARMS_DOWN, **dict.fromkeys(("spine1", "spine2", "spine3", "neck", "head"), (-0.14, 0.0, 0.0))},
    {"collar": (0.0, 0.0, -0.16), "shoulder": (1.2, -0.1, -0.65), "elbow": (0.0, -1.7, 0.0), "hip": (0.3, 0.0, 0.3)},
    {"collar": (0.0, 0.0, 0.22), "shoulder": (-1.7, -0.9, 0.5), "elbow": (0.0, -0.45, 0.0)},
)
"""Rotation vectors of the left side [rad], mirrored on the right: arms up, arms forward, deep squat, leaning back,
hands on the hips, arms up and rotated so that the elbows bend to the front."""
ARMS_UP: RotationVectors = {"collar": (0.0, 0.0, 0.26), "shoulder": (0.0, 0.0, 0.9)}
ONE_SIDED: tuple[RotationVectors, ...] = tuple(
    {
        **(ARMS_UP if bend else ARMS_DOWN),
        **dict.fromkeys(("spine1", "spine2", "spine3"), (0.06, sign * twist, sign * bend)),
        "neck": (0.0, 0.1 * sign, 0.1 * sign),
        "head": (0.0, 0.1 * sign, 0.1 * sign),
    }
    for sign in (1.0, -1.0)
    for twist, bend in ((0.32, 0.0), (0.0, 0.20))
)
"""Rotation vectors [rad] of the trunk rotated and bent to either side."""


def reach_rotations_rad() -> NDArray[np.float64]:
    """Return the joints' rotation vectors (P, 24, 3) of all poses, zero for the root [rad]."""
    poses = (*BOTH_SIDES, *ONE_SIDED)
    rotations = np.zeros((len(poses), len(SMPL_24), 3))
    for number, pose in enumerate(poses):
        for name, vector in pose.items():
            if name in SMPL_24.joint_names:
                rotations[number, SMPL_24.index(name)] = vector
            else:
                rotations[number, SMPL_24.index(f"left_{name}")] = vector
                rotations[number, SMPL_24.index(f"right_{name}")] = np.array(vector) * [1.0, -1.0, -1.0]
    return rotations
