"""UTKinect-Action3D: ten everyday actions before a Kinect v1 (Xia, Chen and Aggarwal, CVPRW 2012).

The folder holds joints.npz (frame numbers and positions of each sequence) and action_labels.csv.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.recordings.clip import Clip, clip_from_points, required_file
from rehab_pose.recordings.kimore import OPTICAL_FROM_KINECT

if TYPE_CHECKING:
    import os

__all__ = ["load_utkinect"]

NS_PER_FRAME = 1_000_000_000 // 30
"""A frame number counts the camera's original 30 Hz stream; about every second frame has a skeleton."""
SIDE_NAMES = ("shoulder", "elbow", "wrist", "hand")
LEG_NAMES = ("hip", "knee", "ankle", "foot")
SMPL_NAMES = (
    *("pelvis", "spine2", "neck", "head"),
    *(f"left_{name}" for name in SIDE_NAMES),
    *(f"right_{name}" for name in SIDE_NAMES),
    *(f"left_{name}" for name in LEG_NAMES),
    *(f"right_{name}" for name in LEG_NAMES),
)
"""SMPL_24's nearest joint of each of the 20 joints of Kinect v1, in its order."""


def load_utkinect(root: str | os.PathLike[str]) -> list[Clip]:
    """Return one clip an action; the one action without a usable interval is left out.

    Raises:
        RecordingError: A file is missing.
    """
    folder = Path(root)
    labels = required_file(folder, "action_labels.csv", "utkinect")
    clips = []
    with (
        np.load(required_file(folder, "joints.npz", "utkinect")) as arrays,
        labels.open(newline="", encoding="utf-8") as lines,
    ):
        for row in csv.DictReader(lines):
            start, end = float(row["start"]), float(row["end"])
            if not np.isfinite([start, end]).all():
                continue
            sequence = row["seq"]
            numbers = arrays[f"{sequence}_frame"].astype(np.int64)
            inside = (numbers >= start) & (numbers <= end)
            clips.append(
                clip_from_points(
                    name=f"{sequence}_{row['action']}",
                    dataset="utkinect",
                    subject=sequence.partition("_")[0],
                    group="",
                    label=row["action"],
                    stamps_ns=numbers[inside] * NS_PER_FRAME,
                    points_m=arrays[f"{sequence}_xyz"][inside],
                    smpl_names=SMPL_NAMES,
                    optical_from_set=OPTICAL_FROM_KINECT,
                )
            )
    return clips
