"""MARS: ten rehabilitation movements, Kinect v2 joints in the axes of a radar (An and Ogras 2021; MIT licence).

The folder contains kinect_xyz.npz and movement_labels.npz with entries sN_{train,validate,test}.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.clip import Clip, array_file, clip_from_points, leave_out, metres
from rehab_pose_lab.datasets.kinect_axes import KINECT_V2_SMPL_NAMES

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from rehab_pose.array_file import ArrayFile

__all__ = ["MOVEMENTS", "load_mars"]

NS_PER_FRAME = 1_000_000_000 // 10
"""Period of the radar, 10 Hz [ns]."""
OPTICAL_FROM_MARS = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Rotation from the set's axes: x lateral, y the range, z up."""
MOVEMENTS = (
    "left_upper_limb_extension",
    "right_upper_limb_extension",
    "both_upper_limb_extension",
    "left_front_lunge",
    "right_front_lunge",
    "squat",
    "left_side_lunge",
    "right_side_lunge",
    "left_limb_extension",
    "right_limb_extension",
)
"""Names of movements 1 to 10."""


def load_mars(root: str | os.PathLike[str], *, skipped: list[str] | None = None) -> list[Clip]:
    """Return one clip per run of frames with the same movement label.

    Args:
        root: Folder of the arrays.
        skipped: Where it is given, an unusable recording is left out and a message about it is appended.

    Raises:
        RecordingError: A file is missing; or a recording is unusable and `skipped` is None.
    """
    folder = Path(root)
    clips: list[Clip] = []
    with (
        array_file(folder, "kinect_xyz.npz", "mars") as arrays,
        array_file(folder, "movement_labels.npz", "mars") as labels,
    ):
        for key in arrays.files:
            with leave_out(skipped):
                points_m = metres(arrays[key], 1.0, f"mars: {key}")
                clips.extend(_clips(key, points_m, _numbers(key, labels, points_m.shape[:1])))
    return clips


def _numbers(key: str, labels: ArrayFile, length: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the movement of every frame (T), 1 to 10.

    Raises:
        RecordingError: The labels do not match the frames.
    """
    numbers = labels[key] if key in labels else np.empty(0)
    whole = len(length) == 1 and numbers.shape == length and length[0] > 0 and numbers.dtype.kind in "fiu"
    if not whole or not np.isin(numbers, range(1, len(MOVEMENTS) + 1)).all():
        msg = f"mars: {key}: expected movements from 1 to {len(MOVEMENTS)} for {length} frames in movement_labels.npz"
        raise RecordingError(msg)
    return np.asarray(numbers, dtype=np.int64)


def _clips(key: str, points_m: NDArray[np.float32], numbers: NDArray[np.int64]) -> list[Clip]:
    """Return one clip per run of frames with the same movement."""
    borders = np.flatnonzero(np.diff(numbers)) + 1
    return [
        clip_from_points(
            name=f"{key}_{run[0]}",
            dataset="mars",
            subject=key.partition("_")[0],
            group="",
            label=MOVEMENTS[int(numbers[run[0]]) - 1],
            stamps_ns=np.arange(len(run), dtype=np.int64) * NS_PER_FRAME,
            points_m=points_m[run],
            smpl_names=KINECT_V2_SMPL_NAMES,
            optical_from_set=OPTICAL_FROM_MARS,
        )
        for run in np.split(np.arange(len(numbers)), borders)
    ]
