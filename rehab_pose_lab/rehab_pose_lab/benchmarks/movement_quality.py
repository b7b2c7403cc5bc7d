"""Benchmark of movement quality: clinical scores (KIMORE), correctness (UI-PRMD) and counting of repetitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose_lab.benchmarks.repetitions import repetition_metrics
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.datasets.ui_prmd import MOVEMENTS, load_ui_prmd
from rehab_pose_lab.training.clinical_metrics import clinical_metrics
from rehab_pose_lab.training.clinical_scores import load_scores, score_table
from rehab_pose_lab.training.metrics import roc_auc
from rehab_pose_lab.training.movement_correctness import clip_features, incorrectness

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["correctness_metrics", "movement_metrics", "quality_metrics"]


def movement_metrics(data: Path, *, seed: int = 7) -> dict[str, float]:
    """Return all metrics of repetitions and quality.

    Args:
        data: Folder with the folders `kimore` and `ui_prmd`.
        seed: Seed of folds, trees and simulated sets.

    Raises:
        RecordingError: A data set is missing.
    """
    return {**quality_metrics(data, seed=seed), **repetition_metrics(data, seed=seed)}


def quality_metrics(data: Path, *, seed: int = 7) -> dict[str, float]:
    """Return the metrics of clinical scores (KIMORE) and of correctness (UI-PRMD).

    Args:
        data: Folder with the folders `kimore` and `ui_prmd`.
        seed: Seed of folds and trees.

    Raises:
        RecordingError: A data set is missing.
    """
    root = data / "kimore"
    table = score_table(load_kimore(root), load_scores(root))
    return {**clinical_metrics(table, seed), **correctness_metrics(data, seed)}


def correctness_metrics(data: Path, seed: int) -> dict[str, float]:
    """Return ui_prmd_quality_auc, the mean over movements of leave-one-subject-out AUCs, and that of each movement."""
    clips = load_ui_prmd(data / "ui_prmd")
    measured = [clip_features(clip) for clip in clips]
    features, unevenness = np.array([both for both, _ in measured]), np.array([ratio for _, ratio in measured])
    wrong = np.array([clip.group == "incorrect" for clip in clips])
    subjects, labels = (np.array([getattr(clip, name) for clip in clips]) for name in ("subject", "label"))
    metrics: dict[str, float] = {}
    for label in MOVEMENTS:
        of_label, scores = labels == label, np.zeros(len(clips))
        for subject in np.unique(subjects[of_label]):
            test, rest = of_label & (subjects == subject), of_label & (subjects != subject)
            scores[test] = incorrectness(features[rest], unevenness[rest], wrong[rest], features[test], seed)
        metrics[f"ui_prmd_quality_auc_{label}"] = roc_auc(scores[of_label], wrong[of_label])
    return {"ui_prmd_quality_auc": float(np.mean(list(metrics.values()))), **metrics}
