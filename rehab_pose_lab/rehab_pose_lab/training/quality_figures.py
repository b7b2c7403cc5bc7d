"""Figures of movement quality and of counting, for the benchmark; subjects are never on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.datasets.ui_prmd import MOVEMENTS, load_ui_prmd
from rehab_pose_lab.methods.exercise.clinical_scores import GOOD_TOTAL
from rehab_pose_lab.training.clinical_scores import cross_validated, load_scores, score_folds, score_table
from rehab_pose_lab.training.movement_correctness import area_under_curve, clip_numbers, incorrectness
from rehab_pose_lab.training.repetition_figures import repetition_figures

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.training.clinical_scores import ScoreTable

__all__ = ["clinical_figures", "correctness_figures", "movement_figures", "quality_figures", "rank_correlation"]

FOLDS = 5
RESAMPLES = 1000
"""Of subjects, for the confidence intervals."""
NAMES = ("ts", "po", "cf")


def movement_figures(data: Path, *, seed: int = 7) -> dict[str, float]:
    """Return all figures of repetitions and quality by key.

    Args:
        data: Folder with the folders `kimore` and `ui_prmd`.
        seed: Of folds, trees and simulated sets.

    Raises:
        RecordingError: A data set is not there.
    """
    return {**quality_figures(data, seed=seed), **repetition_figures(data, seed=seed)}


def quality_figures(data: Path, *, seed: int = 7) -> dict[str, float]:
    """Return the figures of clinical scores (KIMORE) and of correctness (UI-PRMD).

    Args:
        data: Folder with the folders `kimore` and `ui_prmd`.
        seed: Of folds and trees.

    Raises:
        RecordingError: A data set is not there.
    """
    root = data / "kimore"
    table = score_table(load_kimore(root), load_scores(root))
    return {**clinical_figures(table, seed), **correctness_figures(data, seed)}


def clinical_figures(table: ScoreTable, seed: int) -> dict[str, float]:
    """Return figures of five folds by subject; keys that end in _alone know one exercise, the others the session.

    kimore_quality_acc is the mean over exercises of the accuracy of "total score at least GOOD_TOTAL".
    """
    predicted, probability = cross_validated(table, score_folds(table.subjects, FOLDS, seed))
    figures: dict[str, float] = {"kimore_scored_subjects": float(len(table.subjects))}
    for known, ending in ((1, ""), (0, "_alone")):
        for place, name in enumerate(NAMES):
            pairs = [_pair(predicted[known, :, column, place], table.scores[:, column, place]) for column in range(5)]
            figures[f"kimore_{name}_spearman{ending}"] = _mean(rank_correlation(*pair) for pair in pairs)
            figures[f"kimore_{name}_mae{ending}"] = _mean(np.abs(said - true).mean() for said, true in pairs)
            if name == "ts":
                for label, pair in zip(EXERCISES, pairs, strict=True):
                    figures[f"kimore_ts_spearman_{label}{ending}"] = rank_correlation(*pair)
        totals = table.scores[..., 0]
        pairs = [_pair(probability[known, :, column], totals[:, column]) for column in range(5)]
        figures[f"kimore_quality_acc{ending}"] = _mean(
            ((said >= 0.5) == (true >= GOOD_TOTAL)).mean() for said, true in pairs
        )
        figures[f"kimore_quality_balanced_acc{ending}"] = _mean(
            _balanced(said >= 0.5, true >= GOOD_TOTAL) for said, true in pairs
        )
    judged = [_pair(predicted[1, :, column, 0], table.scores[:, column, 0])[1] for column in range(5)]
    figures["kimore_quality_majority_acc"] = _mean(
        max((true >= GOOD_TOTAL).mean(), (true < GOOD_TOTAL).mean()) for true in judged
    )
    figures.update(_intervals(predicted[1], probability[1], table, seed))
    return figures


def _intervals(
    predicted: NDArray[np.float64], probability: NDArray[np.float64], table: ScoreTable, seed: int
) -> dict[str, float]:
    """Return 95 % intervals by drawing the subjects again; the models stay."""
    random = np.random.default_rng([seed, 17])
    drawn: dict[str, list[float]] = {"kimore_ts_spearman": [], "kimore_ts_mae": [], "kimore_quality_acc": []}
    for _ in range(RESAMPLES):
        rows = random.integers(0, len(table.subjects), len(table.subjects))
        true = table.scores[rows, :, 0]
        pairs = [_pair(predicted[rows, column, 0], true[:, column]) for column in range(5)]
        drawn["kimore_ts_spearman"].append(_mean(rank_correlation(*pair) for pair in pairs))
        drawn["kimore_ts_mae"].append(_mean(np.abs(said - known).mean() for said, known in pairs))
        pairs = [_pair(probability[rows, column], true[:, column]) for column in range(5)]
        drawn["kimore_quality_acc"].append(
            _mean(((said >= 0.5) == (known >= GOOD_TOTAL)).mean() for said, known in pairs)
        )
    return {
        f"{name}_{end}": float(np.percentile(values, percent))
        for name, values in drawn.items()
        for end, percent in (("low", 2.5), ("high", 97.5))
    }


def correctness_figures(data: Path, seed: int) -> dict[str, float]:
    """Return ui_prmd_quality_auc, the mean over movements, leaving one subject out at a time, and each movement's."""
    clips = load_ui_prmd(data / "ui_prmd")
    measured = [clip_numbers(clip) for clip in clips]
    numbers, unevenness = np.array([both for both, _ in measured]), np.array([ratio for _, ratio in measured])
    wrong = np.array([clip.group == "incorrect" for clip in clips])
    subjects, labels = (np.array([getattr(clip, name) for clip in clips]) for name in ("subject", "label"))
    figures: dict[str, float] = {}
    for label in MOVEMENTS:
        mine, said = labels == label, np.zeros(len(clips))
        for subject in np.unique(subjects[mine]):
            test, rest = mine & (subjects == subject), mine & (subjects != subject)
            said[test] = incorrectness(numbers[rest], unevenness[rest], wrong[rest], numbers[test], seed)
        figures[f"ui_prmd_quality_auc_{label}"] = area_under_curve(wrong[mine], said[mine])
    return {"ui_prmd_quality_auc": _mean(figures.values()), **figures}


def rank_correlation(said: NDArray[np.float64], true: NDArray[np.float64]) -> float:
    """Return Spearman's rank correlation of finite numbers (N), ties sharing their mean rank; NaN for a constant."""
    first, second = _ranks(said), _ranks(true)
    if np.ptp(first) == 0.0 or np.ptp(second) == 0.0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(size)
    return np.asarray((last - 0.5 * (size - 1))[group], dtype=np.float64)


def _pair(said: NDArray[np.float64], true: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    known = np.isfinite(said) & np.isfinite(true)
    return said[known], true[known]


def _balanced(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    return float(0.5 * (said[true].mean() + (~said[~true]).mean()))


def _mean(values: Iterable[float | np.floating[Any]]) -> float:
    return float(np.mean([float(value) for value in values]))
