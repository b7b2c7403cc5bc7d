"""Metrics of predicted exercises: accuracy, confusion, precision, recall, F1, ROC, calibration, and `none`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose_lab.training.exercise_predictions import probabilities_of
from rehab_pose_lab.training.metrics import (
    accuracy,
    confusion_matrix,
    expected_calibration_error,
    f1_score,
    precision,
    recall,
    roc_auc,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose_lab.training.exercise_predictions import Predictions

__all__ = ["confidence_interval", "none_metrics", "predict_labels", "recognition_metrics"]

MIN_CONFIDENCE = 0.51
"""Default threshold of the live recogniser."""
RESAMPLES = 1000
"""Bootstrap samples of the confidence intervals."""
INTERVAL_PERCENTILES = (2.5, 97.5)
"""Percentiles of a 95 % interval."""


def recognition_metrics(predictions: Predictions, labels: Sequence[str]) -> dict[str, Any]:
    """Return the metrics of recordings and windows as numbers and lists for JSON; NaN becomes None.

    Args:
        predictions: Predictions for the recordings.
        labels: The exercises, without `none`.
    """
    predicted = predictions.recordings.argmax(axis=-1)
    truths = predictions.truths[predictions.window_places]
    recordings = confusion_matrix(predictions.truths, predicted, len(labels))
    windows = confusion_matrix(truths, predictions.windows.argmax(axis=-1), len(labels))
    wrong = np.flatnonzero(predicted != predictions.truths)
    frames = int(predictions.streamed.sum())
    metrics: dict[str, Any] = {
        "recording_acc": accuracy(recordings),
        "window_acc": accuracy(windows),
        "n_recordings": len(predictions.names),
        "n_windows": len(truths),
        "n_subjects": len(set(predictions.subjects)),
        "labels": list(labels),
        "confusion": recordings.tolist(),
        "window_confusion": windows.tolist(),
        "precision": _plain(precision(windows)),
        "recall": _plain(recall(windows)),
        "f1": _plain(f1_score(windows)),
        "roc_auc": _plain(np.array([roc_auc(predictions.windows[:, n], truths == n) for n in range(len(labels))])),
        "ece": expected_calibration_error(predictions.windows, truths),
        "wrong": [f"{predictions.names[n]}: {labels[predicted[n]]}" for n in wrong],
        "skipped": predictions.skipped,
    }
    if frames:
        metrics |= {"streaming_acc": float(predictions.streamed_right.sum()) / frames, "n_streamed_frames": frames}
    return metrics


def predict_labels(logits: NDArray[Any], min_confidence: float = MIN_CONFIDENCE) -> NDArray[np.intp]:
    """Return the predicted labels of windows (N): `none` where no label reaches the minimum confidence."""
    probabilities = probabilities_of(logits)
    best = probabilities.argmax(axis=-1)
    return np.where(probabilities.max(axis=-1) >= min_confidence, best, 0)


def none_metrics(
    logits: NDArray[np.float64], truths: NDArray[np.int64], min_confidence: float = MIN_CONFIDENCE
) -> dict[str, float]:
    """Return the rates of false exercises and of recognised exercises, among all labels.

    Args:
        logits: (N, C) calibrated, of all labels.
        truths: (N) indices of the true labels.
        min_confidence: Smallest probability that gives a label.
    """
    predicted = predict_labels(logits, min_confidence)
    moving, still = truths > 0, truths == 0
    return {
        "six_way_acc": float((predicted == truths).mean()),
        "none_false_pct": 100.0 * float((predicted[still] > 0).mean()) if still.any() else float("nan"),
        "none_recall_pct": 100.0 * float((predicted[moving] > 0).mean()) if moving.any() else float("nan"),
        "none_right_label_pct": 100.0 * float((predicted == truths)[moving].mean()) if moving.any() else float("nan"),
        "n_none": int(still.sum()),
        "n_exercise": int(moving.sum()),
    }


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def confidence_interval(correct: NDArray[Any], subjects: Sequence[str], seed: int) -> tuple[float, float]:
    """Return a 95 % confidence interval of the mean of `correct` (N), by bootstrap over whole subjects."""
    names, place = np.unique(np.asarray(subjects), return_inverse=True)
    sums, counts = np.bincount(place, np.asarray(correct, dtype=np.float64)), np.bincount(place)
    drawn = np.random.default_rng(seed).integers(len(names), size=(RESAMPLES, len(names)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), INTERVAL_PERCENTILES)
    return float(low), float(high)
