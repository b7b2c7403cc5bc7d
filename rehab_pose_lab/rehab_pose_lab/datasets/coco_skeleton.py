"""The 17 keypoints of COCO (Lin et al. 2014), used with 3D positions."""

from __future__ import annotations

from rehab_pose.skeletons.skeleton import Skeleton

__all__ = ["COCO_17"]

COCO_17 = Skeleton(
    name="COCO_17",
    joint_names=(
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ),
    parents=(-1, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14),
)
"""The nose is its only point on the midline, and therefore its root."""
