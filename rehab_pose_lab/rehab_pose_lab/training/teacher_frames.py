"""Frames of a user's own recordings, with the full estimate of the pipeline as the truth to learn from.

With colour the pipeline knows more than the depth network: confident joints of the full estimate teach the network the
people, clothes and postures of these recordings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from rehab_pose.bags.reader import BagReader
from rehab_pose.errors import RecordingError
from rehab_pose.pipeline import LabelStages, PipelineSettings
from rehab_pose_lab.training.person_frames import MM_PER_M, PersonFrame, PersonFrames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rehab_pose.datatypes import Joints, Silhouette

__all__ = ["teacher_frames"]

STEP = 3
"""Every third frame is kept: neighbours differ little."""
CONFIDENT = 0.5
"""Joints of the full estimate below this confidence are not learnt from."""
MIN_JOINTS = 10
"""Frames with fewer confident joints are left out."""
MAX_RANGE_M = 60.0
"""Depth that fits into the stored 16 bits [m]."""


def teacher_frames(bags: Sequence[Path]) -> PersonFrames:
    """Return the frames of recordings in which the full estimate is confident.

    Args:
        bags: Folders of bags with colour and depth.

    Raises:
        RecordingError: A bag is unusable, or no frame shows a person with confident joints.
    """
    frames = PersonFrames.collect(frame for bag in bags for frame in _of_bag(bag))
    if not len(frames):
        names = ", ".join(str(bag) for bag in bags)
        msg = (
            f"teacher: expected a person with confident joints, found none in {names}; look at one with rehab-pose play"
        )
        raise RecordingError(msg)
    return frames


def _of_bag(path: Path) -> Iterator[PersonFrame]:
    stages = LabelStages(PipelineSettings())
    with BagReader(path) as reader:
        for index, frame in enumerate(tqdm(reader.frames(), unit="frame", desc=path.name, mininterval=5.0)):
            result = stages.process(frame)
            if index % STEP or result.silhouette is None or result.joints is None:
                continue
            taught = _taught(result.silhouette, result.joints)
            if taught is not None:
                yield taught


def _taught(silhouette: Silhouette, joints: Joints) -> PersonFrame | None:
    """Return a frame with its confident joints; None if there are too few."""
    sure = (joints.confidence >= CONFIDENT) & np.isfinite(joints.positions_m).all(axis=1)
    if np.count_nonzero(sure) < MIN_JOINTS:
        return None
    joints_m = np.where(sure[:, None], joints.positions_m, np.nan)
    depth_m = np.where(silhouette.depth_m < MAX_RANGE_M, silhouette.depth_m, np.nan)
    depth_mm = np.rint(np.nan_to_num(depth_m, nan=0.0) * MM_PER_M).astype(np.uint16)
    return PersonFrame(depth_mm, silhouette.box_px, joints_m, silhouette.up, silhouette.intrinsics)
