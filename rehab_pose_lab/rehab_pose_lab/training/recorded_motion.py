"""What recorded people did, done by the simulated person: clips of joints fitted to the body, on the floor.

A recording gives the joints' positions; the body fitted to them gives rotations that any body can take. Where a
person's joints lie is then known exactly, which no recording of a real person can say.
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
"""Error of a recorded joint, the set's own offsets from SMPL's joints in it [m]."""
WORLD_FROM_OPTICAL = np.diag([1.0, -1.0, -1.0])
"""y up, z towards the camera: somebody who faces the camera faces +z, with x to their left."""
SMOOTHING_S = 0.05
"""Standard deviation of the Gaussian over time that takes a Kinect's jitter out [s]."""
UPRIGHT_FRACTION = 0.2
"""Share of the frames, those with the largest height, in which the trunk shows where up is."""
WORST_RESIDUAL_M = 0.12
"""A frame whose joints lie farther than this from the fitted body is no posture of a person [m]."""
MAX_FLEXION_RAD = {"left_hip": 2.3, "right_hip": 2.3, "left_knee": 2.5, "right_knee": 2.5}
"""A Kinect that loses the legs in a deep squat puts the knees above the hips: no person bends farther than this
(ranges of motion of the AAOS, 120-135 degrees, and some margin) [rad]."""
MIN_FRACTION = 0.5
"""A clip needs at least this share of usable frames."""


@dataclass(frozen=True, eq=False)
class RecordedMotion:
    """Body parameters over time in the y-up world, repeated for ever: forwards, then backwards, without a jump."""

    label: str
    rate_hz: float
    parameters: tuple[BodyParameters, ...]

    @property
    def length_s(self) -> float:
        """After this time the motion begins again [s]."""
        return max(2 * len(self.parameters) - 2, 1) / self.rate_hz

    def at(self, time_s: float) -> MotionSample:
        """Return what the person does at a time [s] from 0 on."""
        last = len(self.parameters) - 1
        frame = (time_s * self.rate_hz) % max(2 * last, 1)
        frame = frame if frame <= last else 2 * last - frame
        before = min(int(frame), last)
        after, share = min(before + 1, last), frame - before
        first, second = self.parameters[before], self.parameters[after]
        blended = BodyParameters(
            betas=first.betas,
            rotations_rad=(1.0 - share) * first.rotations_rad + share * second.rotations_rad,
            translation_m=(1.0 - share) * first.translation_m + share * second.translation_m,
        )
        return MotionSample(blended, self.label, float("nan"), 0, {})


def recorded_motion(
    clip: Clip, model: BodyModel, betas: NDArray[np.float64], *, heading_rad: float = 0.0
) -> RecordedMotion:
    """Return a clip's movement done by a body of another shape.

    Args:
        clip: SMPL_24 joints in the optical frame.
        model: The body.
        betas: Its shape.
        heading_rad: Turn about y added to the recorded one [rad].

    Raises:
        RecordingError: Too few frames show a posture that the body can take.
    """
    rotations, translations = fitted_rotations(clip, BodyFitter(BodySettings(with_vertices=False)))
    turn = matrices_from_axis_angles(np.array([0.0, heading_rad, 0.0]))
    rotations[:, 0] = _continuous(axis_angles_from_matrices(turn @ matrices_from_axis_angles(rotations[:, 0])))
    pelvis = (translations - translations.mean(axis=0)) @ turn.T
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

    Frames without a fit repeat the one before.

    Args:
        clip: SMPL_24 joints in the optical frame.
        fitter: Fits the body to each frame.
        min_fraction: Share of the frames that must show a posture that the body can take.

    Raises:
        RecordingError: Too few frames show a posture that the body can take.
    """
    positions = _smooth(clip) @ WORLD_FROM_OPTICAL.T
    positions = positions @ _upright(positions).T
    fitter.reset()
    turns, places, good = [], [], []
    upright = replace(clip, positions_m=positions.astype(np.float32))
    for joints in joints_of_clip(upright, sigma_m=JOINT_SIGMA_M):
        body = fitter.fit(joints)
        usable = body is not None and body.residual_m < WORST_RESIDUAL_M and _possible(body.parameters.rotations_rad)
        good.append(usable)
        if body is not None and usable:
            turns.append(body.parameters.rotations_rad)
            places.append(body.joint_positions_m[0])
        elif turns:
            turns.append(turns[-1])
            places.append(places[-1])
    if sum(good) < max(min_fraction * len(good), 2):
        msg = (
            f"clip {clip.dataset}/{clip.name}: expected a person in at least {min_fraction:.0%} of the frames, a body "
            f"fits {sum(good)} of {len(good)}; leave the clip out"
        )
        raise RecordingError(msg)
    rotations, pelvis = np.array(turns), np.array(places)
    matrices = matrices_from_axis_angles(rotations[:, 0])
    front = matrices[:, :, 2].mean(axis=0)
    back = matrices_from_axis_angles(np.array([0.0, -np.arctan2(front[0], front[2]), 0.0]))
    rotations[:, 0] = axis_angles_from_matrices(back @ matrices)
    for joint in range(rotations.shape[1]):
        rotations[:, joint] = _continuous(rotations[:, joint])
    return rotations, pelvis @ back.T


def _possible(rotations_rad: NDArray[np.float64]) -> bool:
    angles = np.linalg.norm(rotations_rad, axis=1)
    return all(angles[SMPL_24.index(name)] <= limit for name, limit in MAX_FLEXION_RAD.items())


def _upright(positions_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation (3, 3) that makes people who stand stand upright: the camera may have been tilted."""
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
    spread = SMOOTHING_S / (float(np.median(np.diff(clip.stamps_ns))) * 1e-9)
    reach = min(int(np.ceil(3 * spread)), length - 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spread) ** 2)
    seen = np.isfinite(positions_m)
    total, count = np.zeros_like(positions_m), np.zeros_like(positions_m)
    for shift, weight in zip(range(-reach, reach + 1), weights, strict=True):
        source = slice(max(shift, 0), length + min(shift, 0))
        target = slice(max(-shift, 0), length + min(-shift, 0))
        total[target] += weight * np.where(seen[source], positions_m[source], 0.0)
        count[target] += weight * seen[source]
    with np.errstate(invalid="ignore"):
        return np.where(seen, total / count, np.nan)


def _continuous(vectors_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return axis-angle vectors (T, 3) without jumps of a whole turn, so that neighbours can be blended."""
    smooth = vectors_rad.copy()
    for index in range(1, len(smooth)):
        angle = float(np.linalg.norm(smooth[index]))
        if angle < 1e-9:
            continue
        axis = smooth[index] / angle
        turns = np.rint((smooth[index - 1] @ axis - angle) / (2.0 * np.pi))
        smooth[index] = axis * (angle + 2.0 * np.pi * turns)
    return smooth
