"""Errors of inferred bones: gaps in the joints, and the rotations of the lumbar vertebrae."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.bones.articulations import Articulations
from rehab_pose.bones.layout import bone_layout, rest_joints_m
from rehab_pose.bones.posing import BonePoser
from rehab_pose.geometry.rotations import axis_angles_from_matrices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Body, Bones

__all__ = ["joint_gaps_m", "lumbar_rotations_rad"]


def joint_gaps_m(body: Body) -> dict[str, float]:
    """Return the distance between the two bones of each joint [m], by the joint's name."""
    layout = bone_layout(rest_joints_m(body.joint_positions_m, body.joint_rotations), with_ribs=True)
    joints = Articulations.of(layout)
    first, second = joints.ends_m(BonePoser(layout).frames(body.joint_positions_m, body.joint_rotations))
    return dict(zip(joints.names, np.linalg.norm(first - second, axis=1).tolist(), strict=True))


def lumbar_rotations_rad(bones: Bones, rest: Bones) -> NDArray[np.float64]:
    """Return rotation vectors (5, 3) of L5 against the sacrum, L4 against L5, ... L1 against L2 since `rest` [rad]."""
    order = ("sacrum", "L5", "L4", "L3", "L2", "L1")
    index = [bones.names.index(name) for name in order]
    change = bones.camera_from_bone[index, :3, :3] @ rest.camera_from_bone[index, :3, :3].transpose(0, 2, 1)
    return axis_angles_from_matrices(change[:-1].transpose(0, 2, 1) @ change[1:])
