"""Scenes of the perception benchmark: bodies, motions, rooms and seeds that no network was trained on."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.settings import BodySettings
from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.clip import middle_of_clip
from rehab_pose_lab.datasets.kimore import SUSPECT_CLIPS
from rehab_pose_lab.training.pose_library import recorded_clips
from rehab_pose_lab.training.recorded_motion import fitted_rotations
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["PerceptionScene", "clips_of_scenes", "perception_scenes"]

logger = logging.getLogger(__name__)

FIRST_SEED, FIRST_SHAPE_SEED = 7001, 9001
"""First seeds of the scenes; no training uses seeds in this range."""
FOCAL_PX = {"realsense": 460.0, "kinect": 414.0}
"""Focal length for 640 x 480: between the two streams of a D435, and of a Kinect v2's depth camera scaled up [px]."""
AIM_M = 0.95
"""Height that the camera points at: the middle of a standing person [m]."""
AIM_NEAR_M = 1.15
"""The same from nearer than NEAR_M, where the person does not fit into the image: the trunk [m]."""
NEAR_M = 1.8
"""Distance below which AIM_NEAR_M is used [m]."""
WALL_BEHIND_M = 1.1
"""Distance of the wall behind the person [m]."""
SECONDS = 10.0
"""Length of a scripted movement [s]."""
MAX_CLIP_S = 12.0
"""Recordings are cut to the middle part of this length [s]."""
MIN_CLIP_S = 2.0
"""Shorter recordings are not used [s]."""
MIN_POSSIBLE_FRACTION = 0.95
"""Smallest fraction of the frames of a recording that show a possible pose."""
MAX_TRIED = 12
"""Number of recordings tried for a scene before its script is used instead."""
MIN_MEASURED_FRACTION = 0.97
"""Smallest fraction of measured joints of a recording."""


@dataclass(frozen=True)
class PerceptionScene:
    """One person who performs one movement in front of one camera."""

    name: str
    settings: SimulationSettings
    recorded: str = ""
    """`kimore:LABEL` or `ui_prmd:LABEL`: recorded movement that replaces the script where the data set is available."""

    @property
    def occluded(self) -> bool:
        """True where furniture hides a part of the person."""
        return self.settings.furniture == "front"


# Movement, noise, camera height [m], distance [m], yaw [deg], furniture, clothes [m].
_ROWS: tuple[tuple[str, str, float, float, float, str, float], ...] = (
    ("arm_lifting", "realsense", 1.2, 2.6, 0.0, "none", 0.0),
    ("lateral_trunk_tilt", "kinect", 1.0, 2.4, 15.0, "none", 0.01),
    ("trunk_rotation", "realsense", 1.4, 2.8, -30.0, "beside", 0.02),
    ("pelvis_rotation", "kinect", 0.8, 2.2, 30.0, "beside", 0.03),
    ("squat", "realsense", 1.1, 3.0, -45.0, "around", 0.0),
    ("squat", "kinect", 0.6, 2.5, 60.0, "none", 0.02),
    ("arm_lifting", "kinect", 2.0, 3.4, -15.0, "around", 0.03),
    ("trunk_rotation", "kinect", 1.7, 4.0, 45.0, "beside", 0.01),
    ("lateral_trunk_tilt", "realsense", 1.2, 1.2, 0.0, "none", 0.02),
    ("arm_lifting", "realsense", 1.5, 1.5, 20.0, "beside", 0.01),
    ("kimore:arm_lifting", "kinect", 0.9, 2.4, 0.0, "beside", 0.02),
    ("kimore:lateral_trunk_tilt", "realsense", 1.6, 3.2, -20.0, "none", 0.0),
    ("kimore:trunk_rotation", "kinect", 1.2, 2.8, 25.0, "around", 0.01),
    ("kimore:pelvis_rotation", "realsense", 1.0, 2.2, -60.0, "none", 0.03),
    ("kimore:squat", "realsense", 1.3, 2.6, 10.0, "beside", 0.02),
    ("ui_prmd:deep_squat", "kinect", 1.1, 2.7, -25.0, "none", 0.02),
    ("ui_prmd:hurdle_step", "realsense", 1.2, 2.6, 15.0, "none", 0.01),
    ("ui_prmd:inline_lunge", "kinect", 1.8, 3.0, 35.0, "none", 0.0),
    ("ui_prmd:side_lunge", "realsense", 0.7, 2.9, 0.0, "around", 0.02),
    ("ui_prmd:shoulder_scaption", "kinect", 1.4, 3.8, -40.0, "around", 0.03),
    ("ui_prmd:shoulder_abduction", "realsense", 1.2, 2.0, 50.0, "beside", 0.0),
    ("arm_lifting", "realsense", 1.2, 2.6, 0.0, "front", 0.01),
    ("trunk_rotation", "kinect", 1.4, 3.0, 25.0, "front", 0.02),
    ("kimore:lateral_trunk_tilt", "kinect", 1.0, 2.6, -20.0, "front", 0.0),
)
_SCRIPT_OF = {
    "deep_squat": "squat",
    "hurdle_step": "squat",
    "inline_lunge": "squat",
    "side_lunge": "pelvis_rotation",
    "shoulder_scaption": "arm_lifting",
    "shoulder_abduction": "lateral_trunk_tilt",
}
"""Scripted movement that replaces one of UI-PRMD where its recordings are not available."""


