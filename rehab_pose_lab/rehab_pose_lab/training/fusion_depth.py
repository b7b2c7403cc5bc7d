"""Real depth of UTD-MHAD with the results of all stages: squats, and movements that are none of the exercises.

The set has no colour, so that keypoints of texture are missing. It has no other exercise of the recogniser.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from rehab_pose.body.settings import BodySettings
from rehab_pose.capture.cleaning import DepthCleaner
from rehab_pose.datatypes import PersonView
from rehab_pose.exercise.catalogue import NONE, SQUAT
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose.joints.settings import JointSettings
from rehab_pose.keypoints.detector import KeypointDetector
from rehab_pose.parts.labeller import PartLabeller
from rehab_pose.stage_groups import PoseStages
from rehab_pose_lab.datasets.utd_mhad import load_utd_mhad
from rehab_pose_lab.datasets.utd_mhad_joints import ACTIONS
from rehab_pose_lab.training.fusion_clips import farthest_vertices, findings_of_frame, read_frames, write_frames

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.utd_mhad import UtdRecording
    from rehab_pose_lab.training.fusion_clips import FusionClip

__all__ = ["depth_clips"]

STEP = 3
"""Every third frame of 30 Hz is a sample of SAMPLE_RATE_HZ."""


def depth_clips(root: Path, folder: Path) -> list[FusionClip]:
    """Return both trials of the squats, and the first trial of every other action.

    Args:
        root: Folder of UTD-MHAD; without it there are no clips.
        folder: Folder of the results, one file each; those that exist are not made again.

    Raises:
        RecordingError: The data set is damaged.
    """
    if not root.is_dir():
        return []
    folder.mkdir(parents=True, exist_ok=True)
    stages = _Stages()
    clips = []
    for recording in tqdm(load_utd_mhad(root), unit="clip", desc="recorded depth", mininterval=5.0):
        action = ACTIONS[recording.action - 1]
        if action != SQUAT and recording.trial != 1:
            continue
        name = f"{recording.subject}_a{recording.action}_t{recording.trial}"
        path = folder / f"{name}.npz"
        if not path.is_file():
            stages.write(recording, path)
        label = SQUAT if action == SQUAT else NONE
        clips.append(read_frames(path, dataset="utd_mhad", name=name, subject=recording.subject, label=label))
    return clips


class _Stages:
    """The stages after the silhouette, as they run without colour."""

    def __init__(self) -> None:
        self._pose = PoseStages(JointSettings(), BodySettings())
        self._keypoints, self._parts = KeypointDetector(), PartLabeller()
        self._vertices = farthest_vertices(self._pose.body.model)

    def write(self, recording: UtdRecording, path: Path) -> None:
        """Write the results of a recording."""
        self._pose.reset()
        cleaner = DepthCleaner()
        positions: list[NDArray[np.float64]] = []
        frames = []
        for index in range(0, len(recording), STEP):
            found = recording.frame(index).silhouette(cleaner)
            silhouette = None if found is None else replace(found, stamp_ns=recording.frame(index).stamp_ns)
            pose = self._pose.process(silhouette, None)
            missing = np.full((len(SMPL_INDICES), 3), np.nan)
            positions.append(missing if pose.joints is None else pose.joints.positions_m[SMPL_INDICES])
            person = None if silhouette is None or pose.joints is None else PersonView(silhouette, pose.joints)
            keypoints = self._keypoints.process(silhouette)
            frames.append(findings_of_frame(keypoints, self._parts.process(person), pose.body, self._vertices))
        write_frames(path, positions, CAMERA_UP, frames)
