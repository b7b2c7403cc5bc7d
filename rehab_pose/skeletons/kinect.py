"""The 25 joints of the Kinect v2 SDK, in its order, and their nearest SMPL joints."""

from __future__ import annotations

from rehab_pose.skeletons.skeleton import Skeleton

__all__ = ["KINECT_25", "SMPL_NAME_FROM_KINECT_NAME"]

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
