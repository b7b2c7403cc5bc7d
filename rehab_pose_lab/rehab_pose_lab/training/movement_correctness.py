"""Predict whether a repetition of a UI-PRMD movement was performed correctly, from repetitions of other subjects.

Every movement has its own model: the mean of kernel ridge regression and extremely randomised trees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.window_features import SMPL_INDICES
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
    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["clip_features", "incorrectness"]

MOVING_SIDE = ("arm_elevation", "elbow", "knee", "hip", "foot_up")
"""Curves whose ranges decide which side moves more; movements are mirrored so that it is the left one."""
KERNEL_SHARPNESS, KERNEL_RIDGE = 0.3, 0.1
"""Factor of the mean squared difference of scaled features in the Gaussian kernel, and ridge of the regression."""
CLIP_PERCENTILES = (1.0, 99.0)
"""Percentiles of the training features that features are limited to."""
MARGIN_FRACTION = 0.2
"""Margin of these limits for test subjects, as a fraction of the range."""
MAX_DEVIATION = 20.0
"""Larger deviations from correct repetitions are limited to this [robust standard deviations]."""
MAX_SYMMETRIC = 0.2
"""Median absolute logarithm of the sides' ratio up to which a movement is symmetric: squat and sit to stand have 0.04
and 0.03, all other movements more than 0.6."""
_LEFT, _RIGHT = ([CURVES.index(f"{side}_{name}") for name in SIDE_CURVES] for side in ("left", "right"))
_MOVING_LEFT, _MOVING_RIGHT = ([CURVES.index(f"{side}_{name}") for name in MOVING_SIDE] for side in ("left", "right"))


def clip_features(clip: Clip) -> tuple[NDArray[np.float64], float]:
    """Return the features of one repetition, and how much more one side moves.

    Returns:
        (2, F) levels, ranges, speed, jerk, left minus right, duration: with the side that moves more as the left one,
        and mirrored; and the absolute logarithm of the ratio of the sides' ranges.
    """
    curves = body_curves(even_positions(clip.stamps_ns, clip.positions_m[:, SMPL_INDICES]))
    left, right = (float(np.ptp(curves[:, side], axis=0).sum()) + 1e-6 for side in (_MOVING_LEFT, _MOVING_RIGHT))
    reflected = mirrored(curves)
    both = (curves, reflected) if left >= right else (reflected, curves)
    return np.stack([_features(side) for side in both]), abs(float(np.log(left / right)))


def _features(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the features (F) of the curves (T, S) of one repetition."""
    speeds = np.gradient(curves, axis=0) * RATE_HZ
    low, middle, high = np.percentile(curves, [5, 50, 95], axis=0)
    rms_speed = np.sqrt((speeds**2).mean(axis=0))
    rms_acceleration = np.sqrt((np.gradient(speeds, axis=0) ** 2).mean(axis=0)) * RATE_HZ
    left, right = curves[:, _LEFT], curves[:, _RIGHT]
    numbers = (
        low,
        middle,
        high,
        high - low,
        np.log(rms_speed + 1e-3),
        np.log((rms_acceleration + 1e-2) / (rms_speed + 1e-2)),
    )
    balance = ((left - right).mean(axis=0), np.ptp(left, axis=0) - np.ptp(right, axis=0))
    return np.concatenate([*numbers, *balance, np.array([len(curves) / RATE_HZ])])


def _scaled(
    training: NDArray[np.float64], testing: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both feature matrices, clipped and standardised with the training features."""
    low, high = np.percentile(training, CLIP_PERCENTILES, axis=0)
    margin = MARGIN_FRACTION * (high - low)
    training, testing = np.clip(training, low, high), np.clip(testing, low - margin, high + margin)
    mean, std = training.mean(axis=0), training.std(axis=0) + 1e-6
    return (training - mean) / std, (testing - mean) / std


def _deviations(
    values: NDArray[np.float64], correct: NDArray[np.float64], std: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return log(1 + d) of the deviations d (N, F) from the correct repetitions (C, F) of the training subjects."""
    median = np.median(correct, axis=0)
    unit = 1.4826 * np.median(np.abs(correct - median), axis=0) + 0.05 * std + 1e-6
    return np.asarray(np.log1p(np.minimum(np.abs(values - median) / unit, MAX_DEVIATION)))


def incorrectness(
    training: NDArray[np.float64],
    unevenness: NDArray[np.float64],
    wrong: NDArray[np.bool_],
    testing: NDArray[np.float64],
    seed: int,
) -> NDArray[np.float64]:
    """Return the incorrectness of repetitions of one movement (M), from about -1 (correct) to 1 (incorrect).

    A symmetric movement is trained and predicted with both orientations.

    Args:
        training: (N, 2, F) `clip_features` of other subjects.
        unevenness: (N) absolute logarithms of the sides' ratios of these repetitions.
        wrong: (N) True where the repetition was performed incorrectly.
        testing: (M, 2, F) `clip_features` of the repetitions to predict.
        seed: Seed of the trees.
    """
    if np.median(unevenness) > MAX_SYMMETRIC:
        return _predict(training[:, 0], wrong, testing[:, 0], seed)
    features, targets = np.concatenate([training[:, 0], training[:, 1]]), np.concatenate([wrong, wrong])
    predicted = _predict(features, targets, np.concatenate([testing[:, 0], testing[:, 1]]), seed)
    return np.asarray(0.5 * (predicted[: len(testing)] + predicted[len(testing) :]))


def _predict(
    training: NDArray[np.float64], wrong: NDArray[np.bool_], testing: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """Return the mean of both regressions (M) for features (M, F), trained on features (N, F)."""
    targets = np.where(wrong, 1.0, -1.0)
    known, new = _scaled(training, testing)
    std, correct = training.std(axis=0), training[~wrong]
    known_deviations, new_deviations = _scaled(_deviations(training, correct, std), _deviations(testing, correct, std))
    trees = extra_trees_predict(
        np.concatenate([known, known_deviations], axis=1),
        targets,
        np.concatenate([new, new_deviations], axis=1),
        seed=seed,
    )
    ridge = KERNEL_RIDGE * np.eye(len(known))
    kernel = _kernel(new, known) @ np.linalg.solve(_kernel(known, known) + ridge, targets)
    return np.asarray(0.5 * (trees + kernel))


def _kernel(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Gaussian kernel (N, M) of features (N, F) and (M, F)."""
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)[None] - 2.0 * first @ second.T
    return np.asarray(np.exp(-KERNEL_SHARPNESS * squares / first.shape[1]))
