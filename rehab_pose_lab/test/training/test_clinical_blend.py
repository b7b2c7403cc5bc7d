"""Blend of predictions of the total, the limit of "correct", and their metrics."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose_lab.training.clinical_blend import CrossValidated, fit_blend
from rehab_pose_lab.training.clinical_metrics import metrics_of_predictions
from rehab_pose_lab.training.clinical_scores import ScoreTable


def drawn(people: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions (S, 5, 4), of which the second and the fourth are noise, and totals (S, 5)."""
    random = np.random.default_rng(5)
    totals = np.clip(36.0 + 9.0 * random.normal(size=(people, 5)), 0.0, 50.0)
    bases = 36.0 + 6.0 * random.normal(size=(people, 5, 4))
    for column, noise in ((0, 4.0), (2, 6.0)):
        bases[..., column] = 10.0 + 0.5 * totals + noise * random.normal(size=totals.shape)
    return bases, totals


def test_the_blend_undoes_shrinkage_and_leaves_out_noise() -> None:
    bases, totals = drawn()
    blend = fit_blend(bases, totals)
    session = bases @ blend.weight[1] + blend.offset[1]
    assert np.abs(session - totals).mean() < 0.75 * np.abs(bases[..., 0] - totals).mean()
    assert abs(session.mean() - totals.mean()) < 0.1
    assert (np.abs(blend.weight[1, [1, 3]]) < 0.1 * blend.weight[1, 0]).all()
    assert (blend.weight[0, [1, 3]] == 0.0).all(), "a single exercise knows nothing of the session"


def test_the_limit_misses_both_classes_equally_often() -> None:
    bases, totals = drawn()
    blend = fit_blend(bases, totals)
    called, good = bases @ blend.weight[1] + blend.offset[1] >= blend.limit[1], totals >= 30.0
    assert called[good].mean() == pytest.approx((~called[~good]).mean(), abs=0.1)
    assert fit_blend(bases, np.maximum(totals, 31.0)).limit[1] == 30.0, "all are good: nothing to choose from"


def test_missing_predictions_and_totals_are_left_out() -> None:
    bases, totals = drawn()
    gappy, unrated = bases.copy(), totals.copy()
    gappy[:10, 2], unrated[10:20] = np.nan, np.nan
    blend = fit_blend(gappy, unrated)
    assert np.isfinite(blend.weight).all()
    assert np.abs(blend.weight - fit_blend(bases, totals).weight).max() < 0.1


def test_metrics_of_decisions_are_means_over_exercises_and_over_folds() -> None:
    people = 4
    scores = np.full((people, 5, 3), 40.0)
    scores[2:, :, 0] = 20.0
    predicted = scores.copy() + np.arange(people)[:, None, None] * 0.1
    table = ScoreTable(tuple("abcd"), ("CG/Expert",) * people, np.zeros((people, 5, 1)), scores)
    correct = np.ones((2, people, 5))
    correct[:, 3] = 0.0
    probability = np.full((2, people, 5), 0.9)
    folds = np.array([0, 0, 0, 1])
    metrics = metrics_of_predictions(table, folds, CrossValidated(np.stack([predicted] * 2), probability, correct), 7)
    assert metrics["kimore_quality_acc"] == 0.5
    assert metrics["kimore_balanced_decision_acc"] == 0.75
    assert metrics["kimore_balanced_acc"] == 0.75
    assert metrics["kimore_fold_acc"] == pytest.approx(0.5 * (2.0 / 3.0 + 1.0))
    assert metrics["kimore_fold_balanced_acc"] == pytest.approx(0.5 * (0.5 + 1.0)), "a fold of one class has its recall"
    assert metrics["kimore_quality_majority_acc"] == 0.5
