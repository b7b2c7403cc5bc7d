"""Limits how far the fitted joints may rotate from one frame to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.body.model import JOINT_COUNT, PARENTS
from rehab_pose.body.person_change import LIMB_BONES
from rehab_pose.geometry.joint_tree import pose_vectors
from rehab_pose.geometry.kernels import READ_ONLY_MATRIX, product, rotation_matrix, rotation_vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FREE_GLOBAL_ANGLE_RAD", "limit_rate"]

FREE_ANGLE_RAD, MAX_ANGLE_RATIO = 0.04, 1.0
"""A joint may rotate by the first [rad] plus the second times the largest measured rotation of a limb."""
FREE_GLOBAL_ANGLE_RAD = 0.16
"""In place of FREE_ANGLE_RAD for a joint's rotation in the camera frame, where those of its parents add up [rad]."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _largest_limb_angle_rad(before_m: NDArray[np.float64], now_m: NDArray[np.float64]) -> float:
    """Return the largest angle between a limb's directions in two frames [rad]; 0 where none was seen in both."""
    largest = 0.0
    for upper, lower in LIMB_BONES:
        bone, bone_before = now_m[lower] - now_m[upper], before_m[lower] - before_m[upper]
        x = bone[1] * bone_before[2] - bone[2] * bone_before[1]
        y = bone[2] * bone_before[0] - bone[0] * bone_before[2]
        z = bone[0] * bone_before[1] - bone[1] * bone_before[0]
        along = bone[0] * bone_before[0] + bone[1] * bone_before[1] + bone[2] * bone_before[2]
        angle = np.arctan2(np.sqrt(x * x + y * y + z * z), along)
        if np.isfinite(angle):
            largest = max(largest, angle)
    return largest


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _largest_global_angle_rad(before_rad: NDArray[np.float64], now_rad: NDArray[np.float64]) -> float:
    """Return the largest rotation angle of a joint in the camera frame, its parents' rotations included [rad]."""
    rest, origin, positions = np.zeros((JOINT_COUNT, 3)), np.zeros(3), np.empty((JOINT_COUNT, 3))
    before, now = np.empty((JOINT_COUNT, 3, 3)), np.empty((JOINT_COUNT, 3, 3))
    pose_vectors(PARENTS, rest, before_rad, origin, positions, before)
    pose_vectors(PARENTS, rest, now_rad, origin, positions, now)
    min_trace = 3.0
    for joint in range(JOINT_COUNT):
        trace = 0.0
        for i in range(3):
            for j in range(3):
                trace += before[joint, i, j] * now[joint, i, j]
        min_trace = min(min_trace, trace)
    return float(np.arccos(max(0.5 * (min_trace - 1.0), -1.0)))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _interpolate(before_rad: NDArray[np.float64], now_rad: NDArray[np.float64], fraction: float) -> None:
    """Shorten every rotation since the frame before to a fraction of itself, in place.

    The root is interpolated along the shortest rotation: a person who faces the camera is half a turn away from the
    camera's axes, where a rotation vector changes sign.
    """
    before, now, between, vector = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3)), np.empty(3)
    rotation_matrix(before_rad[0, 0], before_rad[0, 1], before_rad[0, 2], before)
    rotation_matrix(now_rad[0, 0], now_rad[0, 1], now_rad[0, 2], now)
    product(now, before.T, between)
    rotation_vector(between, vector)
    rotation_matrix(fraction * vector[0], fraction * vector[1], fraction * vector[2], between)
    product(between, before, now)
    rotation_vector(now, vector)
    now_rad[0] = vector
    for joint in range(1, len(now_rad)):
        for i in range(3):
            now_rad[joint, i] = before_rad[joint, i] + fraction * (now_rad[joint, i] - before_rad[joint, i])


# Compiled when it is imported: only frames with a fast movement need it, which must not wait for the compiler.
@numba.njit(  # type: ignore[untyped-decorator]
    numba.float64[:, ::1](READ_ONLY_MATRIX, READ_ONLY_MATRIX, READ_ONLY_MATRIX, READ_ONLY_MATRIX),
    cache=True,
    nogil=True,
)
def limit_rate(
    before_rad: NDArray[np.float64],
    now_rad: NDArray[np.float64],
    measured_before_m: NDArray[np.float64],
    measured_m: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return rotation vectors (24, 3) [rad] that rotate little more since the frame before than the measured limbs.

    A fit that leaves a wrong twist would jump in one frame; limited, it arrives at the same pose over some frames.

    Args:
        before_rad: (24, 3) rotation vectors of the frame before.
        now_rad: (24, 3) rotation vectors that fit best now.
        measured_before_m: (24, 3) joints of the frame before [m].
        measured_m: (24, 3) joints now [m].
    """
    limit_rad = FREE_ANGLE_RAD + MAX_ANGLE_RATIO * _largest_limb_angle_rad(measured_before_m, measured_m)
    rotations_rad = now_rad.copy()
    for joint in range(1, len(now_rad)):
        square = 0.0
        for i in range(3):
            square += (now_rad[joint, i] - before_rad[joint, i]) ** 2
        if square > limit_rad * limit_rad:
            fraction = limit_rad / np.sqrt(square)
            for i in range(3):
                rotations_rad[joint, i] = before_rad[joint, i] + fraction * (now_rad[joint, i] - before_rad[joint, i])
    max_rad = _largest_global_angle_rad(before_rad, rotations_rad)
    global_limit_rad = limit_rad - FREE_ANGLE_RAD + FREE_GLOBAL_ANGLE_RAD
    if max_rad > global_limit_rad:
        _interpolate(before_rad, rotations_rad, global_limit_rad / max_rad)
    return rotations_rad
