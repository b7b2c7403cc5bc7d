"""IntelliRehabDS: arm and side-tap gestures in front of a Kinect v2, standing or in a wheelchair (Miron et al. 2021).

The folder contains index_seq.csv, seq_positions_i16.npz (unit 0.5 mm) and seq_tracking_u8.npz, with one entry per
repetition.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.clip import Clip, array_file, clip_from_points, csv_rows, leave_out, metres, required_file
from rehab_pose_lab.datasets.kinect_axes import KINECT_V2_SMPL_NAMES, OPTICAL_FROM_KINECT

if TYPE_CHECKING:
    import os

    from rehab_pose.array_file import ArrayFile

__all__ = ["GESTURES", "load_irds"]

METRES_PER_UNIT = 0.0005
"""Scale of the stored positions [m]."""
NS_PER_FRAME = 1_000_000_000 // 30
GESTURES = (
    "left_elbow_flexion",
    "right_elbow_flexion",
    "left_shoulder_flexion",
    "right_shoulder_flexion",
    "left_shoulder_abduction",
    "right_shoulder_abduction",
    "shoulder_forward_elevation",
    "left_side_tap",
    "right_side_tap",
)
"""Names of gestures 0 to 8."""


def load_irds(root: str | os.PathLike[str], *, skipped: list[str] | None = None) -> list[Clip]:
    """Return one clip per repetition; `group` is the person's position (stand, wheelchair, ...).

    Args:
        root: Folder of the arrays.
        skipped: Where it is given, an unusable recording is left out and a message about it is appended.

    Raises:
        RecordingError: A file is missing; or a recording is unusable and `skipped` is None.
    """
    folder = Path(root)
    index = required_file(folder, "index_seq.csv", "irds")
    with (
        array_file(folder, "seq_positions_i16.npz", "irds") as positions,
        array_file(folder, "seq_tracking_u8.npz", "irds") as tracking,
    ):
        clips = []
        for row in csv_rows(index, ("key", "gesture", "subject", "position")):
            with leave_out(skipped):
                clips.append(_clip(row, positions, tracking))
    return clips


def _clip(row: dict[str, str], positions: ArrayFile, tracking: ArrayFile) -> Clip:
    key, gesture = row["key"], row["gesture"]
    if key not in positions or key not in tracking or not gesture.isdecimal() or int(gesture) >= len(GESTURES):
        msg = f"irds: index_seq.csv lists {key}, gesture {gesture}, which the arrays lack; the folder is incomplete"
        raise RecordingError(msg)
    points_m = metres(positions[key], METRES_PER_UNIT, f"irds: {key}")
    return clip_from_points(
        name=key,
        dataset="irds",
        subject=row["subject"],
        group=row["position"],
        label=GESTURES[int(gesture)],
        stamps_ns=np.arange(len(points_m), dtype=np.int64) * NS_PER_FRAME,
        points_m=points_m,
        smpl_names=KINECT_V2_SMPL_NAMES,
        optical_from_set=OPTICAL_FROM_KINECT,
        tracking=tracking[key],
    )
