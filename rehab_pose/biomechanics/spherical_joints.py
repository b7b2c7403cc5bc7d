"""Joints with three freedoms: from small changes of their angles to small turns of the segment about its own axes.

What keypoints do not show of such a joint is a turn about the segment's long axis. In the segment's own axes that is
the same turn at every frame; in angles its direction changes with the posture. Information about angles that was
gathered at one posture is therefore passed on to the next by way of the segment's axes: otherwise what was learnt about
the other angles would leak into the twist, and its sigma would shrink though nothing was seen of it (as in a Kalman
filter that is linearised anew at every step; Huang, Mourikis and Roumeliotis 2010).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.geometry.rotations import matrices_from_axis_angles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain

__all__ = ["BallJoints"]

MIN_DETERMINANT = 0.1
"""Below it two of a joint's axes nearly coincide and its angles are left as they are."""


class BallJoints:
    """The joints of a chain that turn about three axes of their own."""

    def __init__(self, chain: Chain) -> None:
        arrays = chain.arrays
        self._size = len(chain.lower)
        columns, axes = [], []
        shared = np.bincount(arrays.unknown, minlength=self._size)
        for joint in range(len(arrays.parents)):
            first, end = arrays.freedom_start[joint], arrays.freedom_start[joint + 1]
            own = arrays.unknown[first:end]
            if end - first == 3 and (shared[own] == 1).all():
                columns.append(own)
                axes.append(arrays.axes[first:end])
        self._columns = np.array(columns, dtype=np.int64).reshape(-1, 3)
        self._axes = np.array(axes, dtype=np.float64).reshape(-1, 3, 3)

    def _turns(self, unknowns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return, for every joint, the turn in the segment's axes by each angle (B, 3, 3)."""
        angles = unknowns[self._columns]
        second, third = (matrices_from_axis_angles(self._axes[:, k] * angles[:, k, None]) for k in (1, 2))
        back = third.transpose(0, 2, 1)
        turns = np.empty((len(self._columns), 3, 3))
        turns[:, :, 0] = np.einsum("bij,bj->bi", back, np.einsum("bji,bj->bi", second, self._axes[:, 0]))
        turns[:, :, 1] = np.einsum("bij,bj->bi", back, self._axes[:, 1])
        turns[:, :, 2] = self._axes[:, 2]
        return turns

    def passed_on(self, earlier: NDArray[np.float64], later: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return M (N, N): a change of the later posture's unknowns as the change of the earlier's that turns alike."""
        matrix = np.eye(self._size)
        before, after = self._turns(earlier), self._turns(later)
        sound = (np.abs(np.linalg.det(before)) > MIN_DETERMINANT) & (np.abs(np.linalg.det(after)) > MIN_DETERMINANT)
        for columns, first, second in zip(self._columns[sound], before[sound], after[sound], strict=True):
            matrix[np.ix_(columns, columns)] = np.linalg.solve(first, second)
        return matrix
