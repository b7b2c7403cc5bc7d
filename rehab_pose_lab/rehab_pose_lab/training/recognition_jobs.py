"""The trainings behind the recogniser's figures: each learns from some subjects and is measured on others."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rehab_pose.exercise.catalogue import EXERCISES, LABELS
from rehab_pose.exercise.classifier import WindowClassifier
from rehab_pose_lab.datasets.kimore import SUSPECT_CLIPS
from rehab_pose_lab.training.exercise_baseline import forest_judgements
from rehab_pose_lab.training.exercise_fit import TrainingPlan, export_onnx, fit, judge_of
from rehab_pose_lab.training.exercise_network import ExerciseNetwork
from rehab_pose_lab.training.exercise_scores import Judgements, judge_ends, judge_recordings, labelled_windows
from rehab_pose_lab.training.exercise_windows import LIVE_FRACTION, TrainingClip, WindowSampler, label_of, prepare
from rehab_pose_lab.training.splits import folds_by_subject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_lab.training.exercise_network import NetworkSettings
    from rehab_pose_lab.training.recognition_calibration import Calibration

__all__ = ["FOLDS", "SETS", "Job", "Workshop", "export_everybody", "jobs_of", "labels_of", "time_job", "train_job"]

logger = logging.getLogger(__name__)

FOLDS = 5
SETS = ("utkinect", "mars", "ui_prmd")
"""Sets with movements of their own, measured by leaving one subject out."""
ACROSS = "cross_squat"
EVERYBODY = "kimore_all"
"""Measured by nobody: its figures are the folds'."""
SET_EPOCHS = {"utkinect": 8, "ui_prmd": 8, "mars": 3}
"""Small sets are learnt by then; three were too few for the first two."""
SINGLE_MOVEMENTS = frozenset({"utkinect", "ui_prmd"})
SIDED = frozenset({"ui_prmd", "mars"})
"""Sets whose movements are of one side, by name or by what everybody was asked to do."""
CONTROLS, PATIENTS = "CG/", "GPP/"
"""How KIMORE's groups begin."""
UNSCALED = {"temperature": "1.0", "exercise_temperature": "1.0", "familiar_energy": "-1e9"}
"""What a network says of its confidence before that has been measured."""
TEACHES_NONE_ACROSS = ("kimore", "utkinect", "irds")
"""Sets that the recogniser may know when it is asked to name squats in UI-PRMD and MARS."""


@dataclass(frozen=True, eq=False)
class Job:
    """One training and what it is measured on."""

    name: str
    training: list[Clip]
    testing: list[Clip]
    labels: tuple[str, ...]
    """With `none` first."""
    live: bool
    """Whether `none` is taught and the live answer is measured."""
    single: bool = False
    """Recordings are single movements."""


@dataclass
class Workshop:
    """What all trainings share: a folder, a plan, and clips that are prepared only once."""

    output: Path
    plan: TrainingPlan
    prepared: dict[tuple[str, int], TrainingClip | None] = field(default_factory=dict)

    def sampler(self, job: Job) -> WindowSampler:
        """Return the windows a job learns from."""
        clips = []
        for clip in job.training:
            label = label_of(clip) if job.live else job.labels.index(clip.label)
            if label is None or clip.name in SUSPECT_CLIPS:
                continue
            key = (f"{clip.dataset}/{clip.name}", label)
            if key not in self.prepared:
                self.prepared[key] = prepare(clip, label)
            found = self.prepared[key]
            if found is not None:
                clips.append(found)
        mirror = not any(clip.dataset in SIDED for clip in job.training) or job.live
        live_fraction = LIVE_FRACTION if job.live else 0.0
        return WindowSampler(clips, whole=job.single, live_fraction=live_fraction, mirror=mirror)

    def plan_of(self, job: Job) -> TrainingPlan:
        """Return the plan, with as many classes as the job has."""
        network: NetworkSettings = replace(self.plan.network, classes=len(job.labels))
        dataset = next((name for name in SET_EPOCHS if job.name.startswith(name)), "")
        return replace(
            self.plan, network=network, epochs=min(self.plan.epochs, SET_EPOCHS.get(dataset, self.plan.epochs))
        )


def labels_of(clips: Sequence[Clip]) -> tuple[str, ...]:
    """Return `none` and the movements of a set's clips in alphabetical order; KIMORE's in the catalogue's."""
    if all(clip.dataset == "kimore" for clip in clips):
        return LABELS
    return ("none", *sorted({clip.label for clip in clips}))


def jobs_of(clips: Sequence[Clip], seed: int) -> list[Job]:
    """Return all trainings that the clips allow, the most telling ones first."""
    kimore = [clip for clip in clips if clip.dataset == "kimore"]
    folds = folds_by_subject(clips, FOLDS, seed)
    jobs = []
    for fold in range(FOLDS):
        sides: tuple[list[Clip], list[Clip]] = ([], [])
        for clip in clips:
            sides[folds[clip.dataset, clip.subject] == fold].append(clip)
        jobs.append(Job(f"kimore_fold{fold}", *sides, LABELS, live=True))
    controls = [clip for clip in kimore if clip.group.startswith(CONTROLS)]
    patients = [clip for clip in kimore if clip.group.startswith(PATIENTS)]
    jobs.append(Job(EVERYBODY, list(clips), [], LABELS, live=True))
    jobs.append(Job("kimore_controls", controls, patients, LABELS, live=False))
    for dataset in SETS:
        members = [clip for clip in clips if clip.dataset == dataset]
        if dataset == "ui_prmd":  # the published protocol: correctly performed repetitions
            members = [clip for clip in members if clip.group == "correct"]
        labels = labels_of(members)
        for subject in sorted({clip.subject for clip in members}):
            training = [clip for clip in members if clip.subject != subject]
            testing = [clip for clip in members if clip.subject == subject]
            single = dataset in SINGLE_MOVEMENTS
            jobs.append(Job(f"{dataset}_{subject}", training, testing, labels, live=False, single=single))
    across = [clip for clip in clips if clip.dataset in TEACHES_NONE_ACROSS]
    others = [clip for clip in clips if clip.dataset in {"ui_prmd", "mars"}]
    jobs.append(Job(ACROSS, across, others, LABELS, live=True))
    return jobs


