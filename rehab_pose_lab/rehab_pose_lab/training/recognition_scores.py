"""From what was said of recordings to figures: accuracy, confusion, precision, recall, F1, ROC, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose_lab.training.exercise_scores import probabilities_of
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

    from rehab_pose_lab.training.exercise_scores import Judgements

__all__ = ["interval_of", "none_figures", "said_of", "score_of"]

CONFIDENT = 0.51
"""The live recogniser's default threshold."""
RESAMPLES = 1000
COVERED = (2.5, 97.5)
"""Percentiles of a 95 % interval."""


def score_of(found: Judgements, labels: Sequence[str]) -> dict[str, Any]:
    """Return the figures of recordings and windows as plain numbers; NaN becomes None.

    Args:
        found: What was said.
        labels: The exercises, without `none`.
    """
    said = found.recordings.argmax(axis=-1)
    truths = found.truths[found.window_places]
    recordings = confusion_matrix(found.truths, said, len(labels))
    windows = confusion_matrix(truths, found.windows.argmax(axis=-1), len(labels))
    wrong = np.flatnonzero(said != found.truths)
    frames = int(found.streamed.sum())
    score: dict[str, Any] = {
        "recording_acc": accuracy(recordings),
        "window_acc": accuracy(windows),
        "n_recordings": len(found.names),
        "n_windows": len(truths),
        "n_subjects": len(set(found.subjects)),
        "labels": list(labels),
        "confusion": recordings.tolist(),
        "window_confusion": windows.tolist(),
        "precision": _plain(precision(windows)),
        "recall": _plain(recall(windows)),
        "f1": _plain(f1_score(windows)),
        "roc_auc": _plain(np.array([roc_auc(found.windows[:, n], truths == n) for n in range(len(labels))])),
        "ece": expected_calibration_error(found.windows, truths),
        "wrong": [f"{found.names[n]}: {labels[said[n]]}" for n in wrong],
        "skipped": found.skipped,
    }
    if frames:
        score |= {"streaming_acc": float(found.streamed_right.sum()) / frames, "n_streamed_frames": frames}
    return score


def said_of(logits: NDArray[Any], confident: float = CONFIDENT) -> NDArray[np.intp]:
    """Return the label said of windows (N) as the live recogniser says it: `none` when nothing is likely enough."""
    probabilities = probabilities_of(logits)
    best = probabilities.argmax(axis=-1)
    return np.where(probabilities.max(axis=-1) >= confident, best, 0)


def none_figures(
    logits: NDArray[np.float64], truths: NDArray[np.int64], confident: float = CONFIDENT
) -> dict[str, float]:
    """Return how often something else is called an exercise, and how often an exercise is recognised as one.

    Args:
        logits: (N, C) calibrated, of all labels.
        truths: (N) places in the labels.
        confident: Smallest probability that is believed.
    """
    said = said_of(logits, confident)
    moving, still = truths > 0, truths == 0
    return {
        "six_way_acc": float((said == truths).mean()),
        "none_false_pct": 100.0 * float((said[still] > 0).mean()) if still.any() else float("nan"),
        "none_recall_pct": 100.0 * float((said[moving] > 0).mean()) if moving.any() else float("nan"),
        "none_right_label_pct": 100.0 * float((said == truths)[moving].mean()) if moving.any() else float("nan"),
        "n_none": int(still.sum()),
        "n_exercise": int(moving.sum()),
    }


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def interval_of(right: NDArray[Any], subjects: Sequence[str], seed: int) -> tuple[float, float]:
    """Return a 95 % interval of the mean of `right` (N), by drawing whole subjects again and again."""
    names, place = np.unique(np.asarray(subjects), return_inverse=True)
    sums, counts = np.bincount(place, np.asarray(right, dtype=np.float64)), np.bincount(place)
    drawn = np.random.default_rng(seed).integers(len(names), size=(RESAMPLES, len(names)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), COVERED)
    return float(low), float(high)