def perception_scenes() -> tuple[PerceptionScene, ...]:
    """Return all scenes; the result is always the same."""
    return tuple(_scene(number, row) for number, row in enumerate(_ROWS))


def _scene(number: int, row: tuple[str, str, float, float, float, str, float]) -> PerceptionScene:
    action, noise, height_m, distance_m, yaw_deg, furniture, clothing_m = row
    data, _, label = action.rpartition(":")
    aim_m = AIM_NEAR_M if distance_m < NEAR_M else AIM_M
    settings = SimulationSettings(
        exercise=_SCRIPT_OF.get(label, label),
        seconds_per_exercise=SECONDS,
        gap_s=0.0,
        fx=FOCAL_PX[noise],
        fy=FOCAL_PX[noise],
        seed=FIRST_SEED + number,
        shape_seed=FIRST_SHAPE_SEED + number,
        camera_height_m=height_m,
        distance_m=distance_m,
        pitch_deg=float(np.degrees(np.arctan2(height_m - aim_m, distance_m))),
        yaw_deg=yaw_deg,
        wall_distance_m=distance_m + WALL_BEHIND_M,
        noise=noise,
        furniture=furniture,
        # The first scene has the plain room.
        background_seed=FIRST_SEED + number if number else 0,
        clothing_m=clothing_m,
    )
    return PerceptionScene(f"{number + 1:02d} {label}", settings, action if data else "")


def clips_of_scenes(scenes: Sequence[PerceptionScene], folder: Path) -> dict[str, Clip]:
    """Return the recorded clip of each scene, by name of the scene; clips of training subjects are not used.

    Scenes without a suitable recording in the folder are missing.
    """
    names = ("kimore", "ui_prmd")
    if not any((folder / name).is_dir() for name in names) or not any(scene.recorded for scene in scenes):
        return {}
    held_out = [clip for clip in recorded_clips(folder)[1] if clip.name not in SUSPECT_CLIPS]
    fitter = BodyFitter(BodySettings(with_vertices=False))
    chosen: dict[str, Clip] = {}
    times_used: Counter[str] = Counter()
    for scene in scenes:
        candidates = [clip for clip in held_out if f"{clip.dataset}:{clip.label}" == scene.recorded and _usable(clip)]
        # Subjects that were used least come first.
        for clip in sorted(candidates, key=lambda entry: (times_used[entry.subject], entry.name))[:MAX_TRIED]:
            middle = middle_of_clip(clip, MAX_CLIP_S)
            if _is_possible(middle, fitter):
                times_used[clip.subject] += 1
                chosen[scene.name] = middle
                break
    return chosen


def _usable(clip: Clip) -> bool:
    """Return whether a recording is long enough and has nearly all joints of its data set."""
    has_joint = np.isfinite(clip.positions_m).any(axis=(0, 2))
    measured = np.isfinite(clip.positions_m[:, has_joint]).all(axis=2)
    return bool(clip.duration_s >= MIN_CLIP_S and measured.size and measured.mean() >= MIN_MEASURED_FRACTION)


def _is_possible(clip: Clip, fitter: BodyFitter) -> bool:
    """Return whether nearly all frames of a recording show a possible pose; a Kinect loses the legs in deep squats."""
    try:
        fitted_rotations(clip, fitter, min_fraction=MIN_POSSIBLE_FRACTION)
    except RecordingError as error:
        logger.info("%s", error)
        return False
    return True
