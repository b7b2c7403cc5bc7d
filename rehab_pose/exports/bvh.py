"""BVH files (Biovision; Meredith and Maddock 2001): a skeleton of constant lengths and its rotations, y up, in cm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exports.motion import held_over_gaps
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rehab_pose.exports.motion import Motion

__all__ = ["bvh_text"]

CM_PER_M = 100.0
"""Programs that read BVH take centimetres."""
END_LENGTH_M = 0.1
"""Length of the bone behind the last joint of a limb, which other programs only draw [m]."""
CHANNELS = "Zrotation Xrotation Yrotation"


def bvh_text(motion: Motion) -> str:
    """Return the file; a frame without a person repeats the last pose, because the format cannot leave it out."""
    lines = ["HIERARCHY", *_joint_lines(motion, 0, "")]
    order = _depth_first(0)
    rotations, pelvis_m = held_over_gaps(motion)
    angles = np.degrees(_zxy(rotations))
    lines += ["MOTION", f"Frames: {len(pelvis_m)}", f"Frame Time: {1.0 / motion.rate_hz:.8f}"]
    for frame_angles, position_m in zip(angles, pelvis_m, strict=True):
        values = [*(position_m * CM_PER_M), *frame_angles[order].ravel()]
        lines.append(" ".join(f"{value:.5f}" for value in values))
    return "\n".join(lines) + "\n"


def _joint_lines(motion: Motion, joint: int, indent: str) -> Iterator[str]:
    is_root = SMPL_24.parents[joint] < 0
    offset = " ".join(f"{value:.5f}" for value in motion.offsets_m[joint] * CM_PER_M)
    yield f"{indent}{'ROOT' if is_root else 'JOINT'} {SMPL_24.joint_names[joint]}"
    yield f"{indent}{{"
    inner = f"{indent}  "
    yield f"{inner}OFFSET {offset}"
    position = "Xposition Yposition Zposition " if is_root else ""
    yield f"{inner}CHANNELS {6 if is_root else 3} {position}{CHANNELS}"
    children = _children(joint)
    for child in children:
        yield from _joint_lines(motion, child, inner)
    if not children:
        direction = motion.offsets_m[joint] / max(float(np.linalg.norm(motion.offsets_m[joint])), 1e-9)
        end = " ".join(f"{value:.5f}" for value in direction * END_LENGTH_M * CM_PER_M)
        yield from (f"{inner}End Site", f"{inner}{{", f"{inner}  OFFSET {end}", f"{inner}}}")
    yield f"{indent}}}"


def _children(joint: int) -> list[int]:
    return [child for child, parent in enumerate(SMPL_24.parents) if parent == joint]


def _depth_first(joint: int) -> list[int]:
    """Return the joints in the order in which the hierarchy lists them."""
    return [joint, *(index for child in _children(joint) for index in _depth_first(child))]


def _zxy(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return z, x, y (..., 3) [rad] of R = Rz(z) Rx(x) Ry(y), the order of the channels."""
    x = np.arcsin(np.clip(rotations[..., 2, 1], -1.0, 1.0))
    z = np.arctan2(-rotations[..., 0, 1], rotations[..., 1, 1])
    y = np.arctan2(-rotations[..., 2, 0], rotations[..., 2, 2])
    return np.stack([z, x, y], axis=-1)
