"""Cross-validated metrics of predicted clinical scores; no subject is in the training and the test part of a fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose_lab.datasets.kimore_exercises import KIMORE_EXERCISES
from rehab_pose_lab.methods.exercise.clinical_scores import GOOD_TOTAL
from rehab_pose_lab.training.clinical_scores import cross_validated, score_folds
from rehab_pose_lab.training.metrics import rank_correlation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from rehab_pose_lab.training.clinical_scores import ScoreTable

__all__ = ["FOLDS", "SHORT_NAMES", "clinical_metrics"]

FOLDS = 5
RESAMPLES = 1000
"""Bootstrap samples of the subjects for the confidence intervals."""
SHORT_NAMES = ("ts", "po", "cf")
"""Names of SCORES in keys of metrics: total score, primary outcome, control factors."""


def clinical_metrics(table: ScoreTable, seed: int) -> dict[str, float]:
    """Return cross-validated metrics: five folds by subject.

    Keys that end in `_alone` are of predictions from one exercise, the others of predictions from the whole session.
    kimore_quality_acc is the mean over exercises of the accuracy of "total score at least GOOD_TOTAL".
    """
    predicted, probability = cross_validated(table, score_folds(table.subjects, FOLDS, seed))
    metrics: dict[str, float] = {"kimore_scored_subjects": float(len(table.subjects))}
    for with_session, ending in ((1, ""), (0, "_alone")):
        for place, name in enumerate(SHORT_NAMES):
            pairs = [
                _known_pairs(predicted[with_session, :, column, place], table.scores[:, column, place])
                for column in range(5)
            ]
            metrics[f"kimore_{name}_spearman{ending}"] = _mean(rank_correlation(*pair) for pair in pairs)
            metrics[f"kimore_{name}_mae{ending}"] = _mean(np.abs(score - true).mean() for score, true in pairs)
            if name == "ts":
                for label, pair in zip(KIMORE_EXERCISES, pairs, strict=True):
                    metrics[f"kimore_ts_spearman_{label}{ending}"] = rank_correlation(*pair)
        totals = table.scores[..., 0]
        pairs = [_known_pairs(probability[with_session, :, column], totals[:, column]) for column in range(5)]
        metrics[f"kimore_quality_acc{ending}"] = _mean(
            ((score >= 0.5) == (true >= GOOD_TOTAL)).mean() for score, true in pairs
        )
        metrics[f"kimore_quality_balanced_acc{ending}"] = _mean(
            _balanced(score >= 0.5, true >= GOOD_TOTAL) for score, true in pairs
        )
    metrics["kimore_balanced_acc"] = metrics["kimore_quality_balanced_acc"]
    rated = [_known_pairs(predicted[1, :, column, 0], table.scores[:, column, 0])[1] for column in range(5)]
    metrics["kimore_quality_majority_acc"] = _mean(
        max((true >= GOOD_TOTAL).mean(), (true < GOOD_TOTAL).mean()) for true in rated
    )
    metrics.update(_intervals(predicted[1], probability[1], table, seed))
    return metrics


def _intervals(
    predicted: NDArray[np.float64], probability: NDArray[np.float64], table: ScoreTable, seed: int
) -> dict[str, float]:
    """Return 95 % confidence intervals by bootstrap over the subjects, with fixed models."""
    random = np.random.default_rng([seed, 17])
    samples: dict[str, list[float]] = {
        "kimore_ts_spearman": [],
        "kimore_ts_mae": [],
        "kimore_quality_acc": [],
        "kimore_balanced_acc": [],
    }
    for _ in range(RESAMPLES):
        rows = random.integers(0, len(table.subjects), len(table.subjects))
        true = table.scores[rows, :, 0]
        pairs = [_known_pairs(predicted[rows, column, 0], true[:, column]) for column in range(5)]
        samples["kimore_ts_spearman"].append(_mean(rank_correlation(*pair) for pair in pairs))
        samples["kimore_ts_mae"].append(_mean(np.abs(score - rated_scores).mean() for score, rated_scores in pairs))
        pairs = [_known_pairs(probability[rows, column], true[:, column]) for column in range(5)]
        samples["kimore_balanced_acc"].append(
            float(np.nanmean([_balanced(score >= 0.5, rated_scores >= GOOD_TOTAL) for score, rated_scores in pairs]))
        )
        samples["kimore_quality_acc"].append(
            _mean(((score >= 0.5) == (rated_scores >= GOOD_TOTAL)).mean() for score, rated_scores in pairs)
        )
    return {
        f"{name}_{end}": float(np.percentile(values, percent))
        for name, values in samples.items()
        for end, percent in (("low", 2.5), ("high", 97.5))
    }


def _known_pairs(
    predicted: NDArray[np.float64], true: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the values (K) that are known in both arrays (N)."""
    known = np.isfinite(predicted) & np.isfinite(true)
    return predicted[known], true[known]


def _balanced(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """Return the balanced accuracy of two classes (N)."""
    if true.all() or not true.any():
        return float("nan")
    return float(0.5 * (predicted[true].mean() + (~predicted[~true]).mean()))


def _mean(values: Iterable[float | np.floating[Any]]) -> float:
    return float(np.mean([float(value) for value in values]))
