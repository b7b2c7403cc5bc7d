"""The spine's curvature angles in the side view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Bones

__all__ = ["spinal_curves_rad"]

SACRAL_AXIS = np.array([0.0, 0.902, 0.431])
"""Upward axis of the sacrum's first vertebra in the pelvis' axes: its upper end plate slopes forwards by 25.5 degrees,
at the lower end of the range of standing adults."""


def spinal_curves_rad(bones: Bones, pelvis_rotation: NDArray[np.float64]) -> dict[str, float]:
    """Return lordosis (L1 to S1) and kyphosis (T1 to T12) [rad], positive as in standing people.

    Angles between the axes of the vertebrae (normal to their end plates) in the side view of the pelvis.

    Args:
        bones: Posed bones.
        pelvis_rotation: (3, 3) of the body's pelvis joint, camera_from_pelvis.
    """

    def axis(name: str) -> NDArray[np.float64]:
        return np.asarray(pelvis_rotation.T @ bones.camera_from_bone[bones.names.index(name), :3, 1])

    def lean(vector: NDArray[np.float64]) -> float:
        """Return the forward inclination of an upward axis [rad]."""
        return float(np.arctan2(vector[2], vector[1]))

    return {
        "lumbar_lordosis": lean(SACRAL_AXIS) - lean(axis("L1")),
        "thoracic_kyphosis": lean(axis("T1")) - lean(axis("T12")),
    }
