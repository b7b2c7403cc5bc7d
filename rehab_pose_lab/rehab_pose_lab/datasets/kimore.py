"""KIMORE: five rehabilitation exercises before a Kinect v2 (Capecci et al. 2019, doi 10.1109/TNSRE.2019.2923060).

The folder holds the recordings as compressed arrays: index.csv, positions_i16.npz (0.5 mm a unit), tracking_u8.npz,
timestamps_ms.npz, each with one entry a recording; or the tree of CSV files that is downloaded (kimore_raw).
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose_lab.datasets.clip import Clip, clip_from_points, required_file
from rehab_pose_lab.datasets.kimore_raw import load_raw_clips
from rehab_pose_lab.datasets.kinect_axes import KINECT_V2_SMPL_NAMES, OPTICAL_FROM_KINECT

if TYPE_CHECKING:
    import os

__all__ = ["SUSPECT_CLIPS", "load_kimore"]

METRES_PER_UNIT = 0.0005
"""Scale of the stored positions [m]."""
NS_PER_MS = 1_000_000
SUSPECT_CLIPS = frozenset(
    {
        "NE_ID27_Es2_050216_104456",
        "NE_ID27_Es2_050216_104554",
        "NE_ID20_Es4_050216_114934",
        "P_ID3_Es1_060616_115237",
    }
)
"""Recordings that look like another exercise than their folder says, or mix several bodies: kept out of training,
kept in when results are measured."""


def load_kimore(root: str | os.PathLike[str], *, skipped: list[str] | None = None) -> list[Clip]:
    """Return all recordings of exercises 1 to 5 in the folder, in the order of its index or of its paths.

    Recordings of the unused exercise 6 are left out.

    Args:
        root: Folder of the arrays, or of the tree as downloaded.
        skipped: Given: a recording that cannot be used is left out and a sentence about it added here.

    Raises:
        RecordingError: A file is missing; or a recording cannot be used and `skipped` was not given.
    """
    folder = Path(root)
    if not (folder / "index.csv").is_file() and next(folder.rglob("JointPosition*.csv"), None) is not None:
        return load_raw_clips(folder, skipped=skipped)
    index = required_file(folder, "index.csv", "kimore")
    with (
        np.load(required_file(folder, "positions_i16.npz", "kimore")) as positions,
        np.load(required_file(folder, "tracking_u8.npz", "kimore")) as tracking,
        np.load(required_file(folder, "timestamps_ms.npz", "kimore")) as stamps_ms,
        index.open(newline="", encoding="utf-8") as lines,
    ):
        clips = []
        for row in csv.DictReader(lines):
            number, key = int(row["exercise"]), row["key"]
            if not 1 <= number <= len(EXERCISES):
                continue
            if key not in positions or key not in tracking or key not in stamps_ms:
                msg = f"kimore: index.csv names {key}, the arrays lack it; the folder is incomplete, fetch it again"
                if skipped is None:
                    raise RecordingError(msg)
                skipped.append(msg)
                continue
            clips.append(
                clip_from_points(
                    name=key,
                    dataset="kimore",
                    subject=row["subject"],
                    group=row["group"],
                    label=EXERCISES[number - 1],
                    stamps_ns=stamps_ms[key].astype(np.int64) * NS_PER_MS,
                    points_m=positions[key] * np.float32(METRES_PER_UNIT),
                    smpl_names=KINECT_V2_SMPL_NAMES,
                    optical_from_set=OPTICAL_FROM_KINECT,
                    tracking=tracking[key],
                )
            )
    return clips
