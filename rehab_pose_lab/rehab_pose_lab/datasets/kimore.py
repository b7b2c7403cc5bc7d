"""KIMORE: five rehabilitation exercises in front of a Kinect v2 (Capecci et al. 2019, doi 10.1109/TNSRE.2019.2923060).

The folder contains the recordings as compressed arrays: index.csv, positions_i16.npz (unit 0.5 mm), tracking_u8.npz and
timestamps_ms.npz, each with one entry per recording; or the tree of CSV files as downloaded (`kimore_raw`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.clip import (
    Clip,
    array_file,
    clip_from_points,
    csv_rows,
    leave_out,
    metres,
    nanoseconds,
    required_file,
)
from rehab_pose_lab.datasets.kimore_exercises import KIMORE_EXERCISES
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
"""Recordings that show another exercise than the name of their folder, or mix several bodies. They are not trained on,
but they are part of the evaluation."""


def load_kimore(root: str | os.PathLike[str], *, skipped: list[str] | None = None) -> list[Clip]:
    """Return all recordings of exercises 1 to 5 in the folder, in the order of its index or of its paths.

    Recordings of the unused exercise 6 are left out.

    Args:
        root: Folder of the arrays, or of the tree as downloaded.
        skipped: Where it is given, an unusable recording is left out and a message about it is appended.

    Raises:
        RecordingError: A file is missing; or a recording is unusable and `skipped` is None.
    """
    folder = Path(root)
    if not (folder / "index.csv").is_file() and next(folder.rglob("JointPosition*.csv"), None) is not None:
        return load_raw_clips(folder, skipped=skipped)
    index = required_file(folder, "index.csv", "kimore")
    with (
        array_file(folder, "positions_i16.npz", "kimore") as positions,
        array_file(folder, "tracking_u8.npz", "kimore") as tracking,
        array_file(folder, "timestamps_ms.npz", "kimore") as stamps_ms,
    ):
        clips = []
        for row in csv_rows(index, ("key", "exercise", "subject", "group")):
            key = row["key"]
            with leave_out(skipped):
                if not row["exercise"].isdecimal() or len(row["exercise"]) > 1:
                    msg = f"kimore: index.csv: {key}: expected an exercise from 1 to 6, got {row['exercise']!r}"
                    raise RecordingError(msg)
                number = int(row["exercise"])
                if not 1 <= number <= len(KIMORE_EXERCISES):
                    continue
                if key not in positions or key not in tracking or key not in stamps_ms:
                    msg = f"kimore: index.csv lists {key}, which the arrays lack; the folder is incomplete"
                    raise RecordingError(msg)
                clips.append(
                    clip_from_points(
                        name=key,
                        dataset="kimore",
                        subject=row["subject"],
                        group=row["group"],
                        label=KIMORE_EXERCISES[number - 1],
                        stamps_ns=nanoseconds(stamps_ms[key], NS_PER_MS, f"kimore: {key}"),
                        points_m=metres(positions[key], METRES_PER_UNIT, f"kimore: {key}"),
                        smpl_names=KINECT_V2_SMPL_NAMES,
                        optical_from_set=OPTICAL_FROM_KINECT,
                        tracking=tracking[key],
                    )
                )
    return clips
