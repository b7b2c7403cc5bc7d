"""From one frame to the next: the same person, and no jerk that nobody made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.geometry.kernels import product, rotation_matrix, rotation_vector
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["held_back", "limb_scale"]

LIMB_BONES = np.array(
    [
        (SMPL_24.index(f"{side}_{upper}"), SMPL_24.index(f"{side}_{lower}"))
        for side in ("left", "right")
        for upper, lower in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
    ]
)
"""(8, 2) bones whose length tells one person from another."""
FREE_TURN_RAD, MAX_TURN_RATIO = 0.04, 1.0
"""A joint may always turn by the first, and by this many times more than the fastest limb was seen to turn [rad]."""
FREE_WHOLE_TURN_RAD = 0.16
"""The same for a joint's turn in the camera, where those of its parents add up [rad]."""
PARENTS = np.array(SMPL_24.parents, dtype=np.int64)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def limb_scale(positions_m: NDArray[np.float64], rest_m: NDArray[np.float64]) -> float:
    """Return how much longer the limbs of some joints (24, 3) are than those of a body at rest; NaN = too few seen."""
    seen, measured, known = 0, 0.0, 0.0
    for upper, lower in LIMB_BONES:
        square = rest_square = 0.0
        for i in range(3):
            square += (positions_m[upper, i] - positions_m[lower, i]) ** 2
            rest_square += (rest_m[upper, i] - rest_m[lower, i]) ** 2
        if np.isfinite(square):
            seen += 1
            measured += np.sqrt(square)
            known += np.sqrt(rest_square)
    return measured / known if seen >= len(LIMB_BONES) // 2 else np.nan


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fastest_turn_rad(before_m: NDArray[np.float64], now_m: NDArray[np.float64]) -> float:
    """Return the largest angle by which a limb turned between two frames [rad]; 0 where none was seen in both."""
    most = 0.0
    for upper, lower in LIMB_BONES:
        bone, bone_before = now_m[lower] - now_m[upper], before_m[lower] - before_m[upper]
        x = bone[1] * bone_before[2] - bone[2] * bone_before[1]
        y = bone[2] * bone_before[0] - bone[0] * bone_before[2]
        z = bone[0] * bone_before[1] - bone[1] * bone_before[0]
        along = bone[0] * bone_before[0] + bone[1] * bone_before[1] + bone[2] * bone_before[2]
        turn = np.arctan2(np.sqrt(x * x + y * y + z * z), along)
        if np.isfinite(turn):
            most = max(most, turn)
    return most


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _largest_whole_turn_rad(before_rad: NDArray[np.float64], now_rad: NDArray[np.float64]) -> float:
    """Return the largest angle by which a joint turned in the camera, its parents' turns included [rad]."""
    local, whole, min_trace = np.empty((3, 3)), np.empty((2, len(PARENTS), 3, 3)), 3.0
    for joint in range(len(PARENTS)):
        for frame in range(2):
            turns = before_rad if frame == 0 else now_rad
            rotation_matrix(turns[joint, 0], turns[joint, 1], turns[joint, 2], local)
            if joint == 0:
                whole[frame, 0] = local
            else:
                product(whole[frame, PARENTS[joint]], local, whole[frame, joint])
        trace = 0.0
        for i in range(3):
            for j in range(3):
                trace += whole[0, joint, i, j] * whole[1, joint, i, j]
        min_trace = min(min_trace, trace)
    return float(np.arccos(max(0.5 * (min_trace - 1.0), -1.0)))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _go_part_of_the_way(before_rad: NDArray[np.float64], now_rad: NDArray[np.float64], share: float) -> None:
    """Shorten every turn since the frame before to a share of itself, in place.

    The root's by its rotation: a person who faces the camera is half a turn from the camera's axes, where a rotation
    vector flips its sign.
    """
    before, now, turn, vector = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3)), np.empty(3)
    rotation_matrix(before_rad[0, 0], before_rad[0, 1], before_rad[0, 2], before)
    rotation_matrix(now_rad[0, 0], now_rad[0, 1], now_rad[0, 2], now)
    product(now, before.T, turn)
    rotation_vector(turn, vector)
    rotation_matrix(share * vector[0], share * vector[1], share * vector[2], turn)
    product(turn, before, now)
    rotation_vector(now, vector)
    now_rad[0] = vector
    for joint in range(1, len(now_rad)):
        for i in range(3):
            now_rad[joint, i] = before_rad[joint, i] + share * (now_rad[joint, i] - before_rad[joint, i])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def held_back(
    before_rad: NDArray[np.float64],
    now_rad: NDArray[np.float64],
    measured_before_m: NDArray[np.float64],
    measured_m: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return rotations (24, 3) [rad] that turn little more than what was measured: no jump out of a still person.

    A fit that was caught in a wrong twist would come free at once; over some frames it ends the same and does not
    jerk.

    Args:
        before_rad: (24, 3) rotations of the frame before.
        now_rad: (24, 3) rotations that fit best now.
        measured_before_m: (24, 3) joints of the frame before [m].
        measured_m: (24, 3) joints now [m].
    """
    limit_rad = FREE_TURN_RAD + MAX_TURN_RATIO * _fastest_turn_rad(measured_before_m, measured_m)
    rotations_rad = now_rad.copy()
    for joint in range(1, len(now_rad)):
        square = 0.0
        for i in range(3):
            square += (now_rad[joint, i] - before_rad[joint, i]) ** 2
        if square > limit_rad * limit_rad:
            share = limit_rad / np.sqrt(square)
            for i in range(3):
                rotations_rad[joint, i] = before_rad[joint, i] + share * (now_rad[joint, i] - before_rad[joint, i])
    max_rad = _largest_whole_turn_rad(before_rad, rotations_rad)
    whole_limit_rad = limit_rad - FREE_TURN_RAD + FREE_WHOLE_TURN_RAD
    if max_rad > whole_limit_rad:
        _go_part_of_the_way(before_rad, rotations_rad, whole_limit_rad / max_rad)
    return rotations_rad
