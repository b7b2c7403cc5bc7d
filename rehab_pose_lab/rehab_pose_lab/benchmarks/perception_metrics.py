"""How far what was seen lies from the truth: overlap of silhouettes, distance of joints, sides taken for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CORRECT_WITHIN_M", "SWAP_PAIRS", "joint_errors_m", "overlap", "pck", "sides_swapped"]

CORRECT_WITHIN_M = 0.10
"""A joint nearer than this to the truth is correct (PCK@100 mm) [m]."""
SWAP_PAIRS = tuple((SMPL_24.index(f"left_{name}"), SMPL_24.index(f"right_{name}")) for name in
                   ("wrist", "elbow", "knee", "ankle"))  # fmt: skip
"""Joints whose sides can be taken for each other."""
APART_M = 0.15
"""Sides nearer to each other than this cannot be told apart fairly [m]."""
SWAP_GAIN = 0.3
"""Sides are swapped when exchanging them would take away more than this share of the error."""


def overlap(found: NDArray[np.bool_] | None, truth: NDArray[np.bool_]) -> float:
    """Return intersection over union of two silhouettes (H, W); 0 where nothing was found, 1 where both are empty."""
    if found is None:
        return float(not truth.any())
    union = np.count_nonzero(found | truth)
    return np.count_nonzero(found & truth) / union if union else 1.0


def joint_errors_m(found_m: NDArray[np.float64], truth_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance (J) of joints (J, 3) from the truth [m]; NaN where a joint is missing."""
    return np.asarray(np.linalg.norm(found_m - truth_m, axis=-1))


def pck(errors_m: NDArray[np.float64]) -> float:
    """Return the share of joints (N) within CORRECT_WITHIN_M, a missing one being wrong; NaN of no joints at all."""
    if not errors_m.size:
        return float("nan")
    return float(np.mean(np.nan_to_num(errors_m, nan=np.inf) <= CORRECT_WITHIN_M))


def sides_swapped(found_m: NDArray[np.float64], truth_m: NDArray[np.float64]) -> bool:
    """Tell whether some pair of limbs (of J joints (J, 3)) would fit the truth clearly better left for right."""
    for left, right in SWAP_PAIRS:
        pair, swapped = [left, right], [right, left]
        if float(np.linalg.norm(truth_m[left] - truth_m[right])) <= APART_M:
            continue
        as_said = joint_errors_m(found_m[pair], truth_m[pair]).sum()
        exchanged = joint_errors_m(found_m[swapped], truth_m[pair]).sum()
        if exchanged < (1.0 - SWAP_GAIN) * as_said:
            return True
    return False
