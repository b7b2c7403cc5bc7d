"""From one frame to the next: the same person, and no jerk that nobody made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["held_back", "limb_scale"]

LIMB_BONES = np.array(
    [
        (SMPL_24.index(f"{side}_{upper}"), SMPL_24.index(f"{side}_{lower}"))
        for side in ("left", "right")
        for upper, lower in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
    ]
)
"""(8, 2) bones whose length tells one person from another."""
FREE_TURN_RAD, MOST_TURN_RATIO = 0.04, 1.0
"""A joint may always turn by the first, and by this many times more than the fastest limb was seen to turn [rad]."""


def limb_scale(positions_m: NDArray[np.float64], rest_m: NDArray[np.float64]) -> float:
    """Return how much longer the limbs of some joints (24, 3) are than those of a body at rest; NaN = too few seen."""
    measured = np.linalg.norm(positions_m[LIMB_BONES[:, 0]] - positions_m[LIMB_BONES[:, 1]], axis=1)
    known = np.linalg.norm(rest_m[LIMB_BONES[:, 0]] - rest_m[LIMB_BONES[:, 1]], axis=1)
    seen = np.isfinite(measured)
    if np.count_nonzero(seen) < len(LIMB_BONES) // 2:
        return float("nan")
    return float(measured[seen].sum() / known[seen].sum())


def held_back(
    before_rad: NDArray[np.float64],
    now_rad: NDArray[np.float64],
    measured_before_m: NDArray[np.float64],
    measured_m: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return rotations (24, 3) [rad] that turn little more than what was measured: no jump out of a still person.

    A fit that was caught in a wrong twist would come free at once; over some frames it ends the same and does not
    jerk.

    Args:
        before_rad: (24, 3) rotations of the frame before.
        now_rad: (24, 3) rotations that fit best now.
        measured_before_m: (24, 3) joints of the frame before [m].
        measured_m: (24, 3) joints now [m].
    """
    change = now_rad - before_rad
    change[0] = 0.0
    turn = np.linalg.norm(change, axis=1)
    if turn.max() <= FREE_TURN_RAD:
        return now_rad
    upper, lower = LIMB_BONES[:, 0], LIMB_BONES[:, 1]
    bones, bones_before = (points[lower] - points[upper] for points in (measured_m, measured_before_m))
    sine = np.linalg.norm(np.cross(bones, bones_before), axis=1)
    seen = np.arctan2(sine, (bones * bones_before).sum(axis=1))
    limit = FREE_TURN_RAD + MOST_TURN_RATIO * float(np.nanmax(seen, initial=0.0))
    share = np.minimum(1.0, limit / np.maximum(turn, 1e-9))
    rotations: NDArray[np.float64] = before_rad + share[:, None] * change
    rotations[0] = now_rad[0]
    return rotations
