"""Labelling of body parts by the nearest bone in 3D.

The distance of the surface point p of a pixel to a bone is |p - (a + t v)| - r, with the start a of the bone, the
vector v to its end, the parameter t in 0-1 of its nearest point, and the radius r of the body around it. Because the
distance is measured in 3D, an arm in front of the trunk is labelled as an arm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.errors import ContractError
from rehab_pose.parts.classes import lip_class
from rehab_pose.skeletons.dkp24 import DKP_24
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints, Silhouette

__all__ = ["BONES", "HAIR_ABOVE_HEAD_M", "label_by_nearest_bone"]

_ARM_START = 0.35
"""End of the sleeves as a fraction of the upper arm from the shoulder."""

# Each bone: its two joints, its start and end as fractions of the vector between them, its radius [m], its LIP class.
# Radii are half of the segment breadths in NASA-STD-3000 (50th percentile); that of the waist was tuned on four
# simulated people seen from the front, the side and the back (48 frames).
BONES: tuple[tuple[str, str, float, float, float, str], ...] = (
    ("head", "head", 0.0, 0.0, 0.10, "face"),
    ("neck", "head", 0.0, 1.0, 0.06, "face"),
    ("spine3", "neck", 0.0, 0.8, 0.10, "upper_clothes"),
    ("spine2", "spine3", 0.0, 1.0, 0.13, "upper_clothes"),
    ("spine1", "spine2", 0.0, 1.0, 0.13, "upper_clothes"),
    ("pelvis", "spine1", 0.5, 1.0, 0.13, "upper_clothes"),
    ("left_hip", "right_hip", 0.0, 1.0, 0.11, "pants"),
    ("left_collar", "left_shoulder", 0.0, 1.0, 0.08, "upper_clothes"),
    ("right_collar", "right_shoulder", 0.0, 1.0, 0.08, "upper_clothes"),
    ("left_shoulder", "left_elbow", 0.0, _ARM_START, 0.055, "upper_clothes"),
    ("right_shoulder", "right_elbow", 0.0, _ARM_START, 0.055, "upper_clothes"),
    ("left_shoulder", "left_elbow", _ARM_START, 1.0, 0.05, "left_arm"),
    ("right_shoulder", "right_elbow", _ARM_START, 1.0, 0.05, "right_arm"),
    ("left_elbow", "left_wrist", 0.0, 1.0, 0.04, "left_arm"),
    ("right_elbow", "right_wrist", 0.0, 1.0, 0.04, "right_arm"),
    ("left_wrist", "left_hand", 0.0, 1.6, 0.04, "left_arm"),
    ("right_wrist", "right_hand", 0.0, 1.6, 0.04, "right_arm"),
    ("left_hip", "left_knee", 0.0, 1.0, 0.08, "pants"),
    ("right_hip", "right_knee", 0.0, 1.0, 0.08, "pants"),
    ("left_knee", "left_ankle", 0.0, 0.9, 0.055, "pants"),
    ("right_knee", "right_ankle", 0.0, 0.9, 0.055, "pants"),
    ("left_ankle", "left_foot", 0.0, 1.4, 0.04, "left_shoe"),
    ("right_ankle", "right_foot", 0.0, 1.4, 0.04, "right_shoe"),
)
HAIR_ABOVE_HEAD_M = 0.13
"""Height of the hairline above the head joint along the vector from neck to head [m]; values from 0.12 to 0.14 change
less than 0.2 % of the pixels of the simulated people."""

_FIRST = np.array([SMPL_24.index(bone[0]) for bone in BONES])
_SECOND = np.array([SMPL_24.index(bone[1]) for bone in BONES])
_BEGIN, _END, _RADIUS_M = (np.array([bone[column] for bone in BONES], dtype=np.float64) for column in (2, 3, 4))
_CLASS = np.array([lip_class(bone[5]) for bone in BONES], dtype=np.int32)
_NECK, _HEAD, _LEFT_SHOULDER, _RIGHT_SHOULDER = (
    SMPL_24.index(name) for name in ("neck", "head", "left_shoulder", "right_shoulder")
)
_FACE, _HAIR, _TRUNK = lip_class("face"), lip_class("hair"), lip_class("upper_clothes")

_CHAMFER_DIAGONAL = np.float32(1.41421356)
"""Chamfer distance of diagonal neighbours: the square root of 2 [cells]."""


def label_by_nearest_bone(silhouette: Silhouette, joints: Joints, stride_px: int) -> NDArray[np.uint8]:
    """Return the LIP class (h, w) of each pixel of the box, 0 outside the silhouette.

    Args:
        silhouette: The person's pixels.
        joints: The same person's joints at the same stamp, in the same frame; NaN where one is missing.
        stride_px: Side of the square cells that are labelled by one measured point each [px].

    Raises:
        ContractError: The joints are not SMPL's 24 (or DKP-Net's, whose order is the same).
    """
    if joints.skeleton not in {SMPL_24, DKP_24}:
        msg = f"PartLabeller: expected joints of SMPL_24 or DKP_24, got {joints.skeleton.name}"
        raise ContractError(msg)
    camera = silhouette.intrinsics.cropped(silhouette.box_px)
    pixel, depths_m = _sample(silhouette.inside, silhouette.depth_m, stride_px)
    intrinsics = np.array([camera.fx, camera.fy, camera.cx, camera.cy])
    points_m = _lift(pixel, depths_m, camera.width_px, intrinsics)
    # Without depth or without joints all points are trunk.
    parts = np.full(points_m.shape[1], _TRUNK, dtype=np.int32)
    if points_m[2].any():
        _label_points(points_m, joints.positions_m, parts)
    labels: NDArray[np.uint8] = _paint(silhouette.inside, pixel, parts, stride_px)
    return labels


def _label_points(points_m: NDArray[np.float32], positions_m: NDArray[np.float64], parts: NDArray[np.int32]) -> None:
    """Write the parts (N) of surface points (3, N) [m] for joints (24, 3) [m]; NaN = missing."""
    vector = positions_m[_SECOND] - positions_m[_FIRST]
    has_both_joints = np.isfinite(vector).all(axis=1)
    begin = positions_m[_FIRST] + _BEGIN[:, None] * vector
    bones = np.column_stack([begin, (_END - _BEGIN)[:, None] * vector, _RADIUS_M])[has_both_joints].astype(np.float32)
    _nearest(points_m, bones, _CLASS[has_both_joints], parts)
    parts[(parts == _FACE) & _has_hair(points_m, positions_m)] = _HAIR


def _has_hair(points_m: NDArray[np.float32], positions_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points (3, N) [m] of a head are hair (N): those above the hairline, and those at the back."""
    head_m = positions_m[_HEAD]
    neck_to_head = head_m - positions_m[_NECK]
    across = positions_m[_LEFT_SHOULDER] - positions_m[_RIGHT_SHOULDER]
    forward = np.cross(across, neck_to_head)  # in the camera's frame, where x right, y down, z forward is right-handed
    # Directions with a missing joint are NaN, and comparisons with NaN are false.
    above_m = _along(points_m, head_m, neck_to_head)
    in_front_m = _along(points_m, head_m, forward)
    return (above_m > HAIR_ABOVE_HEAD_M) | ((above_m > 0.0) & (in_front_m < 0.0))


