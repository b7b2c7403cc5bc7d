"""The bones of one body shape at rest: the frame that carries each, its two ends and its axes.

At rest every frame has the body's axes: x to the person's left, y up, z to the front; the origin is the pelvis joint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.bones.proportions import (
    CERVICAL,
    LUMBAR,
    REFERENCE_SIZE_M,
    RIB_RADIUS_M,
    RIBS,
    SIDE_BONES,
    SPINE_CURVE,
    THORACIC,
    TRUNK_BONES,
    VERTEBRA_RADIUS_M,
    VERTEBRAE_M,
    BoneSpec,
    RibSpec,
)
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FRAMES", "SPINE", "BoneLayout", "bone_layout", "frame_index", "rest_joints_m", "rib_path"]

PARENTS = np.array(SMPL_24.parents)
SIDES = (("left_", 1.0), ("right_", -1.0))
"""Prefix of each side, and the sign of x."""
SPINE_JOINTS = ("spine1", "spine2", "spine3", "neck", "head")
LEG_JOINTS = ("left_knee", "left_ankle", "right_knee", "right_ankle")
MIDLINE = {"pelvis", "spine1", "spine2", "spine3", "neck", "head"}
SPINE = (*LUMBAR, *THORACIC, *CERVICAL)
SIDE_FRAMES = tuple(f"{side}_{bone}" for side in ("left", "right") for bone in ("clavicle", "patella", "radius"))
FRAMES = (*SMPL_24.joint_names, *SPINE, *SIDE_FRAMES)
"""Frames that can carry a bone: the joints, the vertebrae, and the bones that `posing` places by separate rules."""
FRAME_INDEX = {name: index for index, name in enumerate(FRAMES)}
ALONG_FRONT = 0.9
"""A bone whose direction has a larger cosine with the body's front than this takes the body's up as its front axis."""
CURVE_SAMPLES = 241
"""Points at which the spine's curve is evaluated."""
RIB_POINTS = 14
"""Points of a rib's middle line."""
COSTOVERTEBRAL_DEG = 24.0
"""Angle about the rib cage's axis at which a rib begins, 0 at the back [deg]."""


def frame_index(name: str) -> int:
    """Return the index of a frame in `FRAMES`."""
    return FRAME_INDEX[name]


@dataclass(frozen=True, eq=False)
class BoneLayout:
    """B bones at rest as rigid pieces."""

    names: tuple[str, ...]
    frames: NDArray[np.intp]
    """(B) the frame of `FRAMES` that carries each bone."""
    starts_m: NDArray[np.float64]
    """(B, 3) one end of each bone [m]."""
    ends_m: NDArray[np.float64]
    """(B, 3) its other end [m]."""
    axes: NDArray[np.float64]
    """(B, 3, 3) the bone's axes as columns: y from start to end."""
    length_m: NDArray[np.float64]
    """(B) from start to end [m]."""
    radius_m: NDArray[np.float64]
    """(B) half the thickness [m]."""
    origins_m: NDArray[np.float64]
    """(F, 3) the origin of each frame of `FRAMES` [m]."""
    scale: float
    """Size of the person in units of REFERENCE_SIZE_M."""


def rest_joints_m(joint_positions_m: NDArray[Any], joint_rotations: NDArray[Any]) -> NDArray[np.float64]:
    """Return the joints (24, 3) at rest, from the pelvis [m]; they depend on the body's shape only."""
    parents = np.maximum(PARENTS, 0)
    offsets_m = np.einsum("jba,jb->ja", joint_rotations[parents], joint_positions_m - joint_positions_m[parents])
    rest = np.zeros((len(PARENTS), 3))
    for joint, parent in enumerate(SMPL_24.parents):
        if parent >= 0:
            rest[joint] = rest[parent] + offsets_m[joint]
    return rest


