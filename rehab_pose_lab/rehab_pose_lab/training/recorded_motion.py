"""Movements of recorded people for the simulated person: clips of joints fitted to the body model, on the floor.

A recording contains joint positions; the body model fitted to them gives joint rotations that can be applied to any
body shape. The true joint positions of the rendered person are then known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.settings import BodySettings
from rehab_pose.body.skinning import pose_vertices
from rehab_pose.datatypes import BodyParameters
from rehab_pose.errors import RecordingError
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles, smallest_rotation
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.clip import joints_of_clip
from rehab_pose_sim.motions import MotionSample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["MAX_FLEXION_RAD", "RecordedMotion", "fitted_rotations", "recorded_motion"]

JOINT_SIGMA_M = 0.02
"""Error of a recorded joint, including the offset of the set's joints from SMPL's [m]."""
WORLD_FROM_OPTICAL = np.diag([1.0, -1.0, -1.0])
"""World axes: y up, z towards the camera, so that a person who faces the camera faces +z, with x to the left."""
SMOOTHING_S = 0.05
"""Standard deviation of the Gaussian over time that removes a Kinect's jitter [s]."""
UPRIGHT_FRACTION = 0.2
"""Fraction of the frames, those with the largest height, in which the trunk defines the vertical."""
MAX_RESIDUAL_M = 0.12
"""A frame whose joints are farther than this from the fitted body is not a possible pose [m]."""
MAX_FLEXION_RAD = {"left_hip": 2.3, "right_hip": 2.3, "left_knee": 2.5, "right_knee": 2.5}
"""Largest rotations of hips and knees: ranges of motion of the AAOS, 120-135 degrees, and a margin [rad]. A Kinect that
does not track the legs in a deep squat reports knees above the hips."""
MIN_FRACTION = 0.5
"""Smallest fraction of usable frames of a clip."""


@dataclass(frozen=True, eq=False)
class RecordedMotion:
    """Body parameters over time in the y-up world, played forwards, then backwards, without end."""

    label: str
    rate_hz: float
    parameters: tuple[BodyParameters, ...]

    @property
    def length_s(self) -> float:
        """Time after which the motion repeats [s]."""
        return max(2 * len(self.parameters) - 2, 1) / self.rate_hz

    def at(self, time_s: float) -> MotionSample:
        """Return pose and label at a time from 0 on [s]."""
        last = len(self.parameters) - 1
        frame = (time_s * self.rate_hz) % max(2 * last, 1)
        frame = frame if frame <= last else 2 * last - frame
        index = min(int(frame), last)
        fraction = frame - index
        first, second = self.parameters[index], self.parameters[min(index + 1, last)]
        blended = BodyParameters(
            betas=first.betas,
            rotations_rad=(1.0 - fraction) * first.rotations_rad + fraction * second.rotations_rad,
            translation_m=(1.0 - fraction) * first.translation_m + fraction * second.translation_m,
        )
        return MotionSample(blended, self.label, float("nan"), 0, {})


def recorded_motion(
    clip: Clip, model: BodyModel, betas: NDArray[np.float64], *, heading_rad: float = 0.0
) -> RecordedMotion:
    """Return the movement of a clip, performed by a body of another shape.

    Args:
        clip: SMPL_24 joints in the optical frame.
        model: The body model.
        betas: Its shape coefficients.
        heading_rad: Rotation about y that is added to the recorded one [rad].

    Raises:
        RecordingError: Too few frames show a possible pose.
    """
    rotations, translations = fitted_rotations(clip, BodyFitter(BodySettings(with_vertices=False)))
    heading = matrices_from_axis_angles(np.array([0.0, heading_rad, 0.0]))
    rotations[:, 0] = _continuous(axis_angles_from_matrices(heading @ matrices_from_axis_angles(rotations[:, 0])))
    pelvis = (translations - translations.mean(axis=0)) @ heading.T
    rest = model.joints(betas)[0]
    parameters = []
    for rotation, place in zip(rotations, pelvis, strict=True):
        centred = np.array([place[0], 0.0, place[2]]) - rest * [1.0, 0.0, 1.0]
        posed = BodyParameters(betas=betas, rotations_rad=rotation, translation_m=centred)
        lowest = float(pose_vertices(model, posed)[:, 1].min())
        centred[1] -= lowest
        parameters.append(BodyParameters(betas=betas, rotations_rad=rotation, translation_m=centred))
    seconds = np.diff(clip.stamps_ns) * 1e-9
    return RecordedMotion(clip.label, float(1.0 / np.median(seconds)), tuple(parameters))


