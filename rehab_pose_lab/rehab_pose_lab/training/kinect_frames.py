"""Frames of real people in front of a Kinect v1 (UTD-MHAD), thinned out, to train and check the joint network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose_lab.datasets.utd_mhad import SMPL_INDICES, UTD_CAMERA, load_utd_mhad
from rehab_pose_lab.training.person_frames import PersonFrame, PersonFrames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["HELD_OUT_SUBJECTS", "TRAINED_SUBJECTS", "load_or_make_kinect_frames"]

TRAINED_SUBJECTS, HELD_OUT_SUBJECTS = ("s2", "s4", "s5", "s6"), ("s7", "s8")
"""Subjects that are trained on, and those that only check the result."""
STEP = 2
"""Every second frame is kept: neighbours differ little."""


def load_or_make_kinect_frames(path: Path, data: Path | None, subjects: tuple[str, ...]) -> PersonFrames | None:
    """Return the frames stored in a file; make and store them where there is none. None without data.

    Args:
        path: File (.npz).
        data: Folder of UTD-MHAD.
        subjects: Names of the subjects.
    """
    if path.is_file():
        return PersonFrames.load(path)
    if data is None or not data.is_dir():
        return None
    frames = PersonFrames.collect(_frames(data, subjects))
    frames.save(path)
    return frames


def _frames(data: Path, subjects: tuple[str, ...]) -> Iterator[PersonFrame]:
    for recording in load_utd_mhad(data, subjects=subjects):
        for index in range(0, len(recording), STEP):
            valid = recording.valid[index]
            if valid.any():
                joints_m = np.full((24, 3), np.nan)
                joints_m[list(SMPL_INDICES)] = np.where(valid[:, None], recording.joints_m[index], np.nan)
                unknown = np.full(3, np.nan)
                yield PersonFrame(recording.depth_mm[index], recording.box_px, joints_m, unknown, UTD_CAMERA)
