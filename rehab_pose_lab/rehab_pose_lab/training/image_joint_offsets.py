"""Offsets of the landmarks of the colour image from SMPL's joints, fitted to simulated people with known joints.

For each joint the offset o in the frame of the segment that moves it minimises the distances of p + R o from the rays
of its landmark, over people, postures and directions of view. A landmark that is found wrongly hardly counts
(Geman-McClure weights).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from rehab_pose.image_joints.detector import ImageJointDetector
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
from rehab_pose.skeletons.blazepose33 import landmark
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.datatypes import ImageJoints
    from rehab_pose_sim.camera import SimulatedTruth

__all__ = ["JointOffset", "Observation", "fit_offsets", "observe_people"]

JOINTS = {
    **{name: ((name,), "above") for name in ("shoulder", "elbow", "wrist", "knee", "ankle")},
    "hip": (("hip",), "below"),
    "hand": (("index", "pinky"), "above"),
}
"""The landmarks whose mean is at each joint, and the segment whose frame the offset is in: above or below the joint."""
POSTURES = (
    *("standing", "supine", "prone", "side_lying", "crook_lying", "bridge", "all_fours", "bird_dog", "kneeling"),
    *("half_kneeling", "long_sitting", "chair", "one_foot", "arms_crossed"),
)
HEADINGS_DEG = (0.0, 40.0, -50.0, 180.0)
"""Directions of view [deg]."""
FRAMES, FRAME_STEP = 6, 15
"""Frames of each motion that are used, and the number of frames between them."""
CLEAR_VISIBILITY = 0.8
"""Landmarks that are less probably visible are left out."""
OUTLIER_M = 0.03
"""Scale of the Geman-McClure weights [m]."""
ROUNDS = 15
"""Rounds of computing weights and solving for the offset."""
MAX_TRUNK_ERROR_PX = 25.0
"""Frames whose landmarks are farther from the trunk's joints in the mean are left out: a wrong orientation [px]."""
SEED = 40
"""The people's shapes begin at this seed."""


@dataclass(frozen=True, eq=False)
class Observation:
    """Landmarks of a frame and its ground truth."""

    image_joints: ImageJoints
    truth: SimulatedTruth
    slopes: NDArray[np.float64]
    """(33, 2) x / z and y / z of each landmark's ray."""


@dataclass(frozen=True, eq=False)
class JointOffset:
    """The offset of one joint of the left side; the right side is its mirror image."""

    offset_m: NDArray[np.float64]
    """(3) landmark minus joint at rest: x to the left, y up, z to the front [m]."""
    before_m: float
    """Median distance of the joint from the landmark's ray [m]."""
    after_m: float
    """The same with the offset [m]."""
    count: int
    """Number of landmarks."""


def observe_people(
    postures: Sequence[str] = POSTURES, headings_deg: Sequence[float] = HEADINGS_DEG
) -> list[Observation]:
    """Return the landmarks found in simulated frames; frames in which the person was not found are left out."""
    observations = []
    cases = [(posture, heading) for posture in postures for heading in headings_deg]
    for index, (posture, heading) in enumerate(tqdm(cases, desc="people")):
        settings = SimulationSettings(
            posture=posture, yaw_deg=heading, background_seed=1 + index, shape_seed=SEED + index, start_ns=1
        )
        camera, detector, segmenter = SimulatedCamera(settings), ImageJointDetector(), SilhouetteSegmenter()
        for number in range(FRAMES):
            shot = camera.frame(number * FRAME_STEP)
            detector.reset()
            silhouette = segmenter.segment(replace(shot.frame, up=shot.truth.floor_plane[:3])) or segmenter.proposal
            found = detector.seed(shot.frame, silhouette) if silhouette is not None else None
            if found is None or _trunk_error_px(found, shot.truth, shot.frame.intrinsics.project) > MAX_TRUNK_ERROR_PX:
                continue
            camera_px = shot.frame.intrinsics
            slopes = (found.pixels - [camera_px.cx, camera_px.cy]) / [camera_px.fx, camera_px.fy]
            observations.append(Observation(found, shot.truth, slopes))
    return observations


def _trunk_error_px(found: ImageJoints, truth: SimulatedTruth, project: object) -> float:
    names = [f"{side}_{name}" for side in ("left", "right") for name in ("shoulder", "hip", "knee")]
    assert callable(project)  # noqa: S101  (a bound method)
    pixels = project(truth.joints_m)
    errors = [np.hypot(*(found.pixels[landmark(name)] - pixels[SMPL_24.index(name)])) for name in names]
    return float(np.mean(errors))


def fit_offsets(observations: Sequence[Observation]) -> dict[str, JointOffset]:
    """Return the offset of each joint of JOINTS by its name without the side."""
    return {joint: _fit(observations, joint) for joint in JOINTS}


def _fit(observations: Sequence[Observation], joint: str) -> JointOffset:
    names, segment = JOINTS[joint]
    rows, targets = [], []
    for side, sign in (("left", 1.0), ("right", -1.0)):
        index = SMPL_24.index(f"{side}_{joint}")
        moving = index if segment == "below" else SMPL_24.parents[index]
        sources = [landmark(f"{side}_{name}") for name in names]
        for entry in observations:
            visible = entry.image_joints.visibility[sources].min() >= CLEAR_VISIBILITY
            if not visible or not entry.truth.joint_visible[index]:
                continue
            slope = entry.slopes[sources].mean(axis=0)
            across = np.array([[1.0, 0.0, -slope[0]], [0.0, 1.0, -slope[1]]])
            rows.append(across @ entry.truth.joint_rotations[moving] @ np.diag([sign, 1.0, 1.0]))
            targets.append(-across @ entry.truth.joints_m[index])
    matrix, target = np.concatenate(rows), np.concatenate(targets)
    offset, weight = np.zeros(3), np.ones(len(target))
    for _ in range(ROUNDS):
        weighted = matrix * weight[:, None]
        offset = np.linalg.lstsq(weighted.T @ matrix, weighted.T @ target, rcond=None)[0]
        weight = 1.0 / (1.0 + ((target - matrix @ offset) / OUTLIER_M) ** 2) ** 2
    before, after = (np.hypot(*value.reshape(-1, 2).T) for value in (target, target - matrix @ offset))
    return JointOffset(offset, float(np.median(before)), float(np.median(after)), len(before))
