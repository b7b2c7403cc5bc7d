"""Blend of linear models and trees for the total score, and the limit of "correct", fitted within training subjects.

Weights and limit come from predictions of the training subjects by models without them (inner folds), as in stacking
(Wolpert 1992, Neural Networks 5): predictions of a model's own training subjects are too good. A subject who is tested
is in none of these folds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose_lab.datasets.kimore_exercises import KIMORE_EXERCISES
from rehab_pose_lab.methods.exercise.clinical_scores import BASES, GOOD_TOTAL, MAX_SCORES, TotalBlend
from rehab_pose_lab.training.clinical_scores import TREES, fit_bases, score_folds
from rehab_pose_lab.training.metrics import balanced_accuracy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_lab.methods.exercise.clinical_scores import ScoreModel
    from rehab_pose_lab.training.clinical_scores import ScoreTable

__all__ = ["CrossValidated", "cross_validated", "fit_blend", "fit_scores"]

INNER_FOLDS, INNER_SEED = 5, 11
RIDGE = 0.3
"""Ridge of the weights, in units of the number of recordings and for predictions of unit spread; chosen on other
splits (seeds 101-104) than the reported one."""
USED = ((0, 2), (0, 1, 2, 3))
"""BASES that are used: of a single exercise, of a session."""
LIMITS = np.arange(20.0, 45.0, 0.25)
"""Candidates for the limit of "correct" [points]."""
LIMIT_TOLERANCE = 0.01
"""The limit is the middle of the candidates whose balanced accuracy is within this of the best one."""


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """Predictions by models without the subject's fold: first of a single exercise, second of the session.

    NaN where an exercise was not recorded.
    """

    scores: NDArray[np.float64]
    """(2, S, 5, 3)."""
    probability: NDArray[np.float64]
    """(2, S, 5) of a good total."""
    correct: NDArray[np.float64]
    """(2, S, 5) 1 where the exercise is called correct, else 0."""


def fit_scores(table: ScoreTable, training: NDArray[np.bool_], trees: int = TREES) -> ScoreModel:
    """Return the model of the training subjects (S, boolean) with its blend; its errors are unknown (NaN)."""
    model = fit_bases(table, training, trees)
    places = np.flatnonzero(training)
    inner = score_folds(tuple(table.subjects[place] for place in places), INNER_FOLDS, INNER_SEED)
    bases = np.full((*table.recorded.shape, len(BASES)), np.nan)
    for fold in range(INNER_FOLDS):
        without = np.zeros_like(training)
        without[places[inner != fold]] = True
        reduced = fit_bases(table, without, trees)
        for row in places[inner == fold]:
            for label, values in reduced.base_totals(table.features_of(row)).items():
                bases[row, KIMORE_EXERCISES.index(label)] = values
    return replace(model, blend=fit_blend(bases, table.scores[..., 0]))


def fit_blend(bases: NDArray[np.float64], totals: NDArray[np.float64]) -> TotalBlend:
    """Return the blend of predictions (S, 5, 4) by BASES for true totals (S, 5) [points]; NaN = missing."""
    weight, limit = np.zeros((2, len(BASES))), np.zeros(2)
    offset = np.zeros((2, len(KIMORE_EXERCISES)))
    known = np.isfinite(totals) & np.isfinite(bases).all(axis=-1)
    usual = np.array([bases[known[:, place], place].mean(axis=0) for place in range(len(KIMORE_EXERCISES))])
    middle = np.array([totals[known[:, place], place].mean() for place in range(len(KIMORE_EXERCISES))])
    spread = bases[known].std(axis=0)
    exercise = np.nonzero(known)[1]
    inputs, wanted = (bases[known] - usual[exercise]) / spread, totals[known] - middle[exercise]
    for mode, used in enumerate(USED):
        columns = inputs[:, used]
        ridge = RIDGE * len(columns) * np.eye(len(used))
        weight[mode, used] = np.linalg.solve(columns.T @ columns + ridge, columns.T @ wanted) / spread[list(used)]
        offset[mode] = middle - usual @ weight[mode]
        blended = bases[known] @ weight[mode] + offset[mode][exercise]
        limit[mode] = _best_limit(blended, totals[known] >= GOOD_TOTAL)
    return TotalBlend(weight, offset, limit)


def _best_limit(blended: NDArray[np.float64], good: NDArray[np.bool_]) -> float:
    """Return the limit of blended totals (N) [points] with the best balanced accuracy for good ones (N)."""
    if good.all() or not good.any():
        return GOOD_TOTAL
    balanced = np.array([balanced_accuracy(blended >= limit, good) for limit in LIMITS])
    return float(np.median(LIMITS[balanced >= balanced.max() - LIMIT_TOLERANCE]))


def cross_validated(table: ScoreTable, folds: NDArray[np.intp], trees: int = TREES) -> CrossValidated:
    """Return the predictions of all subjects by models without their fold (S)."""
    shape = table.recorded.shape
    scores = np.full((2, *shape, len(MAX_SCORES)), np.nan)
    probability, correct = np.full((2, *shape), np.nan), np.full((2, *shape), np.nan)
    for fold in np.unique(folds):
        model = fit_scores(table, folds != fold, trees)
        for row in np.flatnonzero(folds == fold):
            raw = table.features_of(row)
            alone = {label: model.predict({label: values})[label] for label, values in raw.items()}
            for mode, predicted in enumerate((alone, model.predict(raw))):
                for label, score in predicted.items():
                    place = KIMORE_EXERCISES.index(label)
                    scores[mode, row, place] = score.values
                    probability[mode, row, place] = score.correct_probability
                    correct[mode, row, place] = score.correct
    return CrossValidated(scores, probability, correct)
