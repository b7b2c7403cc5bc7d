"""Train a recogniser of a data set's movements: KIMORE's five with everything else as `none`, or another set's own."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose_lab.training.exercise_clips import LOADERS, load_clips
from rehab_pose_lab.training.exercise_fit import TrainingPlan, export_onnx, fit, judge_of
from rehab_pose_lab.training.exercise_scores import judge_recordings, labelled_windows
from rehab_pose_lab.training.recognition_calibration import NEUTRAL, Calibration, calibrate
from rehab_pose_lab.training.recognition_jobs import SINGLE_MOVEMENTS, Job, Workshop, labels_of
from rehab_pose_lab.training.recognition_scores import score_of
from rehab_pose_lab.training.splits import by_subject, held_out_subjects

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose_lab.training.exercise_network import ExerciseNetwork

__all__ = ["TrainingPlan", "train"]

logger = logging.getLogger(__name__)


def train(
    data: Path,
    output: Path,
    plan: TrainingPlan,
    *,
    dataset: str = "kimore",
    held_out_fraction: float = 0.2,
    calibration: Path | None = None,
) -> dict[str, Any]:
    """Train, measure on the subjects kept back, and write exercise.onnx, metrics.json and checkpoint.pt.

    Goes on from the checkpoint in the output folder if there is one of the same plan.

    Args:
        data: Folder with one folder a data set.
        output: Made if it is not there.
        plan: Sizes and seed.
        dataset: Whose movements are to be told apart.
        held_out_fraction: Part of the subjects that training never sees; 0 trains on everybody.
        calibration: metrics.json of a run with subjects kept back, whose calibration is used when this run keeps
            nobody back.

    Returns:
        What metrics.json holds.

    Raises:
        RecordingError: The data are not there.
    """
    output.mkdir(parents=True, exist_ok=True)
    live = dataset == "kimore"
    if not live and not (data / dataset).is_dir():
        msg = f"training data: expected a folder {dataset} in {data}, there is none"
        raise RecordingError(msg)
    clips = load_clips(data) if live else LOADERS[dataset](data / dataset)
    if dataset == "ui_prmd":
        clips = [clip for clip in clips if clip.group == "correct"]
    held_out = held_out_subjects(clips, held_out_fraction, plan.seed)
    training, testing = by_subject(clips, held_out)
    labels = LABELS if live else labels_of(clips)
    job = Job(dataset, training, testing, labels, live=live, single=dataset in SINGLE_MOVEMENTS)
    workshop = Workshop(output, plan)
    network = fit(workshop.sampler(job), workshop.plan_of(job), output / "checkpoint.pt", dataset)
    facts, found = _measure(network, job) if testing else ({}, _borrowed(calibration))
    facts |= {"calibration": asdict(found), "plan": asdict(plan), "labels": list(labels), "dataset": dataset}
    facts["held_out"] = sorted(f"{name}/{subject}" for name, subject in held_out)
    (output / "metrics.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    export_onnx(network, output / "exercise.onnx", labels, found.metadata() | {"dataset": dataset})
    return facts


def _measure(network: ExerciseNetwork, job: Job) -> tuple[dict[str, Any], Calibration]:
    """Return figures and calibration on subjects that training never saw."""
    own = [clip for clip in job.testing if clip.dataset == job.name]
    live = judge_of(network, live=True) if job.live else None
    found = judge_recordings(judge_of(network, live=False), own, job.labels[1:], live=live)
    if not job.live:
        return {"recognition": score_of(found, job.labels[1:])}, NEUTRAL
    logits, truths, _ = labelled_windows(judge_of(network, live=True), job.testing)
    return {"recognition": score_of(found, job.labels[1:])}, calibrate(logits, truths, found)


def _borrowed(calibration: Path | None) -> Calibration:
    """Return the calibration of another run, or a neutral one."""
    if calibration is None:
        logger.warning("nobody was kept back and no calibration was given: confidences are as the network says them")
        return NEUTRAL
    return Calibration(**json.loads(calibration.read_text(encoding="utf-8"))["calibration"])
