"""The spine's curves, as a clinician reads them from a side view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.geometry.rotations import axis_angles_from_matrices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Bones

__all__ = ["lumbar_rotations_rad", "spinal_curves_rad"]

SACRAL_AXIS = np.array([0.0, 0.902, 0.431])
"""Up along the sacrum's first vertebra, in the pelvis's axes: its upper end slopes forwards by 25.5 degrees, the lower
end of what standing adults show."""


def spinal_curves_rad(bones: Bones, pelvis_rotation: NDArray[np.float64]) -> dict[str, float]:
    """Return lordosis (L1 to S1) and kyphosis (T1 to T12) [rad], positive as in standing people.

    Angles between the axes of the vertebrae (square to their ends) in the pelvis's side view.

    Args:
        bones: Posed bones.
        pelvis_rotation: (3, 3) of the body's pelvis joint.
    """

    def axis(name: str) -> NDArray[np.float64]:
        return np.asarray(pelvis_rotation.T @ bones.camera_from_bone[bones.names.index(name), :3, 1])

    def lean(vector: NDArray[np.float64]) -> float:
        """Return how far an upward axis leans forwards [rad]."""
        return float(np.arctan2(vector[2], vector[1]))

    return {
        "lumbar_lordosis": lean(SACRAL_AXIS) - lean(axis("L1")),
        "thoracic_kyphosis": lean(axis("T1")) - lean(axis("T12")),
    }


def lumbar_rotations_rad(bones: Bones, rest: Bones) -> NDArray[np.float64]:
    """Return the rotation of L5 against the sacrum, L4 against L5, ... L1 against L2 (5, 3) since `rest` [rad]."""
    order = ("sacrum", "L5", "L4", "L3", "L2", "L1")
    index = [bones.names.index(name) for name in order]
    since = bones.camera_from_bone[index, :3, :3] @ rest.camera_from_bone[index, :3, :3].transpose(0, 2, 1)
    return axis_angles_from_matrices(since[:-1].transpose(0, 2, 1) @ since[1:])
