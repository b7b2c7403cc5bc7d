"""The 25 joints of the Kinect v2 SDK in its order."""

from __future__ import annotations

from rehab_pose.skeletons.skeleton import Skeleton

__all__ = ["KINECT_25"]

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
    # In the SDK the arms and the neck are children of spine_shoulder, whose index is higher. A parent has to come first
    # here, so spine_mid is their parent instead.
    parents=(-1, 0, 1, 2, 1, 4, 5, 6, 1, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 1, 7, 7, 11, 11),
)
