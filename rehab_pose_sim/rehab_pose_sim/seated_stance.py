"""A person whose feet keep their places in front of a chair, between sitting on it and standing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.skinning import pose_vertices
from rehab_pose_sim.free_pose import BodyRegions, about
from rehab_pose_sim.pose import ScriptedPose, Stance
from rehab_pose_sim.supports import SEAT_HEIGHT_M, SEAT_TO_FEET_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import BodyParameters

__all__ = ["SeatedStance"]

PELVIS_BACK_M = 0.40
"""Distance of a seated pelvis behind the feet [m for a leg of REFERENCE_LEG_M]: about a thigh."""
SEAT_ROUNDS = 8
"""Rounds in which the pelvis is lowered to the seat."""


class SeatedStance(Stance):
    """Converts poses into body parameters; `seated` moves the pelvis to the seat."""

    def __init__(self, model: BodyModel, betas: NDArray[np.float64], *, heading_rad: float) -> None:
        """Measure the body and the depth of the seat under its pelvis.

        Args:
            model: The body model.
            betas: Shape coefficients.
            heading_rad: Rotation about y [rad]; 0 faces +z.
        """
        forward = about(1, heading_rad) @ [0.0, 0.0, SEAT_TO_FEET_M]
        super().__init__(model, betas, place_m=(forward[0], forward[2]), heading_rad=heading_rad)
        regions = BodyRegions(model)
        self._drop_m = 0.4
        for _ in range(SEAT_ROUNDS):
            vertices = pose_vertices(model, self.parameters(ScriptedPose(seated=1.0)))
            self._drop_m += regions.lowest_m(vertices, "seat") - SEAT_HEIGHT_M

    def parameters(self, pose: ScriptedPose) -> BodyParameters:
        """Return the body parameters of a pose in the world."""
        to_seat = pose.seated * np.array([0.0, -self._drop_m, -PELVIS_BACK_M])
        return super().parameters(replace(pose, pelvis_m=pose.pelvis_m + to_seat))
