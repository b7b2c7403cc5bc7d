"""UI-PRMD: was a repetition done correctly? Learnt from other subjects alone.

Every movement has its own judge: the mean of kernel ridge regression and extremely randomised trees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.features import FEATURE_INDEX
from rehab_pose_lab.methods.exercise.recording_features import (
    CURVES,
    RATE_HZ,
    SIDE_CURVES,
    body_curves,
    even_positions,
    mirrored,
)
from rehab_pose_lab.training.extra_trees import extra_trees_predict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["area_under_curve", "clip_numbers", "incorrectness"]

MOVING_SIDE = ("arm_elevation", "elbow", "knee", "hip", "foot_up")
"""Their ranges tell which side moves more; the movement is mirrored so that it is the left one."""
KERNEL_SHARPNESS, KERNEL_RIDGE = 0.3, 0.1
"""Of the Gaussian kernel, on the mean squared difference of scaled features; and of its regression."""
CUT_PERCENTILES = (1.0, 99.0)
BEYOND_FRACTION = 0.2
"""Unseen subjects may go this much of the range further before they are cut off."""
WORST_DEVIATION = 20.0
ALIKE = 0.2
"""Median absolute logarithm of the sides' ratio up to which both sides do alike: squat and sit to stand have 0.04 and
0.03, all other movements more than 0.6."""
_LEFT, _RIGHT = ([CURVES.index(f"{side}_{name}") for name in SIDE_CURVES] for side in ("left", "right"))
_MOVING_LEFT, _MOVING_RIGHT = ([CURVES.index(f"{side}_{name}") for name in MOVING_SIDE] for side in ("left", "right"))


def clip_numbers(clip: Clip) -> tuple[NDArray[np.float64], float]:
    """Return what one repetition says, and how much more one side moves.

    Returns:
        (2, F) levels, ranges, speed, jerkiness, left against right, duration: with the side that moves more as the
        left one, and in a mirror; and the absolute logarithm of the ratio of the sides' ranges.
    """
    curves = body_curves(even_positions(clip.stamps_ns, clip.positions_m[:, FEATURE_INDEX]))
    left, right = (float(np.ptp(curves[:, side], axis=0).sum()) + 1e-6 for side in (_MOVING_LEFT, _MOVING_RIGHT))
    other = mirrored(curves)
    both = (curves, other) if left >= right else (other, curves)
    return np.stack([_numbers(seen) for seen in both]), abs(float(np.log(left / right)))


def _numbers(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    speeds = np.gradient(curves, axis=0) * RATE_HZ
    low, middle, high = np.percentile(curves, [5, 50, 95], axis=0)
    fast = np.sqrt((speeds**2).mean(axis=0))
    rough = np.sqrt((np.gradient(speeds, axis=0) ** 2).mean(axis=0)) * RATE_HZ
    left, right = curves[:, _LEFT], curves[:, _RIGHT]
    numbers = (low, middle, high, high - low, np.log(fast + 1e-3), np.log((rough + 1e-2) / (fast + 1e-2)))
    balance = ((left - right).mean(axis=0), np.ptp(left, axis=0) - np.ptp(right, axis=0))
    return np.concatenate([*numbers, *balance, np.array([len(curves) / RATE_HZ])])


def _scaled(
    training: NDArray[np.float64], testing: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    low, high = np.percentile(training, CUT_PERCENTILES, axis=0)
    beyond = BEYOND_FRACTION * (high - low)
    training, testing = np.clip(training, low, high), np.clip(testing, low - beyond, high + beyond)
    middle, spread = training.mean(axis=0), training.std(axis=0) + 1e-6
    return (training - middle) / spread, (testing - middle) / spread


def _away(
    values: NDArray[np.float64], correct: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far values (N, F) are from the correct repetitions (C, F) of the training subjects, as logarithms."""
    median = np.median(correct, axis=0)
    unit = 1.4826 * np.median(np.abs(correct - median), axis=0) + 0.05 * spread + 1e-6
    return np.asarray(np.log1p(np.minimum(np.abs(values - median) / unit, WORST_DEVIATION)))


def incorrectness(
    training: NDArray[np.float64],
    unevenness: NDArray[np.float64],
    wrong: NDArray[np.bool_],
    testing: NDArray[np.float64],
    seed: int,
) -> NDArray[np.float64]:
    """Return how incorrect repetitions of one movement are (M), about -1 correct to 1 incorrect.

    A movement that both sides do alike has no better side: it is learnt and judged both ways round.

    Args:
        training: (N, 2, F) `clip_numbers` of other subjects.
        unevenness: (N) theirs.
        wrong: (N) True where that repetition was done incorrectly.
        testing: (M, 2, F).
        seed: Of the trees.
    """
    if np.median(unevenness) > ALIKE:
        return _one_way(training[:, 0], wrong, testing[:, 0], seed)
    seen, marked = np.concatenate([training[:, 0], training[:, 1]]), np.concatenate([wrong, wrong])
    said = _one_way(seen, marked, np.concatenate([testing[:, 0], testing[:, 1]]), seed)
    return np.asarray(0.5 * (said[: len(testing)] + said[len(testing) :]))


def _one_way(
    training: NDArray[np.float64], wrong: NDArray[np.bool_], testing: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    targets = np.where(wrong, 1.0, -1.0)
    seen, asked = _scaled(training, testing)
    spread = training.std(axis=0)
    seen_away, asked_away = _scaled(_away(training, training[~wrong], spread), _away(testing, training[~wrong], spread))
    trees = extra_trees_predict(
        np.concatenate([seen, seen_away], axis=1), targets, np.concatenate([asked, asked_away], axis=1), seed=seed
    )
    ridge = KERNEL_RIDGE * np.eye(len(seen))
    kernel = _kernel(asked, seen) @ np.linalg.solve(_kernel(seen, seen) + ridge, targets)
    return np.asarray(0.5 * (trees + kernel))


def _kernel(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)[None] - 2.0 * first @ second.T
    return np.asarray(np.exp(-KERNEL_SHARPNESS * squares / first.shape[1]))


def area_under_curve(positive: Sequence[bool] | NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve: how often a positive scores above a negative; ties count half."""
    marked = np.asarray(positive, dtype=np.bool_)
    difference = scores[marked][:, None] - scores[~marked][None]
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())
