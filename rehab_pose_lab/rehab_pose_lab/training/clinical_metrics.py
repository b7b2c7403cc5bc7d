"""Cross-validated metrics of predicted clinical scores; no subject is in the training and the test part of a fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose_lab.datasets.kimore_exercises import KIMORE_EXERCISES
from rehab_pose_lab.methods.exercise.clinical_scores import GOOD_TOTAL
from rehab_pose_lab.training.clinical_blend import cross_validated
from rehab_pose_lab.training.clinical_scores import score_folds
from rehab_pose_lab.training.metrics import balanced_accuracy, rank_correlation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from rehab_pose_lab.training.clinical_blend import CrossValidated
    from rehab_pose_lab.training.clinical_scores import ScoreTable

__all__ = ["FOLDS", "SHORT_NAMES", "clinical_metrics", "metrics_of_predictions"]

FOLDS = 5
RESAMPLES = 1000
"""Bootstrap samples of the subjects for the confidence intervals."""
SHORT_NAMES = ("ts", "po", "cf")
"""Names of SCORES in keys of metrics: total score, primary outcome, control factors."""


def clinical_metrics(table: ScoreTable, seed: int) -> dict[str, float]:
    """Return cross-validated metrics: five folds by subject.

    Keys that end in `_alone` are of predictions from one exercise, the others of predictions from the whole session.
    kimore_quality_acc is the mean over exercises of the accuracy of "total score at least GOOD_TOTAL", by the
    probability; kimore_balanced_acc that of the balanced accuracy of exercises called correct, and
    kimore_balanced_decision_acc their accuracy. The keys with `fold` are means over exercises and folds, as public
    benchmarks report them.
    """
    folds = score_folds(table.subjects, FOLDS, seed)
    return metrics_of_predictions(table, folds, cross_validated(table, folds), seed)


def metrics_of_predictions(
    table: ScoreTable, folds: NDArray[np.intp], predictions: CrossValidated, seed: int
) -> dict[str, float]:
    """Return the metrics of `clinical_metrics` for predictions with folds (S); the seed is that of the intervals."""
    good = table.scores[..., 0] >= GOOD_TOTAL
    metrics: dict[str, float] = {"kimore_scored_subjects": float(len(table.subjects))}
    for with_session, ending in ((1, ""), (0, "_alone")):
        scores, correct = predictions.scores[with_session], predictions.correct[with_session]
        for place, name in enumerate(SHORT_NAMES):
            pairs = [_known_pairs(scores[:, column, place], table.scores[:, column, place]) for column in range(5)]
            metrics[f"kimore_{name}_spearman{ending}"] = _mean(rank_correlation(*pair) for pair in pairs)
            metrics[f"kimore_{name}_mae{ending}"] = _mean(np.abs(score - true).mean() for score, true in pairs)
            if name == "ts":
                for label, pair in zip(KIMORE_EXERCISES, pairs, strict=True):
                    metrics[f"kimore_ts_spearman_{label}{ending}"] = rank_correlation(*pair)
        known = np.isfinite(correct) & np.isfinite(table.scores[..., 0])
        probable = predictions.probability[with_session] >= 0.5
        called = correct > 0.5
        metrics[f"kimore_quality_acc{ending}"] = _mean((probable == good)[known[:, e], e].mean() for e in range(5))
        metrics[f"kimore_balanced_acc{ending}"] = _balanced(called, good, known)
        metrics[f"kimore_balanced_decision_acc{ending}"] = _mean(
            (called == good)[known[:, e], e].mean() for e in range(5)
        )
        parts = [known & (folds == fold)[:, None] for fold in np.unique(folds)]
        metrics[f"kimore_fold_acc{ending}"] = _mean(
            (called == good)[part[:, e], e].mean() for part in parts for e in range(5)
        )
        metrics[f"kimore_fold_balanced_acc{ending}"] = _mean(_balanced(called, good, part) for part in parts)
    rated = np.isfinite(predictions.scores[1, ..., 0]) & np.isfinite(table.scores[..., 0])
    often = [good[rated[:, e], e].mean() for e in range(5)]
    metrics["kimore_quality_majority_acc"] = _mean(max(part, 1.0 - part) for part in often)
    metrics.update(_intervals(predictions, table, seed))
    return metrics


def _intervals(predictions: CrossValidated, table: ScoreTable, seed: int) -> dict[str, float]:
    """Return 95 % confidence intervals by bootstrap over the subjects, with fixed models and the session known."""
    random = np.random.default_rng([seed, 17])
    samples: dict[str, list[float]] = {
        "kimore_ts_spearman": [],
        "kimore_ts_mae": [],
        "kimore_quality_acc": [],
        "kimore_balanced_acc": [],
    }
    for _ in range(RESAMPLES):
        rows = random.integers(0, len(table.subjects), len(table.subjects))
        true, predicted = table.scores[rows, :, 0], predictions.scores[1, rows, :, 0]
        pairs = [_known_pairs(predicted[:, column], true[:, column]) for column in range(5)]
        samples["kimore_ts_spearman"].append(_mean(rank_correlation(*pair) for pair in pairs))
        samples["kimore_ts_mae"].append(_mean(np.abs(score - rated_scores).mean() for score, rated_scores in pairs))
        known, good = np.isfinite(predicted) & np.isfinite(true), true >= GOOD_TOTAL
        samples["kimore_balanced_acc"].append(_balanced(predictions.correct[1, rows] > 0.5, good, known))
        probable = predictions.probability[1, rows] >= 0.5
        samples["kimore_quality_acc"].append(_mean((probable == good)[known[:, e], e].mean() for e in range(5)))
    return {
        f"{name}_{end}": float(np.percentile(values, percent))
        for name, values in samples.items()
        for end, percent in (("low", 2.5), ("high", 97.5))
    }


def _balanced(called: NDArray[np.bool_], good: NDArray[np.bool_], known: NDArray[np.bool_]) -> float:
    """Return the mean over exercises of the balanced accuracy of decisions (S, 5) where they are known (S, 5)."""
    return _mean(balanced_accuracy(called[known[:, e], e], good[known[:, e], e]) for e in range(5))


def _known_pairs(
    predicted: NDArray[np.float64], true: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the values (K) that are known in both arrays (N)."""
    known = np.isfinite(predicted) & np.isfinite(true)
    return predicted[known], true[known]


def _mean(values: Iterable[float | np.floating[Any]]) -> float:
    return float(np.mean([float(value) for value in values]))
