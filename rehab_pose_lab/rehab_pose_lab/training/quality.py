"""Learning what a good repetition is: norms of healthy people, and KIMORE's clinical scores."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.quality import SHIPPED_NORMS
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.methods.exercise.clinical_scores import (
    GOOD_TOTAL,
    HIGHEST,
    SHIPPED_SCORES,
    FeatureScale,
    ScoreModel,
)
from rehab_pose_lab.training.clinical_scores import cross_validated, fit_scores, load_scores, score_folds, score_table
from rehab_pose_lab.training.quality_figures import FOLDS, clinical_figures
from rehab_pose_lab.training.repetition_norms import HEALTHY_GROUPS, healthy_norms, write_norms

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.training.clinical_scores import ScoreTable

__all__ = ["train_quality", "with_errors", "write_score_model"]

SLOPES = np.linspace(0.2, 8.0, 40)
"""Tried for turning the correctness target into log odds."""


def train_quality(data: Path, output: Path, seed: int) -> dict[str, float]:
    """Learn norms and score weights from all subjects, write both files, and return the cross-validated figures.

    Args:
        data: Folder with a folder `kimore`.
        output: Folder for repetition_norms.json and clinical_scores.npz; made if it is not there.
        seed: Of the folds.

    Raises:
        RecordingError: KIMORE is not there.
    """
    root = data / "kimore"
    clips = load_kimore(root)
    table = score_table(clips, load_scores(root))
    output.mkdir(parents=True, exist_ok=True)
    healthy = {clip.subject for clip in clips if clip.group in HEALTHY_GROUPS}
    facts = {"data": "KIMORE, control group", "subjects": len(healthy), "joints_from": "Kinect v2"}
    write_norms(output / SHIPPED_NORMS.name, healthy_norms(clips), facts)
    model = with_errors(fit_scores(table, np.ones(len(table.subjects), dtype=np.bool_)), table, seed)
    write_score_model(output / SHIPPED_SCORES.name, model)
    return clinical_figures(table, seed)


def with_errors(model: ScoreModel, table: ScoreTable, seed: int) -> ScoreModel:
    """Return the model with what it errs by on unseen subjects (folds by subject) and calibrated probabilities."""
    predicted, probability = cross_validated(table, score_folds(table.subjects, FOLDS, seed))
    error = np.sqrt(np.nanmean((predicted - table.scores) ** 2, axis=1))
    good = table.scores[..., 0] >= GOOD_TOTAL
    known = np.isfinite(table.scores[..., 0])
    slopes = []
    for said in probability:
        usable = known & np.isfinite(said)
        odds = np.log(said[usable] / (1.0 - said[usable]))  # of slope 1: the target itself
        slopes.append(SLOPES[np.argmin([_log_loss(slope * odds, good[usable]) for slope in SLOPES])])
    return replace(model, error=error, slope=np.array(slopes))


def _log_loss(odds: NDArray[np.float64], true: NDArray[np.bool_]) -> float:
    return float(np.logaddexp(0.0, np.where(true, -odds, odds)).mean())


def write_score_model(path: Path, model: ScoreModel) -> None:
    """Write the file that `rehab_pose_lab.methods.exercise.clinical_scores.load_score_model` reads."""
    arrays = {
        f"scale_{part.name}": np.array([getattr(scale, part.name) for scale in model.scales], dtype=np.float32)
        for part in fields(FeatureScale)
    }
    # Half precision is enough for weights: it changes no score by a hundredth of a point.
    arrays.update({name: getattr(model, name).astype(np.float16) for name in ("alone", "own", "session")})
    arrays.update({name: getattr(model, name).astype(np.float32) for name in ("centre", "unit", "error", "slope")})
    np.savez_compressed(path, allow_pickle=False, highest=HIGHEST, **arrays)
