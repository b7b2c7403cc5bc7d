"""Shape coefficients for the lengths of limb segments, added to those of a body model.

The first coefficients of SMPL's shape space change all segments together: the lengths of a person's arms and legs at
the same stature differ by some per cent, which none of them expresses.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.model import BodyModel
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LENGTH_STD", "SEGMENTS", "with_limb_lengths"]

SEGMENTS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
"""Upper and lower joint of the segments, one coefficient for both sides."""
LENGTH_STD = 0.05
"""Standard deviation of a segment's length at the same stature, as a fraction: 3 to 5 % in the tables of Drillis and
Contini (1966) and in ANSUR's acromion-radiale and radiale-stylion lengths."""


STRETCHED = (0.2, 0.8)
"""Part of a segment that is stretched, as fractions of its length: the surface around its joints keeps its shape."""


class LimbLengthModel(BodyModel):
    """A body model whose last shape coefficients are the lengths of limb segments.

    Joints move exactly with their segment, not by the model's regressor: that takes means over wide areas, which
    partly belong to the neighbouring segments.
    """

    @cached_property
    def joint_shapedirs(self) -> NDArray[np.float64]:
        """(24, 3, B) change of the joints at rest with a coefficient of one standard deviation [m]."""
        shapedirs = self.shapedirs[:, :, : -len(SEGMENTS)].astype(np.float64)
        regressed = np.einsum("jv,vcb->jcb", self.joint_regressor, shapedirs, optimize=True)
        moved = np.zeros((len(SMPL_24), 3, len(SEGMENTS)))
        for index, (upper, lower) in enumerate(SEGMENTS):
            for first, second in _joints_of(upper, lower):
                segment = self.joint_template[second] - self.joint_template[first]
                moved[_descendants(second), :, index] = LENGTH_STD * segment
        return np.concatenate([regressed, moved], axis=2)


def with_limb_lengths(model: BodyModel) -> BodyModel:
    """Return a body model with one more shape coefficient for each of SEGMENTS, in units of LENGTH_STD.

    The middle of the segment is stretched; everything below moves by its whole change of length.
    """
    directions = [_direction(model, upper, lower) for upper, lower in SEGMENTS]
    shapedirs = np.concatenate([model.shapedirs, np.stack(directions, axis=2).astype(np.float32)], axis=2)
    arrays = {entry.name: getattr(model, entry.name) for entry in fields(model)}
    return LimbLengthModel(**{**arrays, "model_id": f"{model.model_id}-limbs", "shapedirs": shapedirs})


def _direction(model: BodyModel, upper: str, lower: str) -> NDArray[np.float64]:
    """Return the displacement (V, 3) of every vertex for a coefficient of 1 [m]."""
    moved = np.zeros(model.v_template.shape)
    for first, second in _joints_of(upper, lower):
        segment = model.joint_template[second] - model.joint_template[first]
        along = (model.v_template - model.joint_template[first]) @ segment / (segment @ segment)
        of_limb = model.weights[:, _descendants(first)].sum(axis=1)
        fraction = of_limb * np.clip((along - STRETCHED[0]) / (STRETCHED[1] - STRETCHED[0]), 0.0, 1.0)
        moved += LENGTH_STD * fraction[:, None] * segment
    return moved


def _joints_of(upper: str, lower: str) -> list[tuple[int, int]]:
    """Return upper and lower joint of a segment on both sides."""
    return [(SMPL_24.index(f"{side}_{upper}"), SMPL_24.index(f"{side}_{lower}")) for side in ("left", "right")]


def _descendants(joint: int) -> list[int]:
    """Return a joint and all joints below it."""
    joints = [joint]
    for index, parent in enumerate(SMPL_24.parents):
        if parent in joints:
            joints.append(index)
    return joints
