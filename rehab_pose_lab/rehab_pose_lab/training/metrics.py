"""Metrics of classifiers from predictions and true labels, and rank correlation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "accuracy",
    "balanced_accuracy",
    "confusion_matrix",
    "expected_calibration_error",
    "f1_score",
    "fit_temperature",
    "precision",
    "rank_correlation",
    "recall",
    "roc_auc",
    "roc_curve",
]


def confusion_matrix(truth: NDArray[Any], predicted: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """Return counts (C, C): rows are true classes, columns predicted ones."""
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (np.asarray(truth, dtype=np.intp), np.asarray(predicted, dtype=np.intp)), 1)
    return matrix


def accuracy(matrix: NDArray[np.int64]) -> float:
    """Return the fraction of correct predictions of a confusion matrix (C, C); NaN where it is empty."""
    total = int(matrix.sum())
    return float(np.trace(matrix)) / total if total else float("nan")


def balanced_accuracy(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """Return the mean recall of the classes that occur among true labels (N), yes or no; NaN without labels."""
    recalls = [float((predicted[true == kind] == kind).mean()) for kind in (True, False) if (true == kind).any()]
    return float(np.mean(recalls)) if recalls else float("nan")


def recall(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the fraction of correct predictions of each true class (C); NaN for a class that does not occur."""
    totals = matrix.sum(axis=1)
    return np.where(totals > 0, np.diag(matrix) / np.maximum(totals, 1), np.nan)


def precision(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the fraction of correct ones among the predictions of each class (C); NaN for a class never predicted."""
    return recall(matrix.T)


def f1_score(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the harmonic mean of precision and recall of each class (C); NaN where both are undefined."""
    totals = matrix.sum(axis=0) + matrix.sum(axis=1)
    return np.where(totals > 0, 2.0 * np.diag(matrix) / np.maximum(totals, 1), np.nan)


def roc_curve(scores: NDArray[Any], positive: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return false and true positive rates from (0, 0) to (1, 1), one point per distinct score.

    Args:
        scores: (N) larger for positives.
        positive: (N) True for positives.
    """
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    ordered, hits = np.asarray(scores)[order], np.asarray(positive)[order]
    ends = np.concatenate([np.flatnonzero(np.diff(ordered)), [len(ordered) - 1]]) if len(ordered) else np.zeros(0, int)
    true = np.cumsum(hits)[ends] / max(int(hits.sum()), 1)
    false = np.cumsum(~hits)[ends] / max(int((~hits).sum()), 1)
    return np.concatenate([[0.0], false]), np.concatenate([[0.0], true])


def roc_auc(scores: NDArray[Any], positive: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve, ties counting half; NaN where positives or negatives are missing."""
    if not np.any(positive) or np.all(positive):
        return float("nan")
    false, true = roc_curve(scores, positive)
    return float(np.sum(np.diff(false) * (true[1:] + true[:-1])) / 2.0)


def _log_softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    shifted = np.asarray(logits, dtype=np.float64) - np.max(logits, axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), dtype=np.float64)


def fit_temperature(logits: NDArray[Any], truth: NDArray[Any]) -> float:
    """Return the temperature that maximises the likelihood of softmax(logits / temperature) (Guo et al. 2017).

    Args:
        logits: (N, C).
        truth: (N) indices of the true classes.
    """
    candidates = np.geomspace(0.25, 8.0, 141)
    rows = np.arange(len(truth))
    losses = [-_log_softmax(logits / value)[rows, truth].mean() for value in candidates]
    return float(candidates[int(np.argmin(losses))])


def expected_calibration_error(probabilities: NDArray[Any], truth: NDArray[Any], bins: int = 10) -> float:
    """Return the mean difference between confidence and accuracy over bins of confidence (Guo et al. 2017)."""
    confidence = probabilities.max(axis=-1)
    correct = probabilities.argmax(axis=-1) == truth
    place = np.minimum((confidence * bins).astype(np.intp), bins - 1)
    error = 0.0
    for number in range(bins):
        inside = place == number
        if inside.any():
            error += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    return float(error)


def rank_correlation(predicted: NDArray[np.float64], true: NDArray[np.float64]) -> float:
    """Return Spearman's rank correlation of finite numbers (N), ties sharing their mean rank; NaN for a constant."""
    first, second = _ranks(predicted), _ranks(true)
    if np.ptp(first) == 0.0 or np.ptp(second) == 0.0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(size)
    return np.asarray((last - 0.5 * (size - 1))[group], dtype=np.float64)