def train_job(job: Job, workshop: Workshop) -> Path:
    """Train, measure, and write result.npz; nothing is done where that is there already.

    Returns:
        The job's folder: checkpoint.pt, weights.onnx (where the live answer is taught) and result.npz.
    """
    folder = workshop.output / job.name
    result = folder / "result.npz"
    if result.is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    network = fit(workshop.sampler(job), workshop.plan_of(job), folder / "checkpoint.pt", job.name)
    weights = folder / "weights.onnx"
    if job.live:
        export_onnx(network, weights, job.labels, UNSCALED | {"dataset": "kimore"})
    arrays: dict[str, Any] = {"seed": workshop.plan.seed}
    if job.name == ACROSS:
        arrays |= _across(network, job.testing)
    elif job.testing:
        arrays |= _measured(network, job)
    partial = folder / "result.part.npz"
    np.savez_compressed(partial, **arrays)
    partial.replace(result)
    return folder


def export_everybody(workshop: Workshop, calibration: Calibration) -> Path | None:
    """Write the weights that learnt from everybody with the folds' calibration; None where they are not trained yet."""
    checkpoint = workshop.output / EVERYBODY / "checkpoint.pt"
    if not checkpoint.is_file():
        return None
    network = ExerciseNetwork(workshop.plan.network)
    network.load_state_dict(torch.load(checkpoint, weights_only=True)["average"])
    path = workshop.output / "exercise.onnx"
    export_onnx(network, path, LABELS, calibration.metadata() | {"dataset": "kimore"})
    return path


def time_job(job: Job, workshop: Workshop) -> None:
    """Measure the live answer with a fold's weights on its test side, and write live.npz; nothing if it is there."""
    from rehab_pose_lab.training.exercise_streaming import times_to_label  # noqa: PLC0415  (the live recogniser)

    folder = workshop.output / job.name
    result = folder / "live.npz"
    if result.is_file() or not job.live or job.name == ACROSS or not job.testing:
        return
    own = [clip for clip in job.testing if clip.dataset == "kimore" and clip.name not in SUSPECT_CLIPS]
    weights = str(folder / "weights.onnx")
    waits_s, frame_ms = times_to_label(weights, own)
    logits, truths, shown = labelled_windows(WindowClassifier(weights).logits, job.testing)
    arrays: dict[str, Any] = {"live_logits": logits, "live_truths": truths, "live_shown": np.array(shown)}
    partial = folder / "live.part.npz"
    np.savez_compressed(partial, waits_s=waits_s, frame_ms=frame_ms, **arrays)
    partial.replace(result)


def _measured(network: ExerciseNetwork, job: Job) -> dict[str, Any]:
    """Return what the network says of the recordings of people it has never seen."""
    closed = judge_of(network, live=False)
    known = [clip for clip in job.testing if clip.label in job.labels[1:]]
    kimore = known[0].dataset == "kimore" or job.live
    own = [clip for clip in known if clip.dataset == "kimore"] if kimore else known
    found = judge_recordings(closed, own, job.labels[1:], live=judge_of(network, live=True) if job.live else None)
    arrays = _flat("", found)
    forest = forest_judgements(_same_sets(job.training, own), own, job.labels[1:])
    if forest is not None:
        arrays |= _flat("forest_", forest)
    return arrays


def _same_sets(training: Sequence[Clip], own: Sequence[Clip]) -> list[Clip]:
    datasets = {clip.dataset for clip in own}
    return [clip for clip in training if clip.dataset in datasets and clip.name not in SUSPECT_CLIPS]


def _flat(prefix: str, found: Judgements) -> dict[str, Any]:
    arrays = {f"{prefix}{name}": np.array(getattr(found, name)) for name in Judgements.__dataclass_fields__}
    logger.info("%srecordings %.4f, windows %.4f", prefix, *_accuracies(found))
    return arrays


def _accuracies(found: Judgements) -> tuple[float, float]:
    windows = found.windows.argmax(axis=-1) == found.truths[found.window_places]
    return float((found.recordings.argmax(axis=-1) == found.truths).mean()), float(windows.mean())


def _across(network: ExerciseNetwork, clips: Sequence[Clip]) -> dict[str, Any]:
    """Return the live answer's logits for windows of other sets, with each clip's set and movement."""
    judge = judge_of(network, live=True)
    logits, shown = [], []
    for clip in clips:
        found = _moving_windows(judge, clip)
        logits.append(found)
        shown += [f"{clip.dataset}/{clip.group}/{clip.label}"] * len(found)
    return {"across_logits": np.concatenate(logits), "across_shown": np.array(shown), "labels": np.array(EXERCISES)}


def _moving_windows(judge: Callable[[Any, Any], Any], clip: Clip) -> np.ndarray[Any, Any]:
    """Return logits of the windows of a clip that show movement, twice a second; at least the one that ends it."""
    prepared = prepare(clip, 0)
    ends_ns = clip.stamps_ns[-1:] if prepared is None else prepared.active_ends_ns[::5]
    return judge_ends(judge, clip, ends_ns if len(ends_ns) else clip.stamps_ns[-1:])
