"""Detects that another person is in view: after a long absence, or because the limbs have another length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.geometry.kernels import READ_ONLY_MATRIX
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LIMB_BONES", "PersonChangeDetector", "limb_scale"]

LIMB_BONES = np.array(
    [
        (SMPL_24.index(f"{side}_{upper}"), SMPL_24.index(f"{side}_{lower}"))
        for side in ("left", "right")
        for upper, lower in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
    ]
)
"""(8, 2) upper and lower joint of the bones whose lengths distinguish people."""
SMOOTHING = 1.0 / 60.0
"""Weight of one frame in the running mean of the limbs' relative length error: a time constant of 60 frames."""
MAX_LENGTH_ERROR = 0.07
"""Relative difference of the limbs' length from the calibrated one beyond which it is another person: legs differ by
7 % between two adults 12 cm apart in height; noise and clothes make up 2 %."""


# Compiled when it is imported: only a calibrated person needs it, whose frames must not wait for the compiler.
@numba.njit(numba.float64(READ_ONLY_MATRIX, READ_ONLY_MATRIX), cache=True, nogil=True)  # type: ignore[untyped-decorator]
def limb_scale(positions_m: NDArray[np.float64], rest_m: NDArray[np.float64]) -> float:
    """Return the summed length of the visible limbs of joints (24, 3) over that of a body at rest (24, 3).

    Returns:
        NaN where fewer than half of the limbs are visible.
    """
    visible, measured, known = 0, 0.0, 0.0
    for upper, lower in LIMB_BONES:
        square = rest_square = 0.0
        for i in range(3):
            square += (positions_m[upper, i] - positions_m[lower, i]) ** 2
            rest_square += (rest_m[upper, i] - rest_m[lower, i]) ** 2
        if np.isfinite(square):
            visible += 1
            measured += np.sqrt(square)
            known += np.sqrt(rest_square)
    return measured / known if visible >= len(LIMB_BONES) // 2 else np.nan


class PersonChangeDetector:
    """Compares each frame's time and limbs with those of the last person."""

    def __init__(self, max_absence_s: float) -> None:
        """Start without a person.

        Args:
            max_absence_s: A person who was out of view for no longer is taken for the same one [s].
        """
        self._max_absence_s = max_absence_s
        self.reset()

    def reset(self) -> None:
        """Forget the person and when they were last seen."""
        self._last_seen_ns: int | None = None
        self._length_error = 0.0

    def returned_late(self, stamp_ns: int) -> bool:
        """Record that a person is in view; return whether they were away too long to be the same one."""
        last_ns, self._last_seen_ns = self._last_seen_ns, stamp_ns
        away_s = 0.0 if last_ns is None else (stamp_ns - last_ns) / NS_PER_S
        late = not 0.0 <= away_s <= self._max_absence_s
        if late:
            self._length_error = 0.0
        return late

    def limbs_changed(self, positions_m: NDArray[np.float64], rest_m: NDArray[np.float64]) -> bool:
        """Return whether the limbs' mean length has left that of the calibrated body.

        Args:
            positions_m: (24, 3) measured joints [m]; NaN = missing.
            rest_m: (24, 3) joints at rest of the calibrated body [m].
        """
        scale = limb_scale(positions_m, rest_m)
        if np.isfinite(scale):
            self._length_error += SMOOTHING * (scale - 1.0 - self._length_error)
        changed = abs(self._length_error) > MAX_LENGTH_ERROR
        if changed:
            self._length_error = 0.0
        return changed
