"""The 24 points of DKP-Net-24 (Ashraf et al. 2025, Tables 1 and 2) in the order of SMPL's joints."""

from __future__ import annotations

from rehab_pose.skeletons.skeleton import Skeleton
from rehab_pose.skeletons.smpl24 import SMPL_24

__all__ = ["DKP_24"]

DKP_24 = Skeleton(
    name="DKP_24",
    joint_names=(
        "pelvis",
        "left_hip",
        "right_hip",
        "lower_spine",
        "left_knee",
        "right_knee",
        "spine",
        "left_ankle",
        "right_ankle",
        "upper_spine",
        "left_heel",
        "right_heel",
        "neck",
        "left_collarbone",
        "right_collarbone",
        "head",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hand",
        "right_hand",
    ),
    parents=SMPL_24.parents,
)
"""A point and the SMPL_24 joint that the paper maps it to have the same index."""
