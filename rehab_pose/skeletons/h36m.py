"""The 17 joints of Human3.6M (Ionescu et al. 2014) in the order that lifters of 2D poses write and KinePose reads."""

from __future__ import annotations

from rehab_pose.skeletons.skeleton import Skeleton

__all__ = ["H36M_17"]

H36M_17 = Skeleton(
    name="H36M_17",
    joint_names=(
        "pelvis",
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
        "spine",
        "thorax",
        "nose",
        "head",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
    ),
    parents=(-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
)
"""The pelvis lies midway between the hips, the thorax at the base of the neck, the head at its top."""
