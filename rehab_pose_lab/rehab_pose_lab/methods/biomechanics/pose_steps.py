"""Steps between poses of a chain: the root's rotation on its manifold, all other unknowns by addition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.biomechanics.kinematics import logarithm
from rehab_pose.biomechanics.pose import Pose
from rehab_pose.geometry.rotations import matrices_from_axis_angles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["difference", "moved"]


def moved(pose: Pose, step: NDArray[np.float64]) -> Pose:
    """Return a pose after a step (N) of all unknowns [m, rad]."""
    unknowns = pose.unknowns + step
    unknowns[3:6] = 0.0
    return Pose(unknowns, pose.base @ matrices_from_axis_angles(step[3:6]))


def difference(other: Pose, pose: Pose) -> NDArray[np.float64]:
    """Return the step (N) from `pose` to `other` [m, rad]."""
    step = other.unknowns - pose.unknowns
    logarithm(pose.base, other.base, step[3:6])
    return step