def fitted_rotations(
    clip: Clip, fitter: BodyFitter, *, min_fraction: float = MIN_FRACTION
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return joint rotations (T, 24, 3) and pelvis positions (T, 3) [m] in the y-up world, facing +z on average.

    Frames without a usable fit repeat the previous one.

    Args:
        clip: SMPL_24 joints in the optical frame.
        fitter: Fits the body to each frame.
        min_fraction: Fraction of the frames that must show a possible pose.

    Raises:
        RecordingError: Too few frames show a possible pose.
    """
    positions = _smooth(clip) @ WORLD_FROM_OPTICAL.T
    positions = positions @ _upright(positions).T
    fitter.reset()
    rotation_rows, places, usable_frames = [], [], []
    upright = replace(clip, positions_m=positions.astype(np.float32))
    for joints in joints_of_clip(upright, sigma_m=JOINT_SIGMA_M):
        body = fitter.fit(joints)
        usable = body is not None and body.residual_m < MAX_RESIDUAL_M and _possible(body.parameters.rotations_rad)
        usable_frames.append(usable)
        if body is not None and usable:
            rotation_rows.append(body.parameters.rotations_rad)
            places.append(body.joint_positions_m[0])
        elif rotation_rows:
            rotation_rows.append(rotation_rows[-1])
            places.append(places[-1])
    if sum(usable_frames) < max(min_fraction * len(usable_frames), 2):
        msg = (
            f"clip {clip.dataset}/{clip.name}: expected a person in at least {min_fraction:.0%} of the frames, a body "
            f"fits {sum(usable_frames)} of {len(usable_frames)}; leave the clip out"
        )
        raise RecordingError(msg)
    rotations, pelvis = np.array(rotation_rows), np.array(places)
    matrices = matrices_from_axis_angles(rotations[:, 0])
    front = matrices[:, :, 2].mean(axis=0)
    back = matrices_from_axis_angles(np.array([0.0, -np.arctan2(front[0], front[2]), 0.0]))
    rotations[:, 0] = axis_angles_from_matrices(back @ matrices)
    for joint in range(rotations.shape[1]):
        rotations[:, joint] = _continuous(rotations[:, joint])
    return rotations, pelvis @ back.T


def _possible(rotations_rad: NDArray[np.float64]) -> bool:
    """Return whether hips and knees are within their ranges of motion, of rotation vectors (24, 3) [rad]."""
    angles = np.linalg.norm(rotations_rad, axis=1)
    return all(angles[SMPL_24.index(name)] <= limit for name, limit in MAX_FLEXION_RAD.items())


def _upright(positions_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation (3, 3) that makes a standing person's trunk vertical: the camera may have been tilted."""
    feet = 0.5 * (positions_m[:, SMPL_24.index("left_ankle")] + positions_m[:, SMPL_24.index("right_ankle")])
    axis = positions_m[:, SMPL_24.index("neck")] - feet
    length = np.linalg.norm(axis, axis=1)
    known = np.isfinite(length)
    if not known.any():
        return np.eye(3)
    tall = known & (length >= np.quantile(length[known], 1.0 - UPRIGHT_FRACTION))
    up = np.median(axis[tall], axis=0)
    rotation: NDArray[np.float64] = smallest_rotation(up, np.array([0.0, 1.0, 0.0]))
    return rotation


def _smooth(clip: Clip) -> NDArray[np.float64]:
    """Return positions (T, J, 3) [m] averaged over time with a Gaussian; missing ones stay missing."""
    positions_m = clip.positions_m.astype(np.float64)
    length = len(positions_m)
    if length < 2:
        return positions_m
    std = SMOOTHING_S / (float(np.median(np.diff(clip.stamps_ns))) * 1e-9)
    reach = min(int(np.ceil(3 * std)), length - 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / std) ** 2)
    known = np.isfinite(positions_m)
    total, count = np.zeros_like(positions_m), np.zeros_like(positions_m)
    for shift, weight in zip(range(-reach, reach + 1), weights, strict=True):
        source = slice(max(shift, 0), length + min(shift, 0))
        target = slice(max(-shift, 0), length + min(-shift, 0))
        total[target] += weight * np.where(known[source], positions_m[source], 0.0)
        count[target] += weight * known[source]
    with np.errstate(invalid="ignore"):
        return np.where(known, total / count, np.nan)


def _continuous(vectors_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rotation vectors (T, 3) without jumps of 2 pi, so that neighbours can be interpolated."""
    smooth = vectors_rad.copy()
    for index in range(1, len(smooth)):
        angle = float(np.linalg.norm(smooth[index]))
        if angle < 1e-9:
            continue
        axis = smooth[index] / angle
        turns = np.rint((smooth[index - 1] @ axis - angle) / (2.0 * np.pi))
        smooth[index] = axis * (angle + 2.0 * np.pi * turns)
    return smooth
