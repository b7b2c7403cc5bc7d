"""Predicted clinical scores of recordings, and their agreement with the raters' scores."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose_lab.datasets.kimore_exercises import KIMORE_EXERCISES
from rehab_pose_lab.methods.exercise.clinical_scores import GOOD_TOTAL, SCORES
from rehab_pose_lab.training.clinical_metrics import SHORT_NAMES
from rehab_pose_lab.training.clinical_scores import session_features
from rehab_pose_lab.training.metrics import balanced_accuracy, rank_correlation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_lab.methods.exercise.clinical_scores import ClinicalScore, ScoreModel

__all__ = ["ScoredExercise", "agreement", "score_recordings", "write_scores"]

MIN_COUNT = 3
"""Smallest number of people for a rank correlation."""


@dataclass(frozen=True)
class ScoredExercise:
    """Predicted and true scores of one exercise of one subject."""

    subject: str
    label: str
    predicted: ClinicalScore
    true: NDArray[np.float64]
    """(3) the raters' SCORES; NaN where they are unknown."""


def score_recordings(
    clips: Iterable[Clip], model: ScoreModel, raters: Mapping[str, tuple[str, NDArray[np.float64]]]
) -> list[ScoredExercise]:
    """Predict the scores of every subject's exercises together, as one session.

    Args:
        clips: Recordings; other movements than the five exercises and too short recordings are left out.
        model: Predicts the scores.
        raters: Group and scores (5, 3) by subject; empty where there are no ratings.
    """
    unknown = np.full((len(KIMORE_EXERCISES), len(SCORES)), np.nan)
    return [
        ScoredExercise(subject, label, predicted, raters.get(subject, ("", unknown))[1][KIMORE_EXERCISES.index(label)])
        for subject, features in sorted(session_features(clips).items())
        for label, predicted in model.predict(features).items()
    ]


def agreement(scored: Sequence[ScoredExercise]) -> dict[str, float]:
    """Return rank correlation, mean absolute error and accuracy, means over exercises; NaN without ratings."""
    metrics = {"n_exercises": float(len(scored)), "n_subjects": float(len({entry.subject for entry in scored}))}
    by_label = [[e for e in scored if e.label == label and np.isfinite(e.true).all()] for label in KIMORE_EXERCISES]
    rated = [entries for entries in by_label if len(entries) >= MIN_COUNT]
    metrics["n_rated"] = float(sum(len(entries) for entries in by_label))
    for place, name in enumerate(SHORT_NAMES):
        pairs = [
            (np.array([e.predicted.values[place] for e in entries]), np.array([e.true[place] for e in entries]))
            for entries in rated
        ]
        metrics[f"{name}_spearman"] = _mean([rank_correlation(predicted, true) for predicted, true in pairs])
        metrics[f"{name}_mae"] = _mean([float(np.abs(predicted - true).mean()) for predicted, true in pairs])
    metrics["quality_acc"] = _mean(
        [
            float(np.mean([(e.predicted.correct_probability >= 0.5) == (e.true[0] >= GOOD_TOTAL) for e in entries]))
            for entries in rated
        ]
    )
    metrics["balanced_acc"] = _mean(
        [
            balanced_accuracy(
                np.array([e.predicted.correct for e in entries]), np.array([e.true[0] >= GOOD_TOTAL for e in entries])
            )
            for entries in rated
        ]
    )
    return metrics


def write_scores(path: Path, scored: Sequence[ScoredExercise]) -> None:
    """Write one line per exercise: predicted scores, their standard deviations and the raters' scores (or empty)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        columns = [word for name in SCORES for word in (name, f"{name}_sigma", f"{name}_raters")]
        lines.writerow(["subject", "exercise", *columns, "correct_probability", "correct", "with_session"])
        for entry in scored:
            values = zip(entry.predicted.values, entry.predicted.deviations, entry.true, strict=True)
            numbers = [
                f"{value:.2f}" if np.isfinite(value) else ""
                for columns_of_score in values
                for value in columns_of_score
            ]
            probability = f"{entry.predicted.correct_probability:.3f}"
            flags = (int(entry.predicted.correct), int(entry.predicted.with_session))
            lines.writerow([entry.subject, entry.label, *numbers, probability, *flags])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
