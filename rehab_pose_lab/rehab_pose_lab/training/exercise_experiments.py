"""Experiments of the recogniser: each trains on some subjects and is evaluated on others."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rehab_pose.exercise.catalogue import EXERCISES, LABELS
from rehab_pose.exercise.window_classifier import WindowClassifier
from rehab_pose_lab.datasets.kimore import SUSPECT_CLIPS
from rehab_pose_lab.training.exercise_extra_trees import extra_trees_predictions
from rehab_pose_lab.training.exercise_fit import TrainingPlan, export_onnx, fit, predictor_of
from rehab_pose_lab.training.exercise_network import ExerciseNetwork, NetworkSettings
from rehab_pose_lab.training.exercise_predictions import (
    Predictions,
    labelled_windows,
    predict_at_ends,
    predict_recordings,
)
from rehab_pose_lab.training.exercise_windows import (
    LIVE_FRACTION,
    TrainingClip,
    WindowSampler,
    label_of,
    labelled_parts,
    prepare,
)
from rehab_pose_lab.training.splits import folds_by_subject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_lab.training.exercise_calibration import Calibration

__all__ = [
    "FEW_SHOT",
    "FOLDS",
    "SETS",
    "Experiment",
    "ExperimentContext",
    "experiments_of",
    "export_final_weights",
    "labels_of",
    "measure_delays",
    "movements_of",
    "run_experiment",
    "subjects_of",
]

logger = logging.getLogger(__name__)

FOLDS = 5
SETS = ("utkinect", "mars", "ui_prmd")
"""Sets with other movements, evaluated by leaving one subject out."""
ACROSS = "cross_squat"
"""Experiment that classifies squats of sets which are not trained on."""
ALL_SUBJECTS = "kimore_all"
"""Experiment that trains the shipped weights on all subjects; it has no test subjects."""
SET_EPOCHS = {"utkinect": 8, "ui_prmd": 8, "mars": 3}
"""Maximum number of epochs for the small sets; three were too few for the first two."""
SINGLE_MOVEMENTS = frozenset({"utkinect", "ui_prmd"})
SIDED = frozenset({"ui_prmd", "mars"})
"""Sets whose movements are performed with one side."""
CONTROLS, PATIENTS = "CG/", "GPP/"
"""Prefixes of KIMORE's groups."""
UNSCALED = {"temperature": "1.0", "exercise_temperature": "1.0", "familiar_energy": "-1e9"}
"""Metadata of a network that is not calibrated."""
TEACHES_NONE_ACROSS = ("kimore", "utkinect", "irds", "utd_mhad")
"""Sets that are trained on when squats of UI-PRMD and MARS are classified."""
UNSURE_SETS = frozenset({"bags", "mri"})
"""Sets whose movements may be those of other sets under other names."""
FEW_SHOT = "few_shot_fold"
"""Experiments of five folds that are not trained on UI-PRMD, whose movements are then added from few recordings."""


@dataclass(frozen=True, eq=False)
class Experiment:
    """One training and the recordings that it is evaluated on."""

    name: str
    training: list[Clip]
    testing: list[Clip]
    labels: tuple[str, ...]
    """Labels, `none` first."""
    live: bool
    """Whether `none` is trained and the live recogniser is evaluated."""
    single: bool = False
    """Whether each recording is a single movement."""


@dataclass
class ExperimentContext:
    """Shared by all experiments: output folder, plan, and prepared clips."""

    output: Path
    plan: TrainingPlan
    prepared: dict[tuple[str, int], list[TrainingClip]] = field(default_factory=dict)

    def sampler(self, experiment: Experiment) -> WindowSampler:
        """Return the windows that an experiment trains on."""
        clips: list[TrainingClip] = []
        for clip in experiment.training:
            label = label_of(clip, experiment.labels) if experiment.live else experiment.labels.index(clip.label)
            if label is None or clip.name in SUSPECT_CLIPS:
                continue
            key = (f"{clip.dataset}/{clip.name}", label)
            if key not in self.prepared:
                parts = labelled_parts(clip, label) if experiment.live else [prepare(clip, label)]
                self.prepared[key] = [part for part in parts if part is not None]
            clips.extend(self.prepared[key])
        mirror = not any(clip.dataset in SIDED for clip in experiment.training) or experiment.live
        live_fraction = LIVE_FRACTION if experiment.live else 0.0
        return WindowSampler(
            clips,
            movements=movements_of(experiment),
            single_movements=experiment.single,
            live_fraction=live_fraction,
            mirror=mirror,
        )

    def plan_for(self, experiment: Experiment) -> TrainingPlan:
        """Return the plan with the experiment's number of classes and its limit of epochs."""
        network: NetworkSettings = replace(
            self.plan.network, classes=len(experiment.labels), movements=len(movements_of(experiment))
        )
        dataset = next((name for name in SET_EPOCHS if experiment.name.startswith(name)), "")
        return replace(
            self.plan, network=network, epochs=min(self.plan.epochs, SET_EPOCHS.get(dataset, self.plan.epochs))
        )


