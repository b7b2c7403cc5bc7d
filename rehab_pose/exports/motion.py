"""A recording's movement in a world with y up and at a constant rate, as files of other programs need it.

World: origin on the floor below the camera (at the camera where the floor was not seen), x horizontally towards the
camera, y up, z to the right of a person who faces the camera. A person who faces the camera faces along x, as the
models of OpenSim do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.angles import world_axes
from rehab_pose.errors import RecordingError
from rehab_pose.geometry.floor import CAMERA_UP, height_above_floor_m, up_of_floor
from rehab_pose.geometry.rotations import (
    matrices_from_axis_angles,
    matrices_from_quaternions,
    quaternions_from_matrices,
)
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rehab_pose.recording.recording import Recording

__all__ = ["Z_UP_FROM_Y_UP", "Motion", "held_over_gaps", "motion_of", "world_from_camera"]

LARGEST_GAP_FRAMES = 1.5
"""Values are interpolated between frames that are at most this many periods apart; in longer gaps they are missing."""
SAME_INSTANT_FRAMES = 1e-3
"""A frame within this fraction of a period of an instant is taken as it is."""
Z_UP_FROM_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Turns the world into one with x towards the camera, y to the left of a person who faces it, and z up."""
WORLD_FROM_FACING = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
"""From the axes of a person who faces the camera (x left, y up, z front) to the world's (x front, y up, z right)."""


@dataclass(frozen=True, eq=False)
class Motion:
    """Movement of one person in the world with y up; NaN = missing."""

    name: str
    """Name of the recording."""
    rate_hz: float
    floor_seen: bool
    """Whether the world's vertical and height come from the floor; else the camera is taken as level."""
    times_s: NDArray[np.float64]
    """(T) instants at a constant rate since the first frame [s]."""
    joint_names: tuple[str, ...]
    joint_positions_m: NDArray[np.float64]
    """(T, J, 3) the published joint centres [m]."""
    angle_names: tuple[str, ...]
    angles_rad: NDArray[np.float64]
    """(T, D) clinical joint angles [rad]."""
    model_id: str
    betas: NDArray[np.float64]
    """(B) median shape coefficients over all frames."""
    rotations: NDArray[np.float64]
    """(T, 24, 3, 3) parent_from_joint of the fitted body; of the root, world_from_pelvis."""
    pelvis_m: NDArray[np.float64]
    """(T, 3) pelvis of the fitted body [m]."""
    rest_pelvis_m: NDArray[np.float64]
    """(3) median pelvis of the body model at rest, before root rotation and translation [m]."""
    offsets_m: NDArray[np.float64]
    """(24, 3) median position of each joint of the fitted body in its parent's axes [m]; 0 for the root."""

    @property
    def present(self) -> NDArray[np.bool_]:
        """(T) whether there is a fitted body."""
        return np.asarray(np.isfinite(self.pelvis_m).all(axis=1))

    def body_joints_m(self) -> NDArray[np.float64]:
        """Return the joints (T, 24, 3) of the body with constant lengths [m]: rotations along `offsets_m`."""
        positions = np.empty((len(self.times_s), len(SMPL_24), 3))
        world = np.empty((len(self.times_s), len(SMPL_24), 3, 3))
        for joint, parent in enumerate(SMPL_24.parents):
            if parent < 0:
                positions[:, joint], world[:, joint] = self.pelvis_m, self.rotations[:, joint]
            else:
                positions[:, joint] = positions[:, parent] + world[:, parent] @ self.offsets_m[joint]
                world[:, joint] = world[:, parent] @ self.rotations[:, joint]
        return positions


