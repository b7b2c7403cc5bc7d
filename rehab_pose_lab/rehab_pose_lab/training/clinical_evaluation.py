"""The shipped clinical scores on a folder of recordings: what is said of each, and how it agrees with the raters."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose_lab.methods.exercise.clinical_scores import GOOD_TOTAL, SCORES
from rehab_pose_lab.training.clinical_scores import session_features
from rehab_pose_lab.training.quality_figures import rank_correlation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_lab.methods.exercise.clinical_scores import ClinicalScore, ScoreModel

__all__ = ["ScoredExercise", "agreement", "score_recordings", "write_scores"]

MIN_COUNT = 3
"""A rank correlation of fewer people says nothing."""


@dataclass(frozen=True)
class ScoredExercise:
    """What is said of one exercise of one subject."""

    subject: str
    label: str
    said: ClinicalScore
    true: NDArray[np.float64]
    """(3) what the raters said; NaN where that is not known."""


def score_recordings(
    clips: Iterable[Clip], model: ScoreModel, raters: Mapping[str, tuple[str, NDArray[np.float64]]]
) -> list[ScoredExercise]:
    """Score every subject's exercises together, as one session.

    Args:
        clips: Of the five exercises; others, and recordings that are too short, are left out.
        model: Says the scores.
        raters: Group and scores (5, 3) by subject; empty where nobody has rated.
    """
    unknown = np.full((len(EXERCISES), len(SCORES)), np.nan)
    return [
        ScoredExercise(subject, label, said, raters.get(subject, ("", unknown))[1][EXERCISES.index(label)])
        for subject, features in sorted(session_features(clips).items())
        for label, said in model.predict(features).items()
    ]


def agreement(scored: Sequence[ScoredExercise]) -> dict[str, float]:
    """Return rank correlation, mean absolute error and accuracy, means over exercises; NaN where nobody has rated."""
    figures = {"n_exercises": float(len(scored)), "n_subjects": float(len({entry.subject for entry in scored}))}
    by_label = [[e for e in scored if e.label == label and np.isfinite(e.true).all()] for label in EXERCISES]
    rated = [entries for entries in by_label if len(entries) >= MIN_COUNT]
    figures["n_rated"] = float(sum(len(entries) for entries in by_label))
    for place, name in enumerate(("ts", "po", "cf")):
        pairs = [
            (np.array([e.said.values[place] for e in entries]), np.array([e.true[place] for e in entries]))
            for entries in rated
        ]
        figures[f"{name}_spearman"] = _mean([rank_correlation(said, true) for said, true in pairs])
        figures[f"{name}_mae"] = _mean([float(np.abs(said - true).mean()) for said, true in pairs])
    figures["quality_acc"] = _mean(
        [
            float(np.mean([(e.said.correct_probability >= 0.5) == (e.true[0] >= GOOD_TOTAL) for e in entries]))
            for entries in rated
        ]
    )
    return figures


def write_scores(path: Path, scored: Sequence[ScoredExercise]) -> None:
    """Write one line an exercise: what is said, how sure it is, and what the raters said (empty where not known)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        columns = [word for name in SCORES for word in (name, f"{name}_sigma", f"{name}_raters")]
        lines.writerow(["subject", "exercise", *columns, "correct_probability", "with_session"])
        for entry in scored:
            values = zip(entry.said.values, entry.said.deviations, entry.true, strict=True)
            numbers = [f"{value:.2f}" if np.isfinite(value) else "" for three in values for value in three]
            probability = f"{entry.said.correct_probability:.3f}"
            lines.writerow([entry.subject, entry.label, *numbers, probability, int(entry.said.with_session)])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
