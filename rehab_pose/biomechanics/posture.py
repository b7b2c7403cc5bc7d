"""A posture of a chain: the unknowns, the root's rotation, and where that puts the joints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.kinematics import forward, logarithm
from rehab_pose.geometry.rotations import matrices_from_axis_angles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain, ChainArrays

__all__ = ["Posture", "difference", "joints_of", "moved"]


@dataclass(frozen=True, eq=False)
class Posture:
    """The unknowns (N, their turn of the root zero) and the root's rotation (3, 3)."""

    unknowns: NDArray[np.float64]
    base: NDArray[np.float64]

    @property
    def angles_rad(self) -> NDArray[np.float64]:
        """The chain's angles (n)."""
        return self.unknowns[ROOT_UNKNOWNS:]


def moved(posture: Posture, step: NDArray[np.float64]) -> Posture:
    """Return a posture after a step (N) of all unknowns."""
    unknowns = posture.unknowns + step
    unknowns[3:6] = 0.0
    return Posture(unknowns, posture.base @ matrices_from_axis_angles(step[3:6]))


def difference(other: Posture, posture: Posture) -> NDArray[np.float64]:
    """Return the step (N) from `posture` to `other`."""
    step = other.unknowns - posture.unknowns
    logarithm(posture.base, other.base, step[3:6])
    return step


def joints_of(
    chain: Chain, posture: Posture, arrays: ChainArrays | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return all joints' positions (J, 3) [m] and rotations (J, 3, 3); `arrays`: the chain with a person's lengths."""
    count = len(chain.joint_names)
    positions, rotations = np.empty((count, 3)), np.empty((count, 3, 3))
    axes = np.empty((len(chain.freedoms), 3))
    forward(arrays or chain.arrays, posture.unknowns, posture.base, positions, rotations, axes)
    return positions, rotations
