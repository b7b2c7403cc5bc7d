"""mRI: rehabilitation movements as 17 keypoints triangulated from two cameras (An, Li and Ogras, NeurIPS 2022).

The folder contains aligned_data/pose_labels/subject<N>_all_labels.cpl: a pickled dictionary with refined_gt_kps
(T, 3, 17) [m] of COCO's keypoints, gt_avail_frames (first and last frame with keypoints) and video_label (name of a
movement to its first frame and the one after its last). Only arrays are unpickled.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.array_file import CONTENT_ERRORS
from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import SQUAT
from rehab_pose.restricted_pickle import RefusedPickleError, load_restricted_pickle
from rehab_pose_lab.datasets.clip import Clip, clip_from_points, leave_out
from rehab_pose_lab.datasets.coco_skeleton import COCO_17

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["load_mri"]

NS_PER_FRAME = 1_000_000_000 // 10
"""Period of the frames, those of the radar at 10 Hz [ns]: 6,500 frames are the eleven minutes of a subject."""
OPTICAL_FROM_MRI = np.diag([-1.0, -1.0, 1.0])
"""Rotation from the space of the first camera, which has x to its left and y up, like a Kinect's."""
FILES = "aligned_data/pose_labels/subject*_all_labels.cpl"
MOVEMENTS = {
    "pose_1": "left_upper_limb_extension",
    "pose_2": "right_upper_limb_extension",
    "pose_3": "both_upper_limb_extension",
    "pose_4": "left_front_lunge",
    "pose_5": "right_front_lunge",
    "pose_6": SQUAT,
    "pose_7": "left_side_lunge",
    "pose_8": "right_side_lunge",
    "pose_9": "left_limb_extension",
    "pose_10": "right_limb_extension",
}
"""Names of the parts: the first ten movements are those of MARS; free form and walking keep their names."""
SAME_NAMED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
MIDDLES = {"pelvis": "hip", "neck": "shoulder"}
"""SMPL joints that COCO lacks, computed as the midpoint of two of its keypoints."""


def load_mri(root: str | os.PathLike[str], *, skipped: list[str] | None = None) -> list[Clip]:
    """Return one clip per labelled movement of every subject.

    Args:
        root: The unpacked folder.
        skipped: Where it is given, an unusable file of a subject is left out and a message about it is appended.

    Raises:
        RecordingError: There is no file; or one is unusable and `skipped` is None.
    """
    paths = sorted(Path(root).glob(FILES), key=lambda path: int(re.sub(r"\D", "", path.name)))
    if not paths:
        msg = f"mri: expected {FILES} in {root}, found none; point --root at the folder of the data set"
        raise RecordingError(msg)
    clips: list[Clip] = []
    for path in paths:
        with leave_out(skipped):
            clips.extend(list(_clips(path)))  # all clips of a subject, or none
    return clips


def _clips(path: Path) -> Iterator[Clip]:
    """Yield the clips of one subject's file.

    Raises:
        RecordingError: The file has other content.
    """
    try:
        content = load_restricted_pickle(path.read_bytes())
    except (RefusedPickleError, OSError) as error:
        msg = f"{path}: {error}"
        raise RecordingError(msg) from error
    if not isinstance(content, dict) or not {"refined_gt_kps", "gt_avail_frames", "video_label"} <= set(content):
        msg = f"{path}: expected a dictionary with refined_gt_kps, gt_avail_frames and video_label"
        raise RecordingError(msg)
    try:
        yield from _labelled(path, content)
    except CONTENT_ERRORS as error:
        msg = f"{path}: expected arrays of keypoints, frames and intervals of movements, got {error!r}"
        raise RecordingError(msg) from error


def _labelled(path: Path, content: dict[str, Any]) -> Iterator[Clip]:
    """Yield the clips of a file's content."""
    keypoints_m = np.asarray(content["refined_gt_kps"], dtype=np.float64)
    if keypoints_m.ndim != 3 or keypoints_m.shape[1:] != (3, len(COCO_17)):
        msg = f"{path}: expected refined_gt_kps of shape (T, 3, {len(COCO_17)}), got {keypoints_m.shape}"
        raise RecordingError(msg)
    names, points_m = _smpl_points(keypoints_m.transpose(0, 2, 1))
    first, last = (int(frame) for frame in np.asarray(content["gt_avail_frames"]).ravel()[:2])
    subject = path.name.removesuffix("_all_labels.cpl")
    for part, interval in dict(content["video_label"]).items():
        start, end = (int(frame) for frame in np.asarray(interval).ravel()[:2])
        frames = np.arange(max(start, first), min(end, last + 1, len(points_m)))
        if not len(frames):
            msg = f"{path}: {part}: expected frames between {first} and {last}, got {start} to {end}"
            raise RecordingError(msg)
        yield clip_from_points(
            name=f"{subject}_{part}",
            dataset="mri",
            subject=subject,
            group="",
            label=MOVEMENTS.get(str(part), str(part)),
            stamps_ns=(frames - frames[0]) * NS_PER_FRAME,
            points_m=points_m[frames],
            smpl_names=names,
            optical_from_set=OPTICAL_FROM_MRI,
        )


def _smpl_points(keypoints_m: NDArray[np.float64]) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return SMPL names and their points (T, K, 3) [m] from COCO's keypoints (T, 17, 3); exactly zero = missing."""
    names = tuple(f"{side}_{name}" for side in ("left", "right") for name in SAME_NAMED)
    columns = [keypoints_m[:, COCO_17.index(name)] for name in names]
    missing = (keypoints_m == 0.0).all(axis=-1)
    for name in MIDDLES.values():
        sides = [COCO_17.index(f"{side}_{name}") for side in ("left", "right")]
        middle = keypoints_m[:, sides].mean(axis=1)
        columns.append(np.where(missing[:, sides].any(axis=1)[:, None], np.nan, middle))
    return (*names, *MIDDLES), np.stack(columns, axis=1)
