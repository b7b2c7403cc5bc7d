"""UTD-MHAD's 27 actions as clips of joints, without the depth (`utd_mhad` reads both)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.clip import Clip, array_file, clip_from_points, leave_out
from rehab_pose_lab.datasets.utd_mhad import FRAME_NS, UTD_JOINTS, utd_subjects

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["ACTIONS", "load_utd_joints"]

ACTIONS = (
    *("swipe_left", "swipe_right", "wave", "clap", "throw", "arm_cross", "basketball_shoot", "draw_x"),
    *("draw_circle_clockwise", "draw_circle_counterclockwise", "draw_triangle", "bowling", "boxing", "baseball_swing"),
    *("tennis_swing", "arm_curl", "tennis_serve", "push", "knock", "catch", "pickup_and_throw", "jog", "walk"),
    *("sit_to_stand", "stand_to_sit", "lunge", "squat"),
)
"""Names of actions 1 to 27."""
OPTICAL_FROM_UTD = np.diag([-1.0, -1.0, 1.0])
"""Rotation from the stored axes, x to the right of the mirrored image and y up; it mirrors left and right back."""
SMPL_NAMES = tuple({"spine": "spine2", "hip_centre": "pelvis"}.get(name, name) for name in UTD_JOINTS)
"""Nearest joint in SMPL_24 of each of the 20 joints."""
RECORDING = re.compile(r"a(\d{1,3})_t(\d{1,3})_joints")


def load_utd_joints(root: str | os.PathLike[str], *, skipped: list[str] | None = None) -> list[Clip]:
    """Return one clip per recording.

    Args:
        root: Folder of the subjects' files s<N>.npz.
        skipped: Where it is given, an unusable recording is left out and a message about it is appended.

    Raises:
        RecordingError: There is no file; or a recording is unusable and `skipped` is None.
    """
    subjects = utd_subjects(root)
    if not subjects:
        msg = f"utd_mhad: expected s<N>.npz in {root}, found none; point --root at the folder of the data set"
        raise RecordingError(msg)
    clips = []
    for subject in subjects:
        with array_file(Path(root), f"{subject}.npz", "utd_mhad") as arrays:
            for key in sorted(arrays.files):
                match = RECORDING.fullmatch(key)
                if match is not None:
                    with leave_out(skipped):
                        clips.append(_clip(subject, int(match[1]), int(match[2]), arrays[key]))
    return clips


def _clip(subject: str, action: int, trial: int, points_m: NDArray[np.float32]) -> Clip:
    if not 1 <= action <= len(ACTIONS) or points_m.ndim != 3 or points_m.shape[1:] != (len(UTD_JOINTS), 3):
        msg = (
            f"utd_mhad: {subject} action {action}: expected actions 1 to {len(ACTIONS)} and (T, {len(UTD_JOINTS)}, 3) "
            f"joints, got {points_m.shape}; the file is damaged"
        )
        raise RecordingError(msg)
    return clip_from_points(
        name=f"{subject}_a{action}_t{trial}",
        dataset="utd_mhad",
        subject=subject,
        group="",
        label=ACTIONS[action - 1],
        stamps_ns=np.arange(len(points_m), dtype=np.int64) * FRAME_NS,
        points_m=points_m,
        smpl_names=SMPL_NAMES,
        optical_from_set=OPTICAL_FROM_UTD,
    )
