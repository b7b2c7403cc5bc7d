"""The whole pipeline on clips of simulated people: intervals of the joints, jitter, and steps of angles over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.perception_errors import joint_errors_m
from rehab_pose_lab.benchmarks.perception_scenes import FIRST_SEED, FIRST_SHAPE_SEED, FOCAL_PX, WALL_BEHIND_M
from rehab_pose_lab.benchmarks.real_clip import PlaneSteps, plane_steps
from rehab_pose_lab.benchmarks.real_utd import STILL_FRAMES, jitter_mm
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.pipeline import Pipeline

__all__ = ["SimulatedErrors", "simulated_errors", "simulated_jitter_mm", "simulated_scenes"]

SEED_OFFSET = 500
"""Distance of these scenes' seeds from the first ones of the perception benchmark; no training uses them either."""
SETTLING_FRAMES = 10
"""First frames of each clip, in which the person is found and the filters settle; they are not compared."""
CLIP_FRAMES = 50
"""Frames of each clip after them."""
STILL_RUNS = 6
# Movement, noise, camera height [m], distance [m], yaw [deg], clothes [m].
_ROWS = (
    ("arm_lifting", "realsense", 1.2, 2.4, 0.0, 0.01),
    ("lateral_trunk_tilt", "kinect", 1.0, 2.8, -20.0, 0.0),
    ("trunk_rotation", "realsense", 1.4, 2.2, 25.0, 0.02),
    ("pelvis_rotation", "kinect", 1.1, 3.2, 0.0, 0.02),
    ("squat", "realsense", 1.3, 2.6, -40.0, 0.01),
    ("arm_lifting", "kinect", 1.5, 3.4, 35.0, 0.0),
)


@dataclass(frozen=True, eq=False)
class SimulatedErrors:
    """Published joints relative to the truth in N frames, and the steps of the shoulders' planes."""

    errors_m: NDArray[np.float64]
    """(N, 24) distance from the true position [m]; NaN = missing."""
    sigma_m: NDArray[np.float64]
    """(N, 24) [m]."""
    confidence: NDArray[np.float64]
    """(N, 24) 0-1; 0 where no person was found."""
    planes: PlaneSteps


def simulated_scenes() -> tuple[SimulationSettings, ...]:
    """Return the clips' settings; the result is always the same."""
    return tuple(
        SimulationSettings(
            exercise=exercise,
            seconds_per_exercise=8.0,
            gap_s=0.0,
            fx=FOCAL_PX[noise],
            fy=FOCAL_PX[noise],
            seed=FIRST_SEED + SEED_OFFSET + number,
            shape_seed=FIRST_SHAPE_SEED + SEED_OFFSET + number,
            camera_height_m=height_m,
            distance_m=distance_m,
            yaw_deg=yaw_deg,
            wall_distance_m=distance_m + WALL_BEHIND_M,
            noise=noise,
            background_seed=FIRST_SEED + SEED_OFFSET + number,
            clothing_m=clothing_m,
        )
        for number, (exercise, noise, height_m, distance_m, yaw_deg, clothing_m) in enumerate(_ROWS)
    )


def simulated_errors(pipeline: Pipeline, *, clips: int = len(_ROWS), frames: int = CLIP_FRAMES) -> SimulatedErrors:
    """Run the pipeline on clips of simulated exercises at the camera's rate.

    Args:
        pipeline: Reset before every clip.
        clips: Number of scenes that are used.
        frames: Compared frames of each clip.
    """
    errors, sigmas, confidences, planes = [], [], [], PlaneSteps()
    missing = np.full(len(SMPL_24), np.nan)
    for settings in tqdm(simulated_scenes()[:clips], desc="simulated"):
        camera = SimulatedCamera(settings)
        pipeline.reset()
        angles = []
        for index in range(SETTLING_FRAMES + frames):
            shot = camera.frame(index)
            result = pipeline.process(shot.frame)
            if index < SETTLING_FRAMES:
                continue
            joints = result.joints
            angles.append(result.joint_angles)
            errors.append(missing if joints is None else joint_errors_m(joints.positions_m, shot.truth.joints_m))
            sigmas.append(missing if joints is None else joints.sigma_m)
            confidences.append(np.zeros(len(SMPL_24)) if joints is None else joints.confidence)
        planes += plane_steps(angles)
    return SimulatedErrors(np.array(errors), np.array(sigmas), np.array(confidences), planes)


def simulated_jitter_mm(pipeline: Pipeline, *, runs: int = STILL_RUNS) -> NDArray[np.float64]:
    """Return the jitter (runs, 24) of the published joints of a simulated person without any movement or sway [mm].

    It is measured over consecutive runs of STILL_FRAMES frames of a noisy sensor; NaN where a joint is missing.

    Args:
        pipeline: Reset first.
        runs: Number of runs.
    """
    number = FIRST_SEED + SEED_OFFSET
    camera = SimulatedCamera(
        SimulationSettings(exercise="none", sway=0.0, seed=number, shape_seed=number, background_seed=number)
    )
    pipeline.reset()
    frames_m = []
    for index in range(SETTLING_FRAMES + runs * STILL_FRAMES):
        joints = pipeline.process(camera.frame(index).frame).joints
        frames_m.append(np.full((len(SMPL_24), 3), np.nan) if joints is None else joints.positions_m)
    measured_m = np.array(frames_m[SETTLING_FRAMES:]).reshape(runs, STILL_FRAMES, len(SMPL_24), 3)
    return np.array([jitter_mm(run_m) for run_m in measured_m])
