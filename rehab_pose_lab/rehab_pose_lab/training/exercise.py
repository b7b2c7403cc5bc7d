"""Train a recogniser of a data set's movements: KIMORE's five and `none`, or the movements of another set."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose_lab.training.exercise_calibration import NEUTRAL, Calibration, calibrate
from rehab_pose_lab.training.exercise_clips import LOADERS, load_clips
from rehab_pose_lab.training.exercise_experiments import (
    SINGLE_MOVEMENTS,
    Experiment,
    ExperimentContext,
    labels_of,
    subjects_of,
)
from rehab_pose_lab.training.exercise_fit import TrainingPlan, export_onnx, fit, predictor_of
from rehab_pose_lab.training.exercise_metrics import recognition_metrics
from rehab_pose_lab.training.exercise_predictions import labelled_windows, predict_recordings
from rehab_pose_lab.training.exercise_windows import CATALOGUE_SETS
from rehab_pose_lab.training.splits import by_subject, held_out_subjects

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_lab.training.exercise_network import ExerciseNetwork

__all__ = ["TrainingPlan", "train"]

logger = logging.getLogger(__name__)


def train(
    data: Path,
    output: Path,
    plan: TrainingPlan,
    *,
    dataset: str = "kimore",
    sets: Sequence[str] = (),
    held_out_fraction: float = 0.2,
    calibration: Path | None = None,
) -> dict[str, Any]:
    """Train, evaluate on the held-out subjects, and write exercise.onnx, metrics.json and checkpoint.pt.

    Resumes from the checkpoint in the output folder if it has the same plan.

    Args:
        data: Folder with one folder per data set, or a folder of labelled bags.
        output: Output folder; created where it does not exist.
        plan: Sizes and seed.
        dataset: Data set whose movements are classified; `bags` are the user's, beside KIMORE's where that is there.
        sets: Sets that are read; empty = all that are there.
        held_out_fraction: Fraction of the subjects that are not trained on; 0 trains on all subjects.
        calibration: metrics.json of a run with held-out subjects; its calibration is used when this run holds out none.

    Returns:
        Content of metrics.json.

    Raises:
        RecordingError: The data do not exist.
    """
    output.mkdir(parents=True, exist_ok=True)
    live = dataset in CATALOGUE_SETS
    if not live and not (data / dataset).is_dir():
        msg = f"training data: expected a folder {dataset} in {data}, found none"
        raise RecordingError(msg)
    clips = load_clips(data, sets) if live else LOADERS[dataset](data / dataset)
    if dataset == "ui_prmd":
        clips = [clip for clip in clips if clip.group == "correct"]
    held_out = held_out_subjects(clips, held_out_fraction, plan.seed)
    training, testing = by_subject(clips, held_out)
    labels = live_labels(clips) if live else labels_of(clips)
    experiment = Experiment(dataset, training, testing, labels, live=live, single=dataset in SINGLE_MOVEMENTS)
    context = ExperimentContext(output, plan)
    network = fit(context.sampler(experiment), context.plan_for(experiment), output / "checkpoint.pt", dataset)
    content, fitted = _evaluate(network, experiment) if testing else ({}, _load_calibration(calibration))
    content |= {"calibration": asdict(fitted), "plan": asdict(plan), "labels": list(labels), "dataset": dataset}
    content["held_out"] = sorted(f"{name}/{subject}" for name, subject in held_out)
    (output / "metrics.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    extra = fitted.metadata() | {"dataset": dataset}
    export_onnx(network, output / "exercise.onnx", labels, extra, subjects_of(training))
    return content


def live_labels(clips: Sequence[Clip]) -> tuple[str, ...]:
    """Return `none`, the exercises of KIMORE where it is among the clips, and those that labelled bags add.

    Raises:
        RecordingError: There is no exercise.
    """
    sets = {clip.dataset for clip in clips}
    known = LABELS if "kimore" in sets else LABELS[:1]
    added = sorted({clip.label for clip in clips if clip.dataset == "bags"} - set(known))
    if len(known) + len(added) < 2:
        msg = f"training data: expected kimore or labelled bags with an exercise, got {', '.join(sorted(sets))}"
        raise RecordingError(msg)
    return (*known, *added)


def _evaluate(network: ExerciseNetwork, experiment: Experiment) -> tuple[dict[str, Any], Calibration]:
    """Return metrics and calibration on the held-out subjects."""
    clips = [clip for clip in experiment.testing if clip.label in experiment.labels[1:]]
    if not experiment.live:
        clips = [clip for clip in clips if clip.dataset == experiment.name]
    else:
        clips = [clip for clip in clips if clip.dataset in CATALOGUE_SETS]
    live, exercises = predictor_of(network, live=True), experiment.labels[1:]
    predictions = predict_recordings(
        predictor_of(network, live=False), clips, exercises, live=live if experiment.live else None
    )
    metrics = {"recognition": recognition_metrics(predictions, exercises)}
    if not experiment.live:
        return metrics, NEUTRAL
    logits, truths, _ = labelled_windows(live, experiment.testing, experiment.labels)
    return metrics, calibrate(logits, truths, predictions)


def _load_calibration(calibration: Path | None) -> Calibration:
    """Return the calibration of another run, or a neutral one where none is given."""
    if calibration is None:
        logger.warning("no subject was held out and no calibration was given: the confidences are not calibrated")
        return NEUTRAL
    return Calibration(**json.loads(calibration.read_text(encoding="utf-8"))["calibration"])
