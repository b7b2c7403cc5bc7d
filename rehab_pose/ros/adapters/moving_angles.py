"""The joint angles that move in the exercise being done, so that a display shows few of them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Collection

    from rehab_pose.datatypes import JointAngles

__all__ = ["MovingAngles"]

MEMORY_S = 8.0
"""An angle that does not move for so long is not shown: longer than a slow repetition's hold [s]."""
MIN_RANGE_DEG = 20.0
"""Smallest range of an angle that is shown [degrees]: two to three times the error of an angle."""
MAX_SHOWN = 4
"""Most angles that are shown: those with the largest ranges."""


class MovingAngles:
    """Follows the ranges of some angles."""

    def __init__(self, names: Collection[str]) -> None:
        """Choose the angles among which the moving ones are found."""
        self._names = frozenset(names)
        self._history: deque[tuple[int, JointAngles]] = deque()

    def add(self, angles: JointAngles) -> None:
        """Add the angles of a frame; a step back in time forgets all before it."""
        if self._history and angles.stamp_ns <= self._history[-1][0]:
            self._history.clear()
        self._history.append((angles.stamp_ns, angles))
        while angles.stamp_ns - self._history[0][0] > MEMORY_S * NS_PER_S:
            self._history.popleft()

    @property
    def names(self) -> frozenset[str]:
        """Names of the angles that move."""
        if not self._history:
            return frozenset()
        newest = self._history[-1][1]
        values = np.array([angles.angles_rad for _, angles in self._history if angles.names == newest.names])
        low, high = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
        ranges = dict(zip(newest.names, np.nan_to_num(np.degrees(high - low)).tolist(), strict=True))
        moving = [name for name in newest.names if name in self._names and ranges[name] >= MIN_RANGE_DEG]
        return frozenset(sorted(moving, key=lambda name: -ranges[name])[:MAX_SHOWN])
