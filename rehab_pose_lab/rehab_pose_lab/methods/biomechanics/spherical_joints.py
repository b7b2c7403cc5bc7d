"""Joints with three freedoms: small changes of their angles as small rotations of the segment about its own axes.

Keypoints do not determine the rotation of such a joint about the segment's long axis. In the segment's own axes this is
the same rotation at every frame; in angles its direction depends on the pose. Information about angles is therefore
transported from one pose to the next by way of the segment's axes. Otherwise information about the other angles would
enter the twist, and its standard deviation would shrink although it is not measured (as in a Kalman filter that is
linearised at a different estimate in every step; Huang, Mourikis and Roumeliotis 2010).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.geometry.rotations import matrices_from_axis_angles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain

__all__ = ["SphericalJoints"]

MIN_DETERMINANT = 0.1
"""Below it two of a joint's axes nearly coincide and its information is not transported."""


class SphericalJoints:
    """The joints of a chain with three angles that no other joint shares."""

    def __init__(self, chain: Chain) -> None:
        arrays = chain.arrays
        self._size = len(chain.lower)
        columns, axes = [], []
        users = np.bincount(arrays.unknown, minlength=self._size)
        for joint in range(len(arrays.parents)):
            first, end = arrays.freedom_start[joint], arrays.freedom_start[joint + 1]
            unknowns = arrays.unknown[first:end]
            if end - first == 3 and (users[unknowns] == 1).all():
                columns.append(unknowns)
                axes.append(arrays.axes[first:end])
        self._columns = np.array(columns, dtype=np.int64).reshape(-1, 3)
        self._axes = np.array(axes, dtype=np.float64).reshape(-1, 3, 3)

    def _segment_axes(self, unknowns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each angle's rotation axis in its segment's axes (B, 3, 3), one column an angle."""
        angles = unknowns[self._columns]
        second, third = (matrices_from_axis_angles(self._axes[:, k] * angles[:, k, None]) for k in (1, 2))
        inverse = third.transpose(0, 2, 1)
        axes = np.empty((len(self._columns), 3, 3))
        axes[:, :, 0] = np.einsum("bij,bj->bi", inverse, np.einsum("bji,bj->bi", second, self._axes[:, 0]))
        axes[:, :, 1] = np.einsum("bij,bj->bi", inverse, self._axes[:, 1])
        axes[:, :, 2] = self._axes[:, 2]
        return axes

    def transport(self, earlier: NDArray[np.float64], later: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return M (N, N): maps a change of the later pose to the change of the earlier one with the same rotations."""
        matrix = np.eye(self._size)
        before, after = self._segment_axes(earlier), self._segment_axes(later)
        regular = (np.abs(np.linalg.det(before)) > MIN_DETERMINANT) & (np.abs(np.linalg.det(after)) > MIN_DETERMINANT)
        for columns, first, second in zip(self._columns[regular], before[regular], after[regular], strict=True):
            matrix[np.ix_(columns, columns)] = np.linalg.solve(first, second)
        return matrix
