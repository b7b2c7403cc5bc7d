"""The scenes on which perception is measured: bodies, motions, rooms and seeds that no network was trained on."""

from __future__ import annotations

import logging
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.settings import BodySettings
from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.clip import middle_of_clip
from rehab_pose_lab.datasets.kimore import SUSPECT_CLIPS
from rehab_pose_lab.training.posture_library import recorded_clips
from rehab_pose_lab.training.recorded_motion import fitted_rotations
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["PerceptionScene", "clips_of_scenes", "data_folder", "perception_scenes"]

logger = logging.getLogger(__name__)

DATA_VARIABLE, DATA_FOLDER = "REHAB_POSE_DATA", Path("../shared/data")
FIRST_SEED, FIRST_SHAPE_SEED = 7001, 9001
"""Far from the seeds that anything else uses."""
FOCAL_PX = {"realsense": 460.0, "kinect": 414.0}
"""For 640 x 480: between the two streams of a D435, and a Kinect v2's depth camera scaled up [px]."""
AIM_M = 0.95
"""The camera looks at the middle of a standing person [m]."""
AIM_NEAR_M = 1.15
"""From nearer than NEAR_M, where the whole person does not fit into the image, at the trunk [m]."""
NEAR_M = 1.8
WALL_BEHIND_M = 1.1
"""Distance of the wall behind the person [m]."""
SECONDS = 10.0
MAX_CLIP_S = 12.0
"""Recordings are cut to this length, from their middle [s]."""
MIN_CLIP_S = 2.0
MIN_POSSIBLE = 0.95
"""A body must be able to take the posture of at least this share of a recording's frames."""
MAX_TRIED = 12
"""Recordings tried for one scene before its script is used instead."""
MIN_SEEN = 0.97
"""A recording is used when at least this share of its joints was seen."""


@dataclass(frozen=True)
class PerceptionScene:
    """One person doing one thing before one camera."""

    name: str
    settings: SimulationSettings
    recorded: str = ""
    """`kimore:LABEL` or `ui_prmd:LABEL`: the recorded movement to use where the data are there, instead of the
    script."""

    @property
    def occluded(self) -> bool:
        """Whether furniture hides a part of the person on purpose."""
        return self.settings.furniture == "front"


# What is done, noise, camera height [m], distance [m], yaw [deg], furniture, clothes [m].
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
"""What is done instead where UI-PRMD's recordings are not there."""


def perception_scenes() -> tuple[PerceptionScene, ...]:
    """Return all scenes, always the same ones in the same order."""
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
        # The first scene has today's plain room.
        background_seed=FIRST_SEED + number if number else 0,
        clothing_m=clothing_m,
    )
    return PerceptionScene(f"{number + 1:02d} {label}", settings, action if data else "")


def data_folder() -> Path:
    """Return where the public data sets lie: $REHAB_POSE_DATA, or ../shared/data."""
    return Path(os.environ.get(DATA_VARIABLE, "") or DATA_FOLDER)


def clips_of_scenes(scenes: Sequence[PerceptionScene], folder: Path) -> dict[str, Clip]:
    """Return the clip of each scene (by its name) that has one in the data there are; none of a training subject."""
    names = ("kimore", "ui_prmd")
    if not any((folder / name).is_dir() for name in names) or not any(scene.recorded for scene in scenes):
        return {}
    held_out = [clip for clip in recorded_clips(folder)[1] if clip.name not in SUSPECT_CLIPS]
    fitter = BodyFitter(BodySettings(with_vertices=False))
    chosen: dict[str, Clip] = {}
    times_used: Counter[str] = Counter()
    for scene in scenes:
        fitting = [clip for clip in held_out if f"{clip.dataset}:{clip.label}" == scene.recorded and _usable(clip)]
        # Another subject each time, as far as there are any.
        for clip in sorted(fitting, key=lambda entry: (times_used[entry.subject], entry.name))[:MAX_TRIED]:
            middle = middle_of_clip(clip, MAX_CLIP_S)
            if _can_be_done(middle, fitter):
                times_used[clip.subject] += 1
                chosen[scene.name] = middle
                break
    return chosen


def _usable(clip: Clip) -> bool:
    """Tell whether a recording is long enough and shows nearly all joints that its data set has."""
    has_joint = np.isfinite(clip.positions_m).any(axis=(0, 2))
    seen = np.isfinite(clip.positions_m[:, has_joint]).all(axis=2)
    return bool(clip.duration_s >= MIN_CLIP_S and seen.size and seen.mean() >= MIN_SEEN)


def _can_be_done(clip: Clip, fitter: BodyFitter) -> bool:
    """Tell whether a body can do what a recording shows: a Kinect loses the legs in deep squats, knees above hips."""
    try:
        fitted_rotations(clip, fitter, min_fraction=MIN_POSSIBLE)
    except RecordingError as error:
        logger.info("%s", error)
        return False
    return True
