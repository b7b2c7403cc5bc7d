"""Axes of Kinect's camera space, and the SMPL joints nearest to those of Kinect v1 and v2."""

from __future__ import annotations

import numpy as np

from rehab_pose.skeletons.kinect import KINECT_25
from rehab_pose_lab.datasets.kinect_joints import SMPL_NAME_FROM_KINECT_NAME

__all__ = ["KINECT_V1_SMPL_NAMES", "KINECT_V2_SMPL_NAMES", "OPTICAL_FROM_KINECT"]

OPTICAL_FROM_KINECT = np.diag([-1.0, -1.0, 1.0])
"""Rotation from Kinect's camera space, which has x to the sensor's left and y up."""
KINECT_V2_SMPL_NAMES = tuple(SMPL_NAME_FROM_KINECT_NAME.get(name, "") for name in KINECT_25.joint_names)
"""Name in SMPL_24 of each of the 25 joints of Kinect v2; empty where there is none."""
_ARM, _LEG = ("shoulder", "elbow", "wrist", "hand"), ("hip", "knee", "ankle", "foot")
KINECT_V1_SMPL_NAMES = (
    *("pelvis", "spine2", "neck", "head"),
    *(f"{side}_{name}" for side in ("left", "right") for name in _ARM),
    *(f"{side}_{name}" for side in ("left", "right") for name in _LEG),
)
"""Nearest joint in SMPL_24 of each of the 20 joints of Kinect v1, in their order."""
