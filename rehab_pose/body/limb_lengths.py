"""Shape coefficients for the lengths of limb segments, added to those of a body model.

The first coefficients of SMPL's shape space change all segments together: the lengths of a person's arms and legs at
the same stature differ by some per cent, which none of them expresses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel

__all__ = ["SEGMENTS", "with_limb_lengths"]

SEGMENTS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
"""Upper and lower joint of the segments, one coefficient for both sides."""
LENGTH_STD = 0.05
"""Standard deviation of a segment's length at the same stature, as a fraction: 3 to 5 % in the tables of Drillis and
Contini (1966) and in ANSUR's acromion-radiale and radiale-stylion lengths."""


def with_limb_lengths(model: BodyModel) -> BodyModel:
    """Return a body model with one more shape coefficient for each of SEGMENTS, in units of LENGTH_STD.

    Vertices between the joints move along the segment in proportion to their place on it, all those below by its whole
    change of length.
    """
    directions = [_direction(model, upper, lower) for upper, lower in SEGMENTS]
    shapedirs = np.concatenate([model.shapedirs, np.stack(directions, axis=2).astype(np.float32)], axis=2)
    return replace(model, model_id=f"{model.model_id}-limbs", shapedirs=shapedirs)


def _direction(model: BodyModel, upper: str, lower: str) -> NDArray[np.float64]:
    """Return the displacement (V, 3) of every vertex for a coefficient of 1 [m]."""
    moved = np.zeros(model.v_template.shape)
    for side in ("left", "right"):
        first, second = SMPL_24.index(f"{side}_{upper}"), SMPL_24.index(f"{side}_{lower}")
        segment = model.joint_template[second] - model.joint_template[first]
        along = (model.v_template - model.joint_template[first]) @ segment / (segment @ segment)
        below = model.weights[:, _descendants(second)].sum(axis=1)
        fraction = model.weights[:, first] * np.clip(along, 0.0, 1.0) + below
        moved += LENGTH_STD * fraction[:, None] * segment
    return moved


def _descendants(joint: int) -> list[int]:
    """Return a joint and all joints below it."""
    joints = [joint]
    for index, parent in enumerate(SMPL_24.parents):
        if parent in joints:
            joints.append(index)
    return joints