def _scale(rest_m: NDArray[Any]) -> float:
    """Return the person's size in units of REFERENCE_SIZE_M."""
    lengths_m = np.linalg.norm(rest_m - rest_m[np.maximum(PARENTS, 0)], axis=1)
    spine_m = sum(float(lengths_m[SMPL_24.index(name)]) for name in SPINE_JOINTS)
    leg_m = 0.5 * sum(float(lengths_m[SMPL_24.index(name)]) for name in LEG_JOINTS)
    return (spine_m + leg_m) / REFERENCE_SIZE_M


def bone_layout(rest_m: NDArray[Any], *, with_ribs: bool) -> BoneLayout:
    """Return the bones of a body shape.

    Args:
        rest_m: (24, 3) from `rest_joints_m` [m].
        with_ribs: Whether the ribs are included.
    """
    scale = _scale(rest_m)
    names: list[str] = []
    frames: list[int] = []
    starts: list[NDArray[np.float64]] = []
    ends: list[NDArray[np.float64]] = []
    radii: list[float] = []

    def add(name: str, frame: str, line: tuple[NDArray[np.float64], NDArray[np.float64]], radius_m: float) -> None:
        names.append(name)
        frames.append(FRAME_INDEX[frame])
        starts.append(line[0])
        ends.append(line[1])
        radii.append(radius_m * scale)

    for spec in TRUNK_BONES:
        add(spec.name, spec.segment, _line(spec, rest_m, scale, ""), spec.radius_m)
    joints = _spine_points_m(rest_m, scale)
    for name, lower, upper in zip(SPINE, joints[:-1], joints[1:], strict=True):
        add(name, name, (lower, upper), VERTEBRA_RADIUS_M[name[0]])
    for prefix, _ in SIDES:
        for spec in SIDE_BONES:
            frame = spec.segment if spec.segment in MIDLINE else prefix + spec.segment
            add(prefix + spec.name, frame, _line(spec, rest_m, scale, prefix), spec.radius_m)
    origins = np.zeros((len(FRAMES), 3))
    origins[: len(rest_m)] = rest_m
    for name in (*SPINE, *SIDE_FRAMES):
        origins[FRAME_INDEX[name]] = starts[names.index(name)]
    for prefix, sign in SIDES:
        origins[FRAME_INDEX[f"{prefix}patella"]] = rest_m[SMPL_24.index(f"{prefix}knee")]
        for number, rib in enumerate(RIBS if with_ribs else (), start=1):
            path = rib_path(rib, origins[FRAME_INDEX[rib.vertebra]], scale, sign)
            add(f"{prefix}rib_{number}", rib.vertebra, (path[0], path[-1]), RIB_RADIUS_M)
    starts_m, ends_m = np.array(starts), np.array(ends)
    return BoneLayout(
        names=tuple(names),
        frames=np.array(frames, dtype=np.intp),
        starts_m=starts_m,
        ends_m=ends_m,
        axes=axes_along(starts_m, ends_m),
        length_m=np.linalg.norm(ends_m - starts_m, axis=1),
        radius_m=np.array(radii),
        origins_m=origins,
        scale=scale,
    )


