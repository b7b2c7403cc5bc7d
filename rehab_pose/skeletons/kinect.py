"""The joints of the Kinect SDKs in their order: 25 of v2 with their nearest SMPL joints, and 20 of v1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.skeletons.skeleton import Skeleton
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KINECT_20", "KINECT_25", "KINECT_OFFSETS_M", "SMPL_NAME_FROM_KINECT_NAME", "kinect_offsets_m"]

KINECT_20 = Skeleton(
    name="KINECT_20",
    joint_names=(
        "hip_centre",
        "spine",
        "shoulder_centre",
        "head",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "left_hand",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "right_hand",
        "left_hip",
        "left_knee",
        "left_ankle",
        "left_foot",
        "right_hip",
        "right_knee",
        "right_ankle",
        "right_foot",
    ),
    parents=(-1, 0, 1, 2, 2, 4, 5, 6, 2, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18),
)

KINECT_25 = Skeleton(
    name="KINECT_25",
    joint_names=(
        "spine_base",
        "spine_mid",
        "neck",
        "head",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "left_hand",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "right_hand",
        "left_hip",
        "left_knee",
        "left_ankle",
        "left_foot",
        "right_hip",
        "right_knee",
        "right_ankle",
        "right_foot",
        "spine_shoulder",
        "left_hand_tip",
        "left_thumb",
        "right_hand_tip",
        "right_thumb",
    ),
    # spine_shoulder hangs from spine_mid in the SDK; the SDK's order puts it after its children, so the arms and the
    # neck hang from spine_mid here.
    parents=(-1, 0, 1, 2, 1, 4, 5, 6, 1, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 1, 7, 7, 11, 11),
)

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
"""Kinect's joints sit close to, not at, SMPL's: the hips are narrower and the neck is higher by some centimetres."""

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
"""Where a Kinect's joint lies from SMPL's, in SMPL's joint's own frame (x left, y up, z forward at rest) [m]; the right
side is the mirror image. Measured by `rehab_pose_lab.training.landmark_offsets` on one clip each of 49 KIMORE subjects."""


def kinect_offsets_m() -> NDArray[np.float64]:
    """Return KINECT_OFFSETS_M (24, 3) in the order of SMPL_24, both sides; zero where a Kinect has no joint."""
    offsets = np.zeros((len(SMPL_24), 3))
    for name, (x, y, z) in KINECT_OFFSETS_M.items():
        offsets[SMPL_24.index(name)] = (x, y, z)
        if name.startswith("left_"):
            offsets[SMPL_24.index(name.replace("left_", "right_"))] = (-x, y, z)
    return offsets