def world_from_camera(floor_plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the transform (4, 4) from the camera's optical frame to the world with y up [m].

    Args:
        floor_plane: (4) as in `FloorPlane.plane`; NaN = not seen: the camera is taken as level, its height as 0.
    """
    up = up_of_floor(floor_plane)
    transform = np.eye(4)
    transform[:3, :3] = WORLD_FROM_FACING @ world_axes(CAMERA_UP if up is None else up).T
    if up is not None:
        transform[1, 3] = height_above_floor_m(np.zeros((1, 3)), floor_plane)[0]
    return transform


def motion_of(recording: Recording, name: str) -> Motion:
    """Return the movement of a recording in the world with y up, at its median rate.

    Raises:
        RecordingError: It has fewer than two frames, or no person.
    """
    rate_hz, start_ns = recording.rate_hz, recording.stamps_ns[0] if len(recording.stamps_ns) else 0
    joints, angles, body = recording.joints, recording.angles, recording.body
    if not (np.isfinite(rate_hz) and np.isfinite(joints.positions_m).any()):
        msg = f"export: expected a person in two frames or more, {name} has {len(recording.stamps_ns)} frames"
        raise RecordingError(msg)
    count = round(float(recording.times_s[-1]) * rate_hz) + 1
    times_s = np.arange(count) / rate_hz
    transform = world_from_camera(recording.floor_plane)

    def at_times(
        stamps_ns: NDArray[np.int64], values: NDArray[np.floating], *, period: float = np.inf
    ) -> NDArray[np.float64]:
        return _resampled((stamps_ns - start_ns) / NS_PER_S, values, times_s, rate_hz, period)

    local = matrices_from_axis_angles(body.rotations_rad)
    offsets, rest_pelvis = _offsets(local, body.joint_positions_m), body.joint_positions_m[:, 0] - body.translation_m
    local[:, 0] = transform[:3, :3] @ local[:, 0]
    pelvis = body.joint_positions_m[:, 0] @ transform[:3, :3].T + transform[:3, 3]
    positions = joints.positions_m @ transform[:3, :3].T + transform[:3, 3]
    found = body.present.any()
    return Motion(
        name=name,
        rate_hz=rate_hz,
        floor_seen=bool(np.isfinite(recording.floor_plane).all()),
        times_s=times_s,
        joint_names=joints.names,
        joint_positions_m=at_times(joints.stamps_ns, positions),
        angle_names=angles.names,
        angles_rad=at_times(angles.stamps_ns, angles.angles_rad, period=2.0 * np.pi),
        model_id=body.model_id,
        betas=np.nanmedian(body.betas, axis=0) if found else np.empty(0),
        rotations=_rotations_at(at_times, body.stamps_ns, local),
        pelvis_m=at_times(body.stamps_ns, pelvis),
        rest_pelvis_m=np.nanmedian(rest_pelvis, axis=0) if found else np.full(3, np.nan),
        offsets_m=np.nanmedian(offsets, axis=0) if found else np.full((len(SMPL_24), 3), np.nan),
    )


def _offsets(local: NDArray[np.float64], positions_m: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return each joint in its parent's axes (T, 24, 3) [m]; `local` as `Motion.rotations`, in the camera's frame."""
    world, offsets = np.empty_like(local), np.zeros((*local.shape[:2], 3))
    for joint, parent in enumerate(SMPL_24.parents):
        if parent < 0:
            world[:, joint] = local[:, joint]
            continue
        step = positions_m[:, joint].astype(np.float64) - positions_m[:, parent]
        offsets[:, joint] = np.einsum("tji,tj->ti", world[:, parent], step)
        world[:, joint] = world[:, parent] @ local[:, joint]
    return offsets


def _resampled(
    source_s: NDArray[np.float64],
    values: NDArray[np.floating],
    times_s: NDArray[np.float64],
    rate_hz: float,
    period: float,
) -> NDArray[np.float64]:
    """Return values (T, ...) at instants [s]: linear between neighbouring frames, NaN in longer gaps.

    Differences that are larger than half of `period` go the other way round.
    """
    flat = np.asarray(values, dtype=np.float64)
    if len(source_s) == 0:
        return np.full((len(times_s), *flat.shape[1:]), np.nan)
    after = np.clip(np.searchsorted(source_s, times_s), 1, max(len(source_s) - 1, 1))
    before, after = after - 1, np.minimum(after, len(source_s) - 1)
    span = np.maximum(source_s[after] - source_s[before], 1e-9)
    weight = np.clip((times_s - source_s[before]) / span, 0.0, 1.0)
    shape = (-1, *[1] * (flat.ndim - 1))
    weights = weight.reshape(shape)
    step = flat[after] - flat[before]
    if np.isfinite(period):
        step -= period * np.round(step / period)
    between = flat[before] + weights * step
    nearest = np.where(weight < 0.5, before, after)
    off = np.abs(times_s - source_s[nearest])
    exact, far = off * rate_hz < SAME_INSTANT_FRAMES, span * rate_hz > LARGEST_GAP_FRAMES
    result = np.where(exact.reshape(shape), flat[nearest], between)
    outside = ~exact & (far | (off * rate_hz > 1.0))
    result[outside] = np.nan
    return np.asarray(result)


def _rotations_at(
    at_times: Callable[[NDArray[np.int64], NDArray[np.floating]], NDArray[np.float64]],
    stamps_ns: NDArray[np.int64],
    rotations: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return rotations (T, 24, 3, 3) at instants: quaternions of neighbouring frames are averaged and normalised."""
    quaternions = np.full((*rotations.shape[:2], 4), np.nan)
    finite = np.isfinite(rotations).all(axis=(1, 2, 3))
    quaternions[finite] = quaternions_from_matrices(rotations[finite])
    for frame in range(1, len(quaternions)):  # q and -q are the same rotation
        turned = (quaternions[frame] * quaternions[frame - 1]).sum(axis=-1) < 0.0
        quaternions[frame, turned] *= -1.0
    return matrices_from_quaternions(at_times(stamps_ns, quaternions))


def held_over_gaps(motion: Motion) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rotations (T, 24, 3, 3) and pelvis (T, 3) [m] of a motion for formats that cannot say "missing".

    A frame without a body has the pose of the last one before it; frames before the first have the first one's.
    """
    rows = np.arange(len(motion.times_s))
    last = np.maximum.accumulate(np.where(motion.present, rows, -1))
    last[last < 0] = int(np.argmax(motion.present))
    return motion.rotations[last], motion.pelvis_m[last]