def movements_of(experiment: Experiment) -> list[str]:
    """Return the movements that an experiment's network learns to tell apart; none where it knows no `none`.

    Names with a side are no movements: half of the windows are mirrored.
    """
    if not experiment.live:
        return []
    named = {f"{clip.dataset}/{clip.label}" for clip in experiment.training if clip.dataset not in UNSURE_SETS}
    return sorted(name for name in named if not any(side in name for side in ("left", "right")))


def labels_of(clips: Sequence[Clip]) -> tuple[str, ...]:
    """Return `none` and the movements of a set's clips in alphabetical order; for KIMORE in the catalogue's order."""
    if all(clip.dataset == "kimore" for clip in clips):
        return LABELS
    return ("none", *sorted({clip.label for clip in clips}))


def experiments_of(clips: Sequence[Clip], seed: int) -> list[Experiment]:
    """Return all experiments that the clips allow, the most important ones first."""
    kimore = [clip for clip in clips if clip.dataset == "kimore"]
    folds = folds_by_subject(clips, FOLDS, seed)
    experiments: list[Experiment] = []
    few_shot: list[Experiment] = []
    for fold in range(FOLDS):
        sides: tuple[list[Clip], list[Clip]] = ([], [])
        for clip in clips:
            sides[folds[clip.dataset, clip.subject] == fold].append(clip)
        experiments.append(Experiment(f"kimore_fold{fold}", *sides, LABELS, live=True))
        without = [clip for clip in sides[0] if clip.dataset != "ui_prmd"]
        few_shot.append(Experiment(f"{FEW_SHOT}{fold}", without, sides[1], LABELS, live=True))
    controls = [clip for clip in kimore if clip.group.startswith(CONTROLS)]
    patients = [clip for clip in kimore if clip.group.startswith(PATIENTS)]
    experiments.append(Experiment(ALL_SUBJECTS, list(clips), [], LABELS, live=True))
    experiments.append(Experiment("kimore_controls", controls, patients, LABELS, live=False))
    for dataset in SETS:
        members = [clip for clip in clips if clip.dataset == dataset]
        if dataset == "ui_prmd":  # published protocol: correctly performed repetitions only
            members = [clip for clip in members if clip.group == "correct"]
        labels = labels_of(members)
        for subject in sorted({clip.subject for clip in members}):
            training = [clip for clip in members if clip.subject != subject]
            testing = [clip for clip in members if clip.subject == subject]
            single = dataset in SINGLE_MOVEMENTS
            experiments.append(Experiment(f"{dataset}_{subject}", training, testing, labels, live=False, single=single))
    across = [clip for clip in clips if clip.dataset in TEACHES_NONE_ACROSS]
    others = [clip for clip in clips if clip.dataset in {"ui_prmd", "mars"}]
    experiments.append(Experiment(ACROSS, across, others, LABELS, live=True))
    return experiments + few_shot


def run_experiment(experiment: Experiment, context: ExperimentContext) -> Path:
    """Train, evaluate and write result.npz, unless that file exists.

    Returns:
        The experiment's folder, with checkpoint.pt, weights.onnx (if `none` is trained) and result.npz.
    """
    folder = context.output / experiment.name
    result = folder / "result.npz"
    if result.is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    network = fit(context.sampler(experiment), context.plan_for(experiment), folder / "checkpoint.pt", experiment.name)
    weights = folder / "weights.onnx"
    if experiment.live:
        export_onnx(
            network, weights, experiment.labels, UNSCALED | {"dataset": "kimore"}, subjects_of(experiment.training)
        )
    arrays: dict[str, Any] = {"seed": context.plan.seed}
    if experiment.name == ACROSS:
        arrays |= _across(network, experiment.testing)
    elif experiment.testing:
        arrays |= _evaluate(network, experiment)
    partial = folder / "result.part.npz"
    np.savez_compressed(partial, **arrays)
    partial.replace(result)
    return folder


def subjects_of(clips: Sequence[Clip]) -> list[str]:
    """Return the people in recordings as `set/person`."""
    return sorted({f"{clip.dataset}/{clip.subject}" for clip in clips})


