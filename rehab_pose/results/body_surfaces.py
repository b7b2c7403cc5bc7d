"""The skin of a posed body model as a surface, from which bones with meshes are inferred."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.skinning import pose_joints, pose_vertices_of_joints
from rehab_pose.bones.reach import reach_rotations_rad
from rehab_pose.bones.surface import Surface
from rehab_pose.datatypes import BodyParameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import Body

__all__ = ["posed_surface", "surfaces_of"]


def posed_surface(model: BodyModel, parameters: BodyParameters) -> Surface:
    """Return the skin of a body model in a pose."""
    positions, rotations = pose_joints(model, parameters)
    vertices = pose_vertices_of_joints(model, parameters, positions, rotations)
    return Surface(vertices.astype(np.float64), model.faces, positions, rotations)


def surfaces_of(model: BodyModel) -> Callable[[Body], list[Surface]]:
    """Return the function from a body to its skin at rest and at the limits of the joints, for `BoneInferrer`."""

    def surfaces(body: Body) -> list[Surface]:
        betas = body.parameters.betas
        poses_rad = np.concatenate([np.zeros((1, 24, 3)), reach_rotations_rad()])
        return [posed_surface(model, BodyParameters(betas, pose_rad, np.zeros(3))) for pose_rad in poses_rad]

    return surfaces
