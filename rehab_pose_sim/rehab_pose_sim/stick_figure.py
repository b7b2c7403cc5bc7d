"""A stick figure that performs the five exercises: joints from plain geometry, without body model or rendering."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rehab_pose.datatypes import Joints, JointVisibility
from rehab_pose.skeletons.smpl24 import SMPL_24

__all__ = ["Film", "FilmMaker", "film"]

FRAME_NS = 33_333_333
"""Time between frames at 30 Hz [ns]."""
STANDING_S, READY_S, CYCLE_S = 1.0, 0.8, 3.0
"""Time of standing, of moving into the starting pose, and of one repetition [s]."""

LOWER_BODY = ("pelvis", "hip", "knee", "ankle", "foot")

Points = NDArray[np.float64]
Film = list[Joints]
FilmMaker = Callable[..., Film]


def rotated(points: Points, axis: str, angle_rad: float, centre: Points) -> Points:
    """Return points (..., 3) rotated about an axis (y or z) through a centre; axes x left, y up, z front."""
    sine, cosine = np.sin(angle_rad), np.cos(angle_rad)
    matrix = {
        "y": np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]),
        "z": np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]),
    }[axis]
    return np.asarray((points - centre) @ matrix.T + centre)


def arms(label: str, swing: float, ready: float) -> tuple[float, float]:
    """Return the elevation of both arms from hanging, and its plane, from 0 (sideways) to pi/2 (forward) [rad]."""
    return {
        "arm_lifting": (0.2 + 2.4 * swing, 0.6),
        "lateral_trunk_tilt": (0.2 + 2.6 * ready, 0.0),
        "trunk_rotation": (0.2 + 1.4 * ready, 1.3),
        "squat": (0.2 + 1.3 * ready, 1.5),
    }.get(label, (0.2, 0.0))


def trunk(pelvis: Points, sway: Points) -> dict[str, Points]:
    """Return the joints of trunk and head; the sway of the pelvis decreases to zero at the neck."""
    joints = {"pelvis": pelvis}
    for name, height in (("spine1", 0.11), ("spine2", 0.24), ("spine3", 0.30), ("neck", 0.50), ("head", 0.60)):
        joints[name] = pelvis + np.array([0.0, height, 0.0]) - sway * min(height / 0.5, 1.0)
    return joints


def pose(label: str, swing: float, ready: float) -> Points:
    """Return the 24 joints (x left, y up, z front) [m].

    Args:
        label: Name of the exercise.
        swing: State of the cycle: 0 to 1 for one-sided exercises, -1 to 1 for two-sided ones, the angle [rad] for
            pelvis_rotation.
        ready: From 0 (standing) to 1 (the exercise's starting pose).
    """
    drop = 0.30 * swing if label == "squat" else 0.0
    circle = 0.09 * ready if label == "pelvis_rotation" else 0.0
    sway = circle * np.array([np.sin(swing), 0.0, np.cos(swing)])
    elevation, plane = arms(label, swing, ready)
    pelvis = np.array([0.0, 0.95 - drop, -0.33 * drop]) + sway
    joints = trunk(pelvis, sway)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        ankle = np.array([sign * 0.11, 0.08, 0.0])
        joints[f"{side}_hip"] = pelvis + np.array([sign * 0.09, -0.06, 0.0])
        joints[f"{side}_knee"] = 0.5 * (joints[f"{side}_hip"] + ankle) + np.array([0.0, 0.0, 0.25 * np.sqrt(drop)])
        joints[f"{side}_ankle"] = ankle
        joints[f"{side}_foot"] = ankle + np.array([0.0, -0.05, 0.13])
        joints[f"{side}_collar"] = joints["neck"] + np.array([sign * 0.08, -0.06, 0.0])
        joints[f"{side}_shoulder"] = joints["neck"] + np.array([sign * 0.18, -0.05, 0.0])
        along = np.array(
            [sign * np.sin(elevation) * np.cos(plane), -np.cos(elevation), np.sin(elevation) * np.sin(plane)]
        )
        for name, reach in (("elbow", 0.27), ("wrist", 0.51), ("hand", 0.59)):
            joints[f"{side}_{name}"] = joints[f"{side}_shoulder"] + reach * along
        if circle:  # hands on the hips
            joints[f"{side}_elbow"] = joints[f"{side}_shoulder"] + np.array([sign * 0.15, -0.22, -0.05])
            for name in ("wrist", "hand"):
                joints[f"{side}_{name}"] = pelvis + np.array([sign * 0.15, 0.06, 0.03])
    points = np.array([joints[name] for name in SMPL_24.joint_names])
    upper = [place for place, name in enumerate(SMPL_24.joint_names) if not name.endswith(LOWER_BODY)]
    if label == "lateral_trunk_tilt":
        points[upper] = rotated(points[upper], "z", -0.30 * swing, pelvis)
    if label == "trunk_rotation":
        points[upper] = rotated(points[upper], "y", 0.9 * swing, pelvis)
    return points


def film(
    label: str, repetitions: int, *, noise_m: float = 0.008, rest_s: float = 3.0, yaw_rad: float = 0.0, seed: int = 0
) -> Film:
    """Return joints at 30 Hz: standing, the starting pose, the repetitions, standing.

    Args:
        label: Name of the exercise, or `none`.
        repetitions: Number of repetitions.
        noise_m: Standard deviation of the noise on each coordinate [m].
        rest_s: Time of standing at the end [s].
        yaw_rad: Rotation of the person about the vertical [rad].
        seed: Seed of the noise.
    """
    rng = np.random.default_rng(seed)
    frames = []
    duration_s = STANDING_S + READY_S + repetitions * CYCLE_S
    for index in range(int((duration_s + READY_S + rest_s) * 30)):
        time_s = index / 30.0
        phase = np.clip((time_s - STANDING_S - READY_S) / CYCLE_S, 0.0, repetitions)
        ready = np.clip((time_s - STANDING_S) / READY_S, 0.0, 1.0) * np.clip((duration_s - time_s) / READY_S + 1, 0, 1)
        swing = {
            "arm_lifting": 0.5 - 0.5 * np.cos(2 * np.pi * phase),
            "squat": 0.5 - 0.5 * np.cos(2 * np.pi * phase),
            "pelvis_rotation": 2 * np.pi * phase,
        }.get(label, np.sin(2 * np.pi * phase))
        points = pose(label, float(swing), float(ready) if label != "none" else 0.0)
        points = rotated(points, "y", yaw_rad, np.zeros(3))
        optical = points * [1.0, -1.0, -1.0] + [0.1, 1.1, 2.7] + rng.normal(0.0, noise_m, points.shape)
        frames.append(
            Joints(
                stamp_ns=1_000_000_000 + index * FRAME_NS,
                frame_id="camera_color_optical_frame",
                skeleton=SMPL_24,
                positions_m=optical,
                confidence=np.ones(24),
                sigma_m=np.full(24, 0.01),
                visibility=np.full(24, JointVisibility.OBSERVED),
            )
        )
    return frames