def _along(
    points_m: NDArray[np.float32], origin_m: NDArray[np.float64], direction: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the coordinate (N) [m] of points (3, N) along a direction from an origin; NaN for a zero direction."""
    length = np.linalg.norm(direction)
    unit = direction / (length if length > 0.0 else np.nan)
    along_m: NDArray[np.float32] = unit.astype(np.float32) @ points_m - np.float32(unit @ origin_m)
    return along_m


# The arrays of records are read-only, which is part of a numba array type.
_INSIDE_TYPE = numba.types.Array(numba.boolean, 2, "C", readonly=True)
_DEPTH_TYPE = numba.types.Array(numba.float32, 2, "C", readonly=True)


@numba.njit("void(float32[:, ::1])", cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill_from_nearest(depth_m: NDArray[np.float32]) -> None:
    """Replace every 0 by the value of the nearest other cell, by a chamfer distance in two sweeps (Borgefors 1986)."""
    height, width = depth_m.shape
    one = np.float32(1.0)
    distance = np.empty((height, width), dtype=np.float32)
    for row in range(height):
        for column in range(width):
            distance[row, column] = np.float32(0.0) if depth_m[row, column] > 0 else np.float32(np.inf)
    for step in (1, -1):
        first_row, first_column = (0, 0) if step > 0 else (height - 1, width - 1)
        for i in range(height):
            row = first_row + i * step
            for j in range(width):
                column = first_column + j * step
                # The four neighbours that this sweep has visited: three in the previous row, one in the same row.
                for neighbour in range(4):
                    other_row = row if neighbour == 3 else row - step
                    other_column = column - step if neighbour == 3 else column + neighbour - 1
                    if 0 <= other_row < height and 0 <= other_column < width:
                        is_straight = neighbour % 2 == 1
                        reached = distance[other_row, other_column] + (one if is_straight else _CHAMFER_DIAGONAL)
                        if reached < distance[row, column]:
                            distance[row, column] = reached
                            depth_m[row, column] = depth_m[other_row, other_column]


@numba.njit("void(float32[:, ::1], float32[:, ::1], int32[::1], int32[::1])", cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _nearest(
    points_m: NDArray[np.float32],
    bones: NDArray[np.float32],
    classes: NDArray[np.int32],
    parts: NDArray[np.int32],
) -> None:
    """Write the class of the nearest bone (N) for points (3, N) and bones (B, 7): start, vector, radius [m]."""
    count = points_m.shape[1]
    nearest = np.full(count, np.float32(np.inf), dtype=np.float32)
    zero, one = np.float32(0.0), np.float32(1.0)
    xs, ys, zs = points_m[0], points_m[1], points_m[2]
    for b in range(bones.shape[0]):
        ax, ay, az = bones[b, 0], bones[b, 1], bones[b, 2]
        vx, vy, vz, radius = bones[b, 3], bones[b, 4], bones[b, 5], bones[b, 6]
        squared = vx * vx + vy * vy + vz * vz
        inverse = one / squared if squared > np.float32(1e-9) else zero
        part = classes[b]
        # The loop over points has no branches, so that the compiler vectorises it.
        for i in range(count):
            x, y, z = xs[i] - ax, ys[i] - ay, zs[i] - az
            t = (x * vx + y * vy + z * vz) * inverse
            t = min(max(t, zero), one)
            x, y, z = x - t * vx, y - t * vy, z - t * vz
            distance = np.sqrt(x * x + y * y + z * z) - radius
            closer = distance < nearest[i]
            nearest[i] = distance if closer else nearest[i]
            parts[i] = part if closer else parts[i]


@numba.njit(
    numba.types.Tuple((numba.int32[:, ::1], numba.float32[:, ::1]))(_INSIDE_TYPE, _DEPTH_TYPE, numba.int64), cache=True
)  # type: ignore[untyped-decorator]
def _sample(
    inside: NDArray[np.bool_], depth_m: NDArray[np.float32], stride: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return for each cell its representative pixel (row * w + column, -1 = no person) and the depth of it [m].

    The pixel is the first one on the person with a depth. In a cell without depth it is the first one on the person,
    and the depth is that of the nearest cell with a depth, or 0 if there is none.
    """
    height, width = inside.shape
    shape = ((height + stride - 1) // stride, (width + stride - 1) // stride)
    pixel, depths_m = np.full(shape, -1, dtype=np.int32), np.zeros(shape, dtype=np.float32)
    has_holes = False
    for row in range(shape[0]):
        for column in range(shape[1]):
            for v in range(row * stride, min((row + 1) * stride, height)):
                for u in range(column * stride, min((column + 1) * stride, width)):
                    if not inside[v, u] or depths_m[row, column] > 0:
                        continue
                    has_depth = depth_m[v, u] > 0
                    if has_depth or pixel[row, column] < 0:
                        pixel[row, column] = v * width + u
                    if has_depth:
                        depths_m[row, column] = depth_m[v, u]
            has_holes |= pixel[row, column] >= 0 and depths_m[row, column] == 0
    if has_holes:
        _fill_from_nearest(depths_m)
    return pixel, depths_m


@numba.njit("float32[:, ::1](int32[:, ::1], float32[:, ::1], int64, float64[::1])", cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _lift(
    pixel: NDArray[np.int32], depths_m: NDArray[np.float32], width_px: int, camera: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the surface points (3, N) [m] of the cells on the person, for a camera (4) fx, fy, cx, cy [px]."""
    points_m = np.empty((3, np.count_nonzero(pixel >= 0)), dtype=np.float32)
    point = 0
    for row in range(pixel.shape[0]):
        for column in range(pixel.shape[1]):
            index = pixel[row, column]
            if index >= 0:
                z = depths_m[row, column]
                points_m[0, point] = (index % width_px - camera[2]) / camera[0] * z
                points_m[1, point] = (index // width_px - camera[3]) / camera[1] * z
                points_m[2, point] = z
                point += 1
    return points_m


@numba.njit(
    numba.uint8[:, ::1](_INSIDE_TYPE, numba.int32[:, ::1], numba.int32[::1], numba.int64), cache=True, nogil=True
)  # type: ignore[untyped-decorator]
def _paint(
    inside: NDArray[np.bool_], pixel: NDArray[np.int32], parts: NDArray[np.int32], stride: int
) -> NDArray[np.uint8]:
    """Return the labels (h, w): the pixels of the person take the part of their cell."""
    height, width = inside.shape
    labels = np.zeros((height, width), dtype=np.uint8)
    point = 0
    for row in range(pixel.shape[0]):
        for column in range(pixel.shape[1]):
            if pixel[row, column] < 0:
                continue
            for v in range(row * stride, min((row + 1) * stride, height)):
                for u in range(column * stride, min((column + 1) * stride, width)):
                    if inside[v, u]:
                        labels[v, u] = parts[point]
            point += 1
    return labels
