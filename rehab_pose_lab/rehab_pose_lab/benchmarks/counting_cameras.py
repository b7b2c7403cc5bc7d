"""Simulated joints as a moving camera and a joint predictor report them: six ways of moving, noise, drop-outs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import Joints, JointVisibility, unknown_plane
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CAMERA_HEIGHT_M", "WAYS", "JointFilm", "film_of", "moved_camera"]

WAYS = ("pitch", "pan", "sideways", "forwards", "roll", "vibration")
"""Ways in which the camera moves, one at a time."""
FLOORS = ("exact", "slow", "unknown")
"""Floor planes: that of the frame; followed as slowly as `FloorTracker` does; never found."""
TURN_RAD = np.radians(4.0)
"""Amplitude of pitch, pan and roll [rad]."""
SWAY_M, APPROACH_M = 0.12, 0.3
"""Amplitude of the robot's base, sideways and forwards [m]."""
SHAKE_M, SHAKE_RAD = 0.008, np.radians(0.8)
"""Amplitude of the vibration of a robot that drives [m, rad]."""
SLOW_HZ, SHAKE_HZ = (0.08, 0.5), (4.0, 9.0)
"""Frequencies of the movement and of the vibration [Hz]."""
CAMERA_HEIGHT_M, DISTANCE_M = 1.2, 2.6
"""Height of the camera above the floor, and its distance from the person [m]."""
NOISE_M = 0.008
"""Standard deviation of each coordinate of a joint in each frame [m]."""
SLOW_EVERY, SLOW_WEIGHT = 10, 0.1
"""Frames between two searches of `FloorTracker`, and the weight of a new plane."""
FIRST_NS = 1_000_000_000
"""Stamp of the first frame [ns]."""


@dataclass(frozen=True, eq=False)
class JointFilm:
    """Joints as a node receives them."""

    frames: list[Joints | None]
    """None where the person is not in view."""
    stamps_ns: list[int]
    planes: NDArray[np.float64]
    """(T, 4) floor plane of each frame, as in `FloorPlane.plane`; NaN = unknown."""


def film_of(
    stamps_s: NDArray[np.float64],
    optical_m: NDArray[np.float64],
    random: np.random.Generator,
    *,
    planes: NDArray[np.float64] | None = None,
    hidden: NDArray[np.bool_] | None = None,
    dropped: NDArray[np.bool_] | None = None,
    noise_m: float = NOISE_M,
) -> JointFilm:
    """Return joints with noise.

    Args:
        stamps_s: (T) [s].
        optical_m: (T, 24, 3) in the optical frame [m]; NaN = missing.
        random: Source of the noise.
        planes: (T, 4) floor planes; None = unknown.
        hidden: (T) True where the person is not in view; None = always in view.
        dropped: (T) True where the frame is lost; None = none is.
        noise_m: Standard deviation of the noise [m].
    """
    measured = optical_m + random.normal(0.0, noise_m, optical_m.shape)
    missing = np.asarray(np.isnan(measured).any(axis=-1))
    kept = np.flatnonzero(~dropped) if dropped is not None else np.arange(len(stamps_s))
    stamps_ns = [FIRST_NS + round(float(stamps_s[row]) * 1e9) for row in kept]
    frames: list[Joints | None] = []
    for row, stamp_ns in zip(kept.tolist(), stamps_ns, strict=True):
        if hidden is not None and hidden[row]:
            frames.append(None)
            continue
        visibility = np.where(missing[row], JointVisibility.MISSING, JointVisibility.OBSERVED).astype(np.uint8)
        frames.append(
            Joints(
                stamp_ns=stamp_ns,
                frame_id="camera_color_optical_frame",
                skeleton=SMPL_24,
                positions_m=measured[row],
                confidence=np.where(missing[row], 0.0, 1.0),
                sigma_m=np.full(len(SMPL_24), noise_m),
                visibility=visibility,
            )
        )
    known = np.tile(unknown_plane(), (len(stamps_s), 1)) if planes is None else planes
    return JointFilm(frames, stamps_ns, known[kept])


def moved_camera(
    stamps_s: NDArray[np.float64], optical_m: NDArray[np.float64], way: str, floor: str, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return joints (T, 24, 3) [m] and floor planes (T, 4) in the optical frame of a camera that moves.

    Args:
        stamps_s: (T) [s].
        optical_m: (T, 24, 3) in the optical frame of a level camera at rest [m].
        way: One of WAYS.
        floor: One of FLOORS.
        random: Source of frequencies and phases.
    """
    length = len(stamps_s)
    turns, shifts = np.zeros((length, 3)), np.zeros((length, 3))
    if way == "vibration":
        for axis in range(3):
            turns[:, axis] = SHAKE_RAD * _wave(stamps_s, SHAKE_HZ, random)
            shifts[:, axis] = SHAKE_M * _wave(stamps_s, SHAKE_HZ, random)
    elif way in {"pitch", "pan", "roll"}:
        turns[:, ("pitch", "pan", "roll").index(way)] = TURN_RAD * _wave(stamps_s, SLOW_HZ, random)
    else:
        axis, size_m = (0, SWAY_M) if way == "sideways" else (2, APPROACH_M)
        shifts[:, axis] = size_m * _wave(stamps_s, SLOW_HZ, random)
    rotations = matrices_from_axis_angles(turns)  # level_from_camera
    seen = (optical_m - shifts[:, None]) @ rotations
    level = np.array([0.0, -1.0, 0.0])
    normals = np.einsum("tji,j->ti", rotations, level)
    exact = np.concatenate([normals, (CAMERA_HEIGHT_M + shifts @ level)[:, None]], axis=1)
    if floor == "unknown":
        return seen, np.tile(unknown_plane(), (length, 1))
    return seen, exact if floor == "exact" else _slowly(exact)


def _wave(
    stamps_s: NDArray[np.float64], range_hz: tuple[float, float], random: np.random.Generator
) -> NDArray[np.float64]:
    """Return a wave (T) between -1 and 1 whose frequency changes every few seconds."""
    rate_hz = np.interp(
        stamps_s, np.arange(0.0, stamps_s[-1] + 20.0, 8.0), random.uniform(*range_hz, int(stamps_s[-1] // 8.0) + 3)
    )
    angle = 2.0 * np.pi * np.cumsum(rate_hz) * float(np.median(np.diff(stamps_s)))
    return np.asarray(np.sin(angle + random.uniform(0.0, 2.0 * np.pi)))


def _slowly(exact: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return planes (T, 4) that follow the exact ones as `FloorTracker` does."""
    planes, plane = np.empty_like(exact), exact[0]
    for row, current in enumerate(exact):
        if row % SLOW_EVERY == 0:
            plane = (1.0 - SLOW_WEIGHT) * plane + SLOW_WEIGHT * current
            plane = plane / np.linalg.norm(plane[:3])
        planes[row] = plane
    return planes
