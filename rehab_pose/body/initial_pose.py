"""An initial pose in closed form: the trunk by Kabsch's alignment, the limbs by their directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rehab_pose.geometry.rotations import align_points, axis_angles_from_matrices, smallest_rotation
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FACING_CAMERA", "initial_pose"]

TRUNK = np.array(
    [SMPL_24.index(name) for name in ("pelvis", "left_hip", "right_hip", "spine1", "spine2", "spine3", "neck",
                                      "left_collar", "right_collar", "left_shoulder", "right_shoulder")]
)  # fmt: skip
FACING_CAMERA = np.diag([1.0, -1.0, -1.0])
"""(3, 3) camera_from_body of an upright person who faces the camera."""


class _Limb(NamedTuple):
    upper: int
    middle: int
    lower: int
    bend_axis: tuple[float, float, float]


def _limb(side: str, names: tuple[str, str, str], bend_axis: tuple[float, float, float]) -> _Limb:
    upper, middle, lower = (SMPL_24.index(f"{side}_{name}") for name in names)
    return _Limb(upper, middle, lower, bend_axis)


LIMBS = (
    _limb("left", ("hip", "knee", "ankle"), (1.0, 0.0, 0.0)),
    _limb("right", ("hip", "knee", "ankle"), (1.0, 0.0, 0.0)),
    _limb("left", ("shoulder", "elbow", "wrist"), (0.0, -1.0, 0.0)),
    _limb("right", ("shoulder", "elbow", "wrist"), (0.0, 1.0, 0.0)),
)
"""Upper, middle and lower joint of every limb, and the axis at rest about which the middle one bends."""
CLEAR_BEND = 0.25
"""Sine of the bend from which the plane of the bend determines the limb's twist."""


def initial_pose(
    rest_m: NDArray[np.float64], target_m: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the root's rotation (3, 3), the translation (3) [m] and rotation vectors (24, 3) [rad], row 0 zero.

    Args:
        rest_m: (24, 3) joints at rest [m].
        target_m: (24, 3) measured joints [m]; NaN = missing; at least one is given.
    """
    root = FACING_CAMERA
    visible = np.asarray(np.isfinite(target_m).all(axis=1))
    trunk = TRUNK[visible[TRUNK]]
    if len(trunk) >= 3 and np.linalg.matrix_rank(target_m[trunk] - target_m[trunk[0]], tol=0.02) >= 2:
        root, _ = align_points(rest_m[trunk], target_m[trunk])
    near = trunk if len(trunk) else np.flatnonzero(visible)
    rotated_m = (rest_m - rest_m[0]) @ root.T
    translation = np.mean(target_m[near] - rotated_m[near], axis=0) - rest_m[0]
    rotations = np.tile(np.eye(3), (24, 1, 1))
    for upper, middle, lower, bend_axis in LIMBS:
        if not (visible[upper] and visible[middle]):
            continue
        rest_bone = rest_m[middle] - rest_m[upper]
        bone = root.T @ (target_m[middle] - target_m[upper])
        next_bone = root.T @ (target_m[lower] - target_m[middle]) if visible[lower] else np.full(3, np.nan)
        rotations[upper] = _limb_rotation(rest_bone, bone, next_bone, np.array(bend_axis))
        if visible[lower]:
            rotations[middle] = smallest_rotation(rest_m[lower] - rest_m[middle], rotations[upper].T @ next_bone)
    return root, translation, axis_angles_from_matrices(rotations)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))


def _limb_rotation(
    rest_bone: NDArray[np.float64],
    bone: NDArray[np.float64],
    next_bone: NDArray[np.float64],
    bend_axis: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the upper bone's rotation (3, 3); a clear bend of the limb determines its twist."""
    normal = np.cross(_unit(bone), _unit(next_bone))
    if not np.linalg.norm(normal) > CLEAR_BEND:
        return smallest_rotation(rest_bone, bone)
    rotation: NDArray[np.float64] = _frame(bone, normal) @ _frame(rest_bone, bend_axis).T
    return rotation


def _frame(along: NDArray[np.float64], axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an orthonormal frame (3, 3): first column along a bone, second nearest to the axis of the bend."""
    first = _unit(along)
    second = _unit(axis - (axis @ first) * first)
    return np.stack([first, second, np.cross(first, second)], axis=1)
