"""A pose of a chain: its unknowns, the root's rotation, and the joints that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.kinematics import forward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain, ChainArrays

__all__ = ["Pose", "joints_of"]


@dataclass(frozen=True, eq=False)
class Pose:
    """The unknowns of a chain at one frame."""

    unknowns: NDArray[np.float64]
    """(N) as in `chain`, the root's rotation vector zero [m, rad]."""
    base: NDArray[np.float64]
    """(3, 3) the root's rotation, world_from_root."""

    @property
    def angles_rad(self) -> NDArray[np.float64]:
        """The chain's angles (n)."""
        return self.unknowns[ROOT_UNKNOWNS:]


def joints_of(
    chain: Chain, pose: Pose, arrays: ChainArrays | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return all joints' positions (J, 3) [m] and rotations world_from_joint (J, 3, 3).

    Args:
        chain: The chain.
        pose: Its pose.
        arrays: The chain with a person's segment lengths; None: with those of the model.
    """
    count = len(chain.joint_names)
    positions, rotations = np.empty((count, 3)), np.empty((count, 3, 3))
    axes = np.empty((len(chain.freedoms), 3))
    forward(arrays or chain.arrays, pose.unknowns, pose.base, positions, rotations, axes)
    return positions, rotations
