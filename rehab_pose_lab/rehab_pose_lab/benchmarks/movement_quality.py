"""Benchmark of movement quality: clinical scores (KIMORE), correctness (UI-PRMD) and counting of repetitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.repetition_quality import assess_measures
from rehab_pose.exercise.window_features import SMPL_INDICES, torso_lengths_m
from rehab_pose_lab.benchmarks.repetitions import repetition_metrics
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.datasets.ui_prmd import MOVEMENTS, load_ui_prmd
from rehab_pose_lab.training.clinical_metrics import clinical_metrics
from rehab_pose_lab.training.clinical_scores import load_scores, score_table
from rehab_pose_lab.training.metrics import roc_auc
from rehab_pose_lab.training.movement_correctness import clip_features, incorrectness
from rehab_pose_lab.training.repetition_norms import UI_PRMD_EXERCISES, norms_of, ui_prmd_repetition

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["correctness_metrics", "movement_metrics", "norm_metrics", "quality_metrics"]


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
    return {**clinical_metrics(table, seed), **correctness_metrics(data, seed), **norm_metrics(data)}


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


def norm_metrics(data: Path) -> dict[str, float]:
    """Return the AUC of the live quality for UI-PRMD's correct and incorrect repetitions, with norms of other people.

    Keys: ui_prmd_norm_auc_EXERCISE, for the exercises of the library that have norms from this set.
    """
    clips = [clip for clip in load_ui_prmd(data / "ui_prmd") if clip.label in UI_PRMD_EXERCISES]
    metrics = {}
    for movement, exercise in UI_PRMD_EXERCISES.items():
        members = [clip for clip in clips if clip.label == movement]
        measured = [ui_prmd_repetition(clip) for clip in members]
        wrong, qualities = np.array([clip.group == "incorrect" for clip in members]), np.zeros(len(members))
        for subject in sorted({clip.subject for clip in members}):
            others = zip(members, measured, strict=True)
            norms = norms_of([entry for clip, entry in others if clip.subject != subject and clip.group == "correct"])
            for place, clip in enumerate(members):
                if clip.subject == subject:
                    torso_m = float(torso_lengths_m(clip.positions_m[None][:, :, SMPL_INDICES])[0])
                    qualities[place] = assess_measures(norms, 1, measured[place], torso_m).quality
        metrics[f"ui_prmd_norm_auc_{exercise}"] = roc_auc(-qualities, wrong)
    return metrics
