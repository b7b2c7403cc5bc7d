"""Joint angles from the rotations of the body's segments.

A segment's axes in the rest pose (standing upright, arms sideways): x to the person's left, y up, z to the front.
Cardan sequences as the ISB recommends: trunk, hip and knee flexion - sideways - axial (Wu et al. 2002), pelvis
rotation - obliquity - tilt (Baker 2001), shoulder plane of elevation - elevation (Wu et al. 2005).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["anatomical_angles", "flexion_side_axial", "lumbar_angles", "pelvis_angles", "rotation_tilts", "world_axes"]

PELVIS, THORAX = SMPL_24.index("pelvis"), SMPL_24.index("spine3")
SIDES = (("left_", 1.0), ("right_", -1.0))
"""Prefix of each side, and the sign of its outward direction along x."""
VERTICAL_SINE = 1e-3
"""Below this sine of the angle between gravity and the camera's axis, the camera's right axis replaces its front."""


def flexion_side_axial(rotation: NDArray[Any]) -> tuple[float, float, float]:
    """Return a, b, c [rad] of R = Rx(a) Rz(b) Ry(c).

    At b = +-90 degrees a and c rotate about the same axis; then c is 0 and a is their sum.
    """
    b = float(np.arcsin(np.clip(-rotation[0, 1], -1.0, 1.0)))
    if abs(rotation[0, 1]) > 1.0 - 1e-12:
        return float(np.arctan2(-rotation[1, 2], rotation[2, 2])), b, 0.0
    return (
        float(np.arctan2(rotation[2, 1], rotation[1, 1])),
        b,
        float(np.arctan2(rotation[0, 2], rotation[0, 0])),
    )


def rotation_tilts(rotation: NDArray[Any]) -> tuple[float, float, float]:
    """Return c, b, a [rad] of R = Ry(c) Rz(b) Rx(a); at b = +-90 degrees a is 0."""
    b = float(np.arcsin(np.clip(rotation[1, 0], -1.0, 1.0)))
    if abs(rotation[1, 0]) > 1.0 - 1e-12:
        return float(np.arctan2(rotation[0, 2], rotation[2, 2])), b, 0.0
    return (
        float(np.arctan2(-rotation[2, 0], rotation[0, 0])),
        b,
        float(np.arctan2(-rotation[1, 2], rotation[1, 1])),
    )


def world_axes(up: NDArray[Any]) -> NDArray[np.float64]:
    """Return camera_from_world (3, 3) for a person who faces the camera: x to their left, y up, z to the camera.

    Args:
        up: (3) unit vector against gravity in the optical frame.
    """
    front = np.array([0.0, 0.0, -1.0])
    left = np.cross(up, front - (front @ up) * up)
    if np.linalg.norm(left) < VERTICAL_SINE:
        left = np.array([1.0, 0.0, 0.0]) - up[0] * up
    left = left / np.linalg.norm(left)
    return np.stack([left, up, np.cross(left, up)], axis=-1)


def pelvis_angles(joint_rotations: NDArray[Any], up: NDArray[Any]) -> dict[str, float]:
    """Return the pelvis's angles against gravity and the camera [rad].

    Args:
        joint_rotations: (24, 3, 3) camera_from_joint.
        up: (3) unit vector against gravity in the optical frame.
    """
    rotation, obliquity, tilt = rotation_tilts(world_axes(up).T @ joint_rotations[PELVIS])
    return {"pelvis_rotation": rotation, "pelvis_obliquity": obliquity, "pelvis_tilt": tilt}


def lumbar_angles(pelvis: NDArray[Any], thorax_base: NDArray[Any]) -> dict[str, float]:
    """Return the lumbar spine's angles [rad] from the rotations (3, 3) of pelvis and segment above T12/L1."""
    flexion, side, axial = flexion_side_axial(pelvis.T @ thorax_base)
    return {"lumbar_flexion": flexion, "lumbar_lateral_tilt": -side, "lumbar_axial_rotation": axial}


def _bend(relative: NDArray[Any], axis: NDArray[Any]) -> float:
    """Return the angle [rad] between a limb's axis before and after a joint, about any axis of rotation."""
    rotated = relative @ axis
    return float(np.arctan2(np.linalg.norm(np.cross(axis, rotated)), axis @ rotated))


def anatomical_angles(joint_rotations: NDArray[Any]) -> dict[str, float]:
    """Return the angles between segments of the body [rad], which do not depend on the camera.

    Args:
        joint_rotations: (24, 3, 3) camera_from_joint.
    """

    def relative(parent: str | int, child: str | int) -> NDArray[np.float64]:
        first = SMPL_24.index(parent) if isinstance(parent, str) else parent
        second = SMPL_24.index(child) if isinstance(child, str) else child
        return np.asarray(joint_rotations[first].T @ joint_rotations[second])

    flexion, side, axial = flexion_side_axial(relative(PELVIS, THORAX))
    angles = {"trunk_flexion": flexion, "trunk_lateral_tilt": -side, "trunk_axial_rotation": axial}
    for prefix, sign in SIDES:
        flexion, side, axial = flexion_side_axial(relative(PELVIS, f"{prefix}hip"))
        angles[f"{prefix}hip_flexion"] = -flexion
        angles[f"{prefix}hip_abduction"] = sign * side
        angles[f"{prefix}hip_rotation"] = -sign * axial
        angles[f"{prefix}knee_flexion"] = flexion_side_axial(relative(f"{prefix}hip", f"{prefix}knee"))[0]
        angles[f"{prefix}ankle_dorsiflexion"] = -flexion_side_axial(relative(f"{prefix}knee", f"{prefix}ankle"))[0]
        outward = np.array([sign, 0.0, 0.0])
        arm = relative(THORAX, f"{prefix}shoulder") @ outward
        angles[f"{prefix}shoulder_elevation"] = float(np.arctan2(np.hypot(arm[0], arm[2]), -arm[1]))
        angles[f"{prefix}shoulder_elevation_plane"] = float(np.arctan2(arm[2], sign * arm[0]))
        angles[f"{prefix}elbow_flexion"] = _bend(relative(f"{prefix}shoulder", f"{prefix}elbow"), outward)
    return angles
