"""UI-PRMD: ten rehabilitation movements before a Kinect v2 (Vakanski et al., Data 3(1):2, 2018; ODC PDDL v1.0).

The folder holds kinect_correct.npz and kinect_incorrect.npz: one entry a repetition, keys mMM_sSS_eEE.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.recordings.clip import Clip, clip_from_points, required_file

if TYPE_CHECKING:
    import os

__all__ = ["MOVEMENTS", "load_ui_prmd"]

METRES_PER_UNIT = 0.0005
"""Scale of the stored positions [m]."""
NS_PER_FRAME = 1_000_000_000 // 30
OPTICAL_FROM_UI_PRMD = np.diag([1.0, -1.0, -1.0])
"""y is up and the person stands at negative z, looking along +z at the camera."""
MOVEMENTS = (
    "deep_squat",
    "hurdle_step",
    "inline_lunge",
    "side_lunge",
    "sit_to_stand",
    "straight_leg_raise",
    "shoulder_abduction",
    "shoulder_extension",
    "shoulder_rotation",
    "shoulder_scaption",
)
"""Movements m01 to m10."""
SMPL_NAMES = (
    *("pelvis", "spine2", "", "neck", "head", ""),
    *("", "left_shoulder", "left_elbow", "left_wrist"),
    *("", "right_shoulder", "right_elbow", "right_wrist"),
    *("left_hip", "left_knee", "left_ankle", "left_foot"),
    *("right_hip", "right_knee", "right_ankle", "right_foot"),
)
"""SMPL_24's nearest joint of each of the 22 points; chest, head tip and collars have none."""


def load_ui_prmd(root: str | os.PathLike[str]) -> list[Clip]:
    """Return one clip a repetition, the correctly performed ones (group `correct`) first.

    Raises:
        RecordingError: A file is missing.
    """
    folder = Path(root)
    clips = []
    for group in ("correct", "incorrect"):
        with np.load(required_file(folder, f"kinect_{group}.npz", "ui_prmd")) as arrays:
            for key in arrays.files:
                movement, subject, _ = key.split("_")
                points_m = arrays[key] * np.float32(METRES_PER_UNIT)
                clips.append(
                    clip_from_points(
                        name=f"{group}_{key}",
                        dataset="ui_prmd",
                        subject=subject,
                        group=group,
                        label=MOVEMENTS[int(movement[1:]) - 1],
                        stamps_ns=np.arange(len(points_m), dtype=np.int64) * NS_PER_FRAME,
                        points_m=points_m,
                        smpl_names=SMPL_NAMES,
                        optical_from_set=OPTICAL_FROM_UI_PRMD,
                    )
                )
    return clips
