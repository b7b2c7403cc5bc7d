"""Errors of perception relative to ground truth: overlap of silhouettes, distance of joints, swapped sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CORRECT_WITHIN_M", "SWAP_PAIRS", "joint_errors_m", "overlap", "pck", "sides_swapped"]

CORRECT_WITHIN_M = 0.10
"""A joint nearer than this to the true position is correct (PCK@100 mm) [m]."""
SWAP_PAIRS = tuple((SMPL_24.index(f"left_{name}"), SMPL_24.index(f"right_{name}")) for name in
                   ("wrist", "elbow", "knee", "ankle"))  # fmt: skip
"""Pairs of joints whose sides can be swapped."""
MIN_SEPARATION_M = 0.15
"""Pairs nearer to each other than this are not tested for swaps [m]."""
SWAP_GAIN = 0.3
"""A pair is swapped where exchanging the sides reduces the error by more than this fraction."""


def overlap(detected: NDArray[np.bool_] | None, truth: NDArray[np.bool_]) -> float:
    """Return intersection over union of two silhouettes (H, W); 0 where detected is None, 1 where both are empty."""
    if detected is None:
        return float(not truth.any())
    union = np.count_nonzero(detected | truth)
    return np.count_nonzero(detected & truth) / union if union else 1.0


def joint_errors_m(predicted_m: NDArray[np.float64], truth_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances (J) of joints (J, 3) from the true positions (J, 3) [m]; NaN where a joint is missing."""
    return np.asarray(np.linalg.norm(predicted_m - truth_m, axis=-1))


def pck(errors_m: NDArray[np.float64]) -> float:
    """Return the fraction of errors (N) [m] within CORRECT_WITHIN_M; missing joints (NaN) are wrong. NaN if empty."""
    if not errors_m.size:
        return float("nan")
    return float(np.mean(np.nan_to_num(errors_m, nan=np.inf) <= CORRECT_WITHIN_M))


def sides_swapped(predicted_m: NDArray[np.float64], truth_m: NDArray[np.float64]) -> bool:
    """Return whether a pair of joints (J, 3) [m] fits the true ones clearly better with exchanged sides."""
    for left, right in SWAP_PAIRS:
        pair, swapped = [left, right], [right, left]
        if float(np.linalg.norm(truth_m[left] - truth_m[right])) <= MIN_SEPARATION_M:
            continue
        unchanged = joint_errors_m(predicted_m[pair], truth_m[pair]).sum()
        exchanged = joint_errors_m(predicted_m[swapped], truth_m[pair]).sum()
        if exchanged < (1.0 - SWAP_GAIN) * unchanged:
            return True
    return False
