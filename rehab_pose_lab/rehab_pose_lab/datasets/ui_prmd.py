"""UI-PRMD: ten rehabilitation movements in front of a Kinect v2 (Vakanski et al., Data 3(1):2, 2018; ODC PDDL v1.0).

The folder contains kinect_correct.npz and kinect_incorrect.npz with one entry per repetition, keys mMM_sSS_eEE.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.clip import Clip, array_file, clip_from_points, leave_out, metres

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["MOVEMENTS", "load_ui_prmd"]

METRES_PER_UNIT = 0.0005
"""Scale of the stored positions [m]."""
KEY = re.compile(r"m(\d{1,3})_(s\d{1,3})_e\d{1,3}")
NS_PER_FRAME = 1_000_000_000 // 30
OPTICAL_FROM_UI_PRMD = np.diag([1.0, -1.0, -1.0])
"""Rotation from the set's axes: y up, the person at negative z, facing the camera along +z."""
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
"""Names of movements m01 to m10."""
SMPL_NAMES = (
    *("pelvis", "spine2", "", "neck", "head", ""),
    *("", "left_shoulder", "left_elbow", "left_wrist"),
    *("", "right_shoulder", "right_elbow", "right_wrist"),
    *("left_hip", "left_knee", "left_ankle", "left_foot"),
    *("right_hip", "right_knee", "right_ankle", "right_foot"),
)
"""Nearest joint in SMPL_24 of each of the 22 points; chest, head tip and collars have none."""


def load_ui_prmd(root: str | os.PathLike[str], *, skipped: list[str] | None = None) -> list[Clip]:
    """Return one clip per repetition, the correctly performed ones (group `correct`) first.

    Args:
        root: Folder of the arrays.
        skipped: Where it is given, an unusable recording is left out and a message about it is appended.

    Raises:
        RecordingError: A file is missing; or a recording is unusable and `skipped` is None.
    """
    folder = Path(root)
    clips = []
    for group in ("correct", "incorrect"):
        with array_file(folder, f"kinect_{group}.npz", "ui_prmd") as arrays:
            for key in arrays.files:
                with leave_out(skipped):
                    clips.append(_clip(group, key, arrays[key]))
    return clips


def _clip(group: str, key: str, units: NDArray[np.int16]) -> Clip:
    match = KEY.fullmatch(key)
    if match is None or not 1 <= int(match[1]) <= len(MOVEMENTS) or units.shape[1:] != (len(SMPL_NAMES), 3):
        msg = (
            f"ui_prmd: {key}: expected a key like m01_s01_e01 and (T, {len(SMPL_NAMES)}, 3) positions, got "
            f"{units.shape}; the folder is damaged"
        )
        raise RecordingError(msg)
    return clip_from_points(
        name=f"{group}_{key}",
        dataset="ui_prmd",
        subject=match[2],
        group=group,
        label=MOVEMENTS[int(match[1]) - 1],
        stamps_ns=np.arange(len(units), dtype=np.int64) * NS_PER_FRAME,
        points_m=metres(units, METRES_PER_UNIT, f"ui_prmd: {key}"),
        smpl_names=SMPL_NAMES,
        optical_from_set=OPTICAL_FROM_UI_PRMD,
    )
