"""The bones of one body shape, in the axes of the segments that carry them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.anatomy.proportions import (
    REFERENCE_SIZE_M,
    RIB_RADIUS_M,
    RIBS,
    SIDE_BONES,
    SPINE_LINKS,
    TRUNK_BONES,
    VERTEBRA_RADIUS_M,
    VERTEBRAE_M,
    BoneSpec,
)
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BoneLayout", "bone_layout", "rest_offsets_m"]

PARENTS = np.array(SMPL_24.parents)
SIDES = (("left_", 1.0), ("right_", -1.0))
SPINE_CHAIN = ("spine1", "spine2", "spine3", "neck", "head")
LEG_CHAIN = ("left_knee", "left_ankle", "right_knee", "right_ankle")
ALONG_FRONT = 0.9
"""A bone whose direction is closer to the front than this cosine takes the segment's up for its own front."""


@dataclass(frozen=True, eq=False)
class BoneLayout:
    """Bones as rigid pieces: pose in a segment, length, radius."""

    names: tuple[str, ...]
    segments: NDArray[np.intp]
    """(B) the joint that carries each bone."""
    segment_from_bone: NDArray[np.float64]
    """(B, 4, 4)."""
    length_m: NDArray[np.float64]
    radius_m: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Piece:
    name: str
    segment: int
    start_m: NDArray[np.float64]
    end_m: NDArray[np.float64]
    radius_m: float


def rest_offsets_m(joint_positions_m: NDArray[Any], joint_rotations: NDArray[Any]) -> NDArray[np.float64]:
    """Return each joint (24, 3) in its parent's axes, from the parent [m]; it depends on the body's shape alone."""
    parents = np.maximum(PARENTS, 0)
    offsets_m = np.einsum("jba,jb->ja", joint_rotations[parents], joint_positions_m - joint_positions_m[parents])
    return np.asarray(np.where((PARENTS >= 0)[:, None], offsets_m, 0.0), dtype=np.float64)


def bone_layout(offsets_m: NDArray[Any], *, with_ribs: bool) -> BoneLayout:
    """Return all bones of a body shape.

    Args:
        offsets_m: (24, 3) from `rest_offsets_m` [m].
        with_ribs: Also the ribs.
    """
    lengths_m = np.linalg.norm(offsets_m, axis=1)
    spine_m = sum(float(lengths_m[SMPL_24.index(name)]) for name in SPINE_CHAIN)
    leg_m = 0.5 * sum(float(lengths_m[SMPL_24.index(name)]) for name in LEG_CHAIN)
    scale = (spine_m + leg_m) / REFERENCE_SIZE_M
    pieces = [_joined(spec, offsets_m, scale, "", 1.0) for spec in TRUNK_BONES]
    pieces += _vertebrae(offsets_m, scale)
    for prefix, sign in SIDES:
        pieces += [_joined(spec, offsets_m, scale, prefix, sign) for spec in SIDE_BONES]
    if with_ribs:
        pieces += _ribs({piece.name: piece for piece in pieces}, scale)
    starts, ends = np.array([piece.start_m for piece in pieces]), np.array([piece.end_m for piece in pieces])
    return BoneLayout(
        names=tuple(piece.name for piece in pieces),
        segments=np.array([piece.segment for piece in pieces], dtype=np.intp),
        segment_from_bone=_poses(starts, ends),
        length_m=np.linalg.norm(ends - starts, axis=1),
        radius_m=np.array([piece.radius_m for piece in pieces]),
    )


def _in_segment(joint: int, segment: int, offsets_m: NDArray[Any]) -> NDArray[np.float64]:
    """Return a joint's place in a segment's axes: the segment's own joint, or one that hangs from it."""
    return np.zeros(3) if joint == segment else np.asarray(offsets_m[joint], dtype=np.float64)


def _joined(spec: BoneSpec, offsets_m: NDArray[Any], scale: float, prefix: str, sign: float) -> _Piece:
    paired = {"pelvis", "spine3", "neck", "head"}

    def index(name: str) -> int:
        return SMPL_24.index(name if name in paired else prefix + name)

    mirror = scale * np.array([sign, 1.0, 1.0])
    segment = index(spec.segment)
    ends = [
        _in_segment(index(joint), segment, offsets_m) + mirror * np.array(shift_m)
        for joint, shift_m in ((spec.start_joint, spec.start_m), (spec.end_joint, spec.end_m))
    ]
    return _Piece(prefix + spec.name, segment, ends[0], ends[1], spec.radius_m * scale)


def _vertebrae(offsets_m: NDArray[Any], scale: float) -> list[_Piece]:
    """Return the vertebrae, each from its lower to its upper end."""
    pieces = []
    for lower, upper, names in SPINE_LINKS:
        link_m = offsets_m[SMPL_24.index(upper)]
        ends = np.cumsum([0.0, *(VERTEBRAE_M[name] for name in names)])
        ends = ends / ends[-1]
        for name, start, end in zip(names, ends[:-1], ends[1:], strict=True):
            radius_m = VERTEBRA_RADIUS_M[name[0]] * scale
            pieces.append(_Piece(name, SMPL_24.index(lower), start * link_m, end * link_m, radius_m))
    return pieces


def _ribs(pieces: dict[str, _Piece], scale: float) -> list[_Piece]:
    ribs = []
    for prefix, sign in SIDES:
        for number, spec in enumerate(RIBS, start=1):
            vertebra = pieces[spec.vertebra]
            start_m = 0.5 * (vertebra.start_m + vertebra.end_m)
            start_m = start_m + scale * np.array([sign * 0.02, 0.0, -0.015])
            end_m = start_m + scale * np.array([sign * spec.lateral_m, -spec.drop_m, spec.front_m])
            ribs.append(_Piece(f"{prefix}rib_{number}", vertebra.segment, start_m, end_m, RIB_RADIUS_M * scale))
    return ribs


def _poses(starts_m: NDArray[Any], ends_m: NDArray[Any]) -> NDArray[np.float64]:
    """Return (B, 4, 4) with y from start to end, and z as near to the segment's front as that allows."""
    along = ends_m - starts_m
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    front = np.where(np.abs(along[:, 2:]) > ALONG_FRONT, np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    front = front - (front * along).sum(axis=1, keepdims=True) * along
    front = front / np.linalg.norm(front, axis=1, keepdims=True)
    poses = np.tile(np.eye(4), (len(along), 1, 1))
    poses[:, :3, 0] = np.cross(along, front)
    poses[:, :3, 1] = along
    poses[:, :3, 2] = front
    poses[:, :3, 3] = starts_m
    return poses
