"""Metrics of classifiers equal values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose_lab.training.metrics import (
    accuracy,
    balanced_accuracy,
    confusion_matrix,
    expected_calibration_error,
    f1_score,
    fit_temperature,
    precision,
    recall,
    roc_auc,
    roc_curve,
)


def test_metrics_equal_values_computed_by_hand() -> None:
    matrix = confusion_matrix(np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0]), 3)
    np.testing.assert_array_equal(matrix, [[1, 1, 0], [1, 2, 0], [0, 0, 0]])
    assert accuracy(matrix) == pytest.approx(0.6)
    np.testing.assert_allclose(recall(matrix), [0.5, 2 / 3, np.nan])
    np.testing.assert_allclose(precision(matrix), [0.5, 2 / 3, np.nan])
    np.testing.assert_allclose(f1_score(matrix), [0.5, 2 / 3, np.nan])
    positive = np.array([True, False, True, False])
    assert roc_auc(np.array([0.9, 0.8, 0.4, 0.1]), positive) == pytest.approx(0.75)
    assert roc_auc(np.full(4, 0.3), positive) == pytest.approx(0.5)
    false, true = roc_curve(np.array([0.9, 0.8, 0.4, 0.1]), positive)
    np.testing.assert_allclose([false, true], [[0, 0, 0.5, 0.5, 1], [0, 0.5, 0.5, 1, 1]])
    confident = np.array([[0.9, 0.1], [0.9, 0.1]])
    assert expected_calibration_error(confident, np.array([0, 1])) == pytest.approx(0.4)


def test_a_known_temperature_is_recovered() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20000, 4)) * 2.0
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (chances.cumsum(axis=1) < rng.random((20000, 1))).sum(axis=1)
    assert fit_temperature(3.0 * logits, truth) == pytest.approx(3.0, rel=0.05)


def test_the_balanced_accuracy_is_the_mean_recall_of_the_classes_that_occur() -> None:
    true = np.array([True, True, True, True, False])
    assert balanced_accuracy(np.array([True, True, True, False, False]), true) == pytest.approx(0.875)
    assert balanced_accuracy(np.ones(5, dtype=np.bool_), true) == pytest.approx(0.5)
    assert balanced_accuracy(np.ones(3, dtype=np.bool_), np.ones(3, dtype=np.bool_)) == 1.0
    assert np.isnan(balanced_accuracy(np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.bool_)))