def _line(
    spec: BoneSpec, rest_m: NDArray[Any], scale: float, prefix: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both ends (3) of a bone [m]."""
    mirror = scale * np.array([-1.0 if prefix == "right_" else 1.0, 1.0, 1.0])

    def end(joint: str, shift_m: tuple[float, float, float]) -> NDArray[np.float64]:
        place = SMPL_24.index(joint if joint in MIDLINE else prefix + joint)
        return np.asarray(rest_m[place] + mirror * np.array(shift_m))

    return end(spec.start_joint, spec.start_m), end(spec.end_joint, spec.end_m)


def _spine_points_m(rest_m: NDArray[Any], scale: float) -> NDArray[np.float64]:
    """Return the ends of the vertebrae (25, 3) from the sacrum's upper end to the skull [m].

    Distances along the curve are proportional to the vertebrae's heights; the neck has the length of the body's.
    """
    knots = scale * np.array([shift for _, shift in SPINE_CURVE])
    for row, (weights, _) in enumerate(SPINE_CURVE):
        knots[row] += sum(weight * rest_m[SMPL_24.index(name)] for name, weight in weights.items())
    at = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    fine = np.linspace(0.0, at[-1], CURVE_SAMPLES)
    curve = _natural_spline(at, knots, fine)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    neck_m = float(np.interp(at[-2], fine, along))
    trunk = np.cumsum([0.0, *(VERTEBRAE_M[name] for name in (*LUMBAR, *THORACIC))])
    neck = np.cumsum([VERTEBRAE_M[name] for name in CERVICAL])
    heights = np.concatenate([trunk / trunk[-1] * neck_m, neck_m + neck / neck[-1] * (along[-1] - neck_m)])
    return np.stack([np.interp(heights, along, curve[:, axis]) for axis in range(3)], axis=1)


def _natural_spline(at: NDArray[Any], knots: NDArray[Any], fine: NDArray[Any]) -> NDArray[np.float64]:
    """Return the natural cubic spline through knots (n, 3) at parameters `at` (n), evaluated at `fine` (m)."""
    count, step = len(at), np.diff(at)
    system = np.eye(count)
    right = np.zeros((count, 3))
    slopes = np.diff(knots, axis=0) / step[:, None]
    for i in range(1, count - 1):
        system[i, i - 1 : i + 2] = step[i - 1], 2.0 * (step[i - 1] + step[i]), step[i]
        right[i] = 6.0 * (slopes[i] - slopes[i - 1])
    bend = np.linalg.solve(system, right)
    piece = np.clip(np.searchsorted(at, fine, side="right") - 1, 0, count - 2)
    h = step[piece][:, None]
    a, b = (at[piece + 1] - fine)[:, None] / h, (fine - at[piece])[:, None] / h
    return np.asarray(
        a * knots[piece] + b * knots[piece + 1] + ((a**3 - a) * bend[piece] + (b**3 - b) * bend[piece + 1]) * h**2 / 6.0
    )


def rib_path(
    rib: RibSpec, vertebra_m: NDArray[Any], scale: float, sign: float, count: int = RIB_POINTS
) -> NDArray[np.float64]:
    """Return a rib's middle line (count, 3) from its vertebra around the chest to the end of the bone [m].

    From above it is an ellipse; its height falls slowly at the back and fastest at the side.

    Args:
        rib: Its proportions.
        vertebra_m: (3) lower end of its vertebra [m].
        scale: Size of the person in units of REFERENCE_SIZE_M.
        sign: 1 for the left side, -1 for the right.
        count: Number of points.
    """
    angle = np.radians(np.linspace(COSTOVERTEBRAL_DEG, rib.round_deg, count))
    fraction = (angle - angle[0]) / (np.radians(150.0) - angle[0])
    full = (np.radians(rib.round_deg) - angle[0]) / (np.radians(150.0) - angle[0])
    drop = rib.drop_m * (1.35 * fraction - 0.35 * fraction**3) / (1.35 * full - 0.35 * full**3)
    depth = rib.half_depth_m
    path = np.stack(
        [
            sign * rib.half_width_m * np.sin(angle),
            0.008 - drop,
            (depth - 0.026) - depth * np.cos(angle),
        ],
        axis=1,
    )
    return np.asarray(vertebra_m + scale * path)


def axes_along(starts_m: NDArray[Any], ends_m: NDArray[Any]) -> NDArray[np.float64]:
    """Return bone axes (B, 3, 3) as columns: y from start to end, z as near to the body's front as possible."""
    along = ends_m - starts_m
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    front = np.where(np.abs(along[:, 2:]) > ALONG_FRONT, np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    front = front - (front * along).sum(axis=1, keepdims=True) * along
    front = front / np.linalg.norm(front, axis=1, keepdims=True)
    return np.stack([np.cross(along, front), along, front], axis=2)
