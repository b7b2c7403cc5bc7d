"""Learn norms of healthy repetitions and KIMORE's clinical scores, and write both files."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.repetition_quality import SHIPPED_NORMS
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.methods.exercise.clinical_scores import (
    GOOD_TOTAL,
    MAX_SCORES,
    SHIPPED_SCORES,
    FeatureScale,
    ScoreModel,
    TotalBlend,
)
from rehab_pose_lab.methods.exercise.regression_trees import RegressionTrees
from rehab_pose_lab.training.clinical_blend import cross_validated, fit_scores
from rehab_pose_lab.training.clinical_metrics import FOLDS, metrics_of_predictions
from rehab_pose_lab.training.clinical_scores import load_scores, score_folds, score_table
from rehab_pose_lab.training.repetition_norms import HEALTHY_GROUPS, healthy_norms, write_norms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.training.clinical_blend import CrossValidated
    from rehab_pose_lab.training.clinical_scores import ScoreTable

__all__ = ["train_quality", "with_errors", "write_score_model"]

SLOPES = np.linspace(0.2, 8.0, 40)
"""Candidates for the factor from the correctness target to log odds."""


def train_quality(data: Path, output: Path, seed: int) -> dict[str, float]:
    """Learn norms and score weights from all subjects, write both files, and return the cross-validated metrics.

    Args:
        data: Folder with a folder `kimore`.
        output: Folder for repetition_norms.json and clinical_scores.npz; created where it does not exist.
        seed: Seed of the folds.

    Raises:
        RecordingError: The folder does not contain KIMORE.
    """
    root = data / "kimore"
    clips = load_kimore(root)
    table = score_table(clips, load_scores(root))
    output.mkdir(parents=True, exist_ok=True)
    healthy = {clip.subject for clip in clips if clip.group in HEALTHY_GROUPS}
    source = {"data": "KIMORE, control group", "subjects": len(healthy), "joints_from": "Kinect v2"}
    write_norms(output / SHIPPED_NORMS.name, healthy_norms(clips), source)
    folds = score_folds(table.subjects, FOLDS, seed)
    held_out = cross_validated(table, folds)
    model = with_errors(fit_scores(table, np.ones(len(table.subjects), dtype=np.bool_)), table, held_out)
    write_score_model(output / SHIPPED_SCORES.name, model, table.subjects)
    return metrics_of_predictions(table, folds, held_out, seed)


def with_errors(model: ScoreModel, table: ScoreTable, held_out: CrossValidated) -> ScoreModel:
    """Return the model with its errors on held-out subjects and calibrated probabilities."""
    error = np.sqrt(np.nanmean((held_out.scores - table.scores) ** 2, axis=1))
    good = table.scores[..., 0] >= GOOD_TOTAL
    known = np.isfinite(table.scores[..., 0])
    slopes = []
    for predicted in held_out.probability:
        usable = known & np.isfinite(predicted)
        odds = np.log(predicted[usable] / (1.0 - predicted[usable]))  # with slope 1 this is the target itself
        slopes.append(SLOPES[np.argmin([_log_loss(slope * odds, good[usable]) for slope in SLOPES])])
    return replace(model, error=error, slope=np.array(slopes))


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    """Return floating-point values in single precision, others as they are."""
    return values.astype(np.float32) if values.dtype.kind == "f" else values


def _log_loss(odds: NDArray[np.float64], true: NDArray[np.bool_]) -> float:
    """Return the mean negative log likelihood of labels (N) given log odds (N) [nats]."""
    return float(np.logaddexp(0.0, np.where(true, -odds, odds)).mean())


def write_score_model(path: Path, model: ScoreModel, subjects: Sequence[str] = ()) -> None:
    """Write the file that `rehab_pose_lab.methods.exercise.clinical_scores.load_score_model` reads.

    Args:
        path: The file.
        model: The model.
        subjects: People that it was trained on.
    """
    arrays = {
        f"scale_{part.name}": np.array([getattr(scale, part.name) for scale in model.scales], dtype=np.float32)
        for part in fields(FeatureScale)
    }
    # Half precision changes no score by a hundredth of a point.
    arrays.update(
        {name: getattr(model, name).astype(np.float16) for name in ("single", "exercise", "session", "shared")}
    )
    for place, trees in enumerate(model.trees):
        stored = {part.name: getattr(trees, part.name) for part in fields(RegressionTrees)}
        arrays.update({f"trees{place}_{name}": _narrow(values) for name, values in stored.items()})
    arrays.update({f"blend_{part.name}": getattr(model.blend, part.name) for part in fields(TotalBlend)})
    arrays.update({name: getattr(model, name).astype(np.float32) for name in ("centre", "unit", "error", "slope")})
    np.savez_compressed(
        path, allow_pickle=False, highest=MAX_SCORES, subjects=np.array(list(subjects), dtype=np.str_), **arrays
    )