def export_final_weights(
    context: ExperimentContext, calibration: Calibration, subjects: Sequence[str] = ()
) -> Path | None:
    """Write the weights of all subjects with the folds' calibration; return None where they are not trained yet."""
    checkpoint = context.output / ALL_SUBJECTS / "checkpoint.pt"
    if not checkpoint.is_file():
        return None
    state = torch.load(checkpoint, weights_only=True)
    network = ExerciseNetwork(NetworkSettings(**state["plan"]["network"]))
    network.load_state_dict(state["average"])
    path = context.output / "exercise.onnx"
    export_onnx(network, path, LABELS, calibration.metadata() | {"dataset": "kimore"}, subjects)
    return path


def measure_delays(experiment: Experiment, context: ExperimentContext) -> None:
    """Measure the live recogniser with a fold's weights on its test subjects and write live.npz, unless it exists."""
    from rehab_pose_lab.training.exercise_streaming import times_to_label  # noqa: PLC0415  (the live recogniser)

    folder = context.output / experiment.name
    result = folder / "live.npz"
    if result.is_file() or not experiment.live or experiment.name == ACROSS or not experiment.testing:
        return
    kimore = [clip for clip in experiment.testing if clip.dataset == "kimore" and clip.name not in SUSPECT_CLIPS]
    weights = str(folder / "weights.onnx")
    waits_s, frame_ms = times_to_label(weights, kimore)
    logits, truths, movements = labelled_windows(WindowClassifier(weights).logits, experiment.testing)
    arrays: dict[str, Any] = {"live_logits": logits, "live_truths": truths, "live_shown": np.array(movements)}
    partial = folder / "live.part.npz"
    np.savez_compressed(partial, waits_s=waits_s, frame_ms=frame_ms, **arrays)
    partial.replace(result)


def _evaluate(network: ExerciseNetwork, experiment: Experiment) -> dict[str, Any]:
    """Return the predictions of the network, and of extra trees, for the test subjects."""
    among_exercises = predictor_of(network, live=False)
    known = [clip for clip in experiment.testing if clip.label in experiment.labels[1:]]
    kimore = known[0].dataset == "kimore" or experiment.live
    tested = [clip for clip in known if clip.dataset == "kimore"] if kimore else known
    predictions = predict_recordings(
        among_exercises,
        tested,
        experiment.labels[1:],
        live=predictor_of(network, live=True) if experiment.live else None,
    )
    arrays = _as_arrays("", predictions)
    forest = extra_trees_predictions(_same_sets(experiment.training, tested), tested, experiment.labels[1:])
    if forest is not None:
        arrays |= _as_arrays("forest_", forest)
    return arrays


def _same_sets(training: Sequence[Clip], tested: Sequence[Clip]) -> list[Clip]:
    """Return the training clips of the data sets that are tested."""
    datasets = {clip.dataset for clip in tested}
    return [clip for clip in training if clip.dataset in datasets and clip.name not in SUSPECT_CLIPS]


def _as_arrays(prefix: str, predictions: Predictions) -> dict[str, Any]:
    """Return the fields of predictions as arrays with prefixed names."""
    arrays = {f"{prefix}{name}": np.array(getattr(predictions, name)) for name in Predictions.__dataclass_fields__}
    logger.info("%srecordings %.4f, windows %.4f", prefix, *_accuracies(predictions))
    return arrays


def _accuracies(predictions: Predictions) -> tuple[float, float]:
    """Return the accuracies of recordings and of windows."""
    windows = predictions.windows.argmax(axis=-1) == predictions.truths[predictions.window_places]
    return float((predictions.recordings.argmax(axis=-1) == predictions.truths).mean()), float(windows.mean())


def _across(network: ExerciseNetwork, clips: Sequence[Clip]) -> dict[str, Any]:
    """Return the logits of all labels for windows of other sets, with each clip's set and movement."""
    predict = predictor_of(network, live=True)
    logits, movements = [], []
    for clip in clips:
        window_logits = _moving_windows(predict, clip)
        logits.append(window_logits)
        movements += [f"{clip.dataset}/{clip.group}/{clip.label}"] * len(window_logits)
    return {"across_logits": np.concatenate(logits), "across_shown": np.array(movements), "labels": np.array(EXERCISES)}


def _moving_windows(predict: Callable[[Any, Any], Any], clip: Clip) -> np.ndarray[Any, Any]:
    """Return logits of the moving windows of a clip, twice a second, or of its last window where nothing moves."""
    prepared = prepare(clip, 0)
    ends_ns = clip.stamps_ns[-1:] if prepared is None else prepared.active_ends_ns[::5]
    return predict_at_ends(predict, clip, ends_ns if len(ends_ns) else clip.stamps_ns[-1:])
