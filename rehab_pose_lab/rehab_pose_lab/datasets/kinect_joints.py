"""The SMPL joint nearest to each joint of Kinect v2, and the measured offsets between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KINECT_OFFSETS_M", "SMPL_NAME_FROM_KINECT_NAME", "kinect_offsets_m"]

SMPL_NAME_FROM_KINECT_NAME = {
    "spine_base": "pelvis",
    "spine_mid": "spine2",
    "neck": "neck",
    "head": "head",
    "left_shoulder": "left_shoulder",
    "left_elbow": "left_elbow",
    "left_wrist": "left_wrist",
    "left_hand": "left_hand",
    "right_shoulder": "right_shoulder",
    "right_elbow": "right_elbow",
    "right_wrist": "right_wrist",
    "right_hand": "right_hand",
    "left_hip": "left_hip",
    "left_knee": "left_knee",
    "left_ankle": "left_ankle",
    "left_foot": "left_foot",
    "right_hip": "right_hip",
    "right_knee": "right_knee",
    "right_ankle": "right_ankle",
    "right_foot": "right_foot",
}
"""The nearest SMPL joint of each Kinect v2 joint; they differ by some centimetres: the hips are narrower, the neck is
higher."""

KINECT_OFFSETS_M = {
    "pelvis": (0.000, -0.120, 0.008),
    "left_hip": (-0.016, -0.036, 0.010),
    "left_knee": (0.001, -0.028, -0.028),
    "spine2": (0.000, -0.030, 0.007),
    "left_ankle": (0.000, 0.018, 0.038),
    "left_foot": (-0.006, 0.032, 0.002),
    "neck": (0.000, 0.031, 0.015),
    "head": (0.000, 0.088, 0.014),
    "left_shoulder": (0.005, 0.007, 0.011),
    "left_elbow": (0.004, -0.007, 0.003),
    "left_wrist": (0.020, -0.002, 0.000),
    "left_hand": (-0.001, 0.001, 0.008),
}
"""Offset of a Kinect joint from the SMPL joint, in the SMPL joint's frame (x left, y up, z forward at rest) [m]; the
right side is the mirror image. Measured by `rehab_pose_lab.training.landmark_offsets` on one clip each of 49 KIMORE
subjects."""


def kinect_offsets_m() -> NDArray[np.float64]:
    """Return KINECT_OFFSETS_M (24, 3) in the order of SMPL_24 for both sides; zero for joints that a Kinect lacks."""
    offsets = np.zeros((len(SMPL_24), 3))
    for name, (x, y, z) in KINECT_OFFSETS_M.items():
        offsets[SMPL_24.index(name)] = (x, y, z)
        if name.startswith("left_"):
            offsets[SMPL_24.index(name.replace("left_", "right_"))] = (-x, y, z)
    return offsets
