"""Train the correction of the recogniser by all streams; measure what each stream adds for people not trained on."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.body.loader import load_body_model
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.fused_features import OTHER_STREAMS
from rehab_pose.exercise.fused_network import corrected_probabilities
from rehab_pose.exercise.network_metadata import INPUT_NAMES
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.weights import load_network
from rehab_pose_lab.training.exercise_clips import load_clips
from rehab_pose_lab.training.exercise_experiments import Experiment, ExperimentContext, subjects_of
from rehab_pose_lab.training.exercise_fit import TrainingPlan, export_onnx, fit
from rehab_pose_lab.training.exercise_predictions import labelled_windows
from rehab_pose_lab.training.fusion_clips import chosen_recordings, farthest_vertices, fusion_clips
from rehab_pose_lab.training.fusion_correction import (
    CorrectionPlan,
    corrections_of,
    export_correction,
    fit_correction,
)
from rehab_pose_lab.training.fusion_depth import depth_clips
from rehab_pose_lab.training.fusion_windows import regular_windows
from rehab_pose_lab.training.metrics import fit_temperature
from rehab_pose_lab.training.splits import folds_by_subject

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from onnxruntime import InferenceSession

    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_lab.training.fusion_clips import FusionClip
    from rehab_pose_lab.training.fusion_correction import CorrectionNetwork

__all__ = ["FusionPlan", "fused_table", "train_fused"]

logger = logging.getLogger(__name__)

RENDERED_SETS = ("kimore", "utkinect", "utd_mhad", "ui_prmd", "mars")
"""Sets whose movements are rendered: standing people."""
EVALUATED_SAMPLES = (8, 10, 20, 40)
"""Lengths of the windows that are evaluated: 0.8 s, from which a label is given, to 4 s."""
FREE_NONE = "all, none may fall"
"""Variant with all streams in which they may also turn `none` into an exercise, which the recogniser does not do."""
VARIANTS: dict[str, tuple[str, ...]] = {
    "joints": (),
    **{f"joints and {name}": (name,) for name in OTHER_STREAMS},
    "all streams": OTHER_STREAMS,
    FREE_NONE: OTHER_STREAMS,
    **{f"without {name}": tuple(other for other in OTHER_STREAMS if other != name) for name in OTHER_STREAMS},
}
"""Streams beside the joints that are there when a variant is evaluated."""
TEMPERATURE_CLIPS = 400
"""Recordings of people not trained on whose windows calibrate a joint network."""


@dataclass(frozen=True)
class FusionPlan:
    """Recordings, folds and trainings."""

    exercises: int = 110
    """Recordings of the five exercises that are rendered."""
    others: int = 60
    """Recordings of other movements that are rendered."""
    folds: int = 3
    """Each joint network, and each correction that is evaluated, is trained without the people of one fold."""
    joint_epochs: int = 6
    """Epochs of the joint networks: half of those of the shipped one."""
    correction: CorrectionPlan = field(default_factory=CorrectionPlan)

    @property
    def seed(self) -> int:
        """Seed of all choices."""
        return self.correction.seed


class FoldLogits:
    """Answers of joint networks that were trained without the people of one fold each."""

    def __init__(self, sessions: Sequence[tuple[InferenceSession, float]], folds: NDArray[np.int64]) -> None:
        """Take the network and the temperature of each fold, and the fold of each recording."""
        self._sessions, self._folds = sessions, folds

    def of(self, folds: NDArray[np.int64]) -> FoldLogits:
        """Return the same networks for other recordings, by the fold of each."""
        return FoldLogits(self._sessions, folds)

    def __call__(
        self, clips: NDArray[np.int64], features: NDArray[np.float32], present: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return calibrated logits (B, C) of windows from features (B, T, F), presence (B, T) and recordings (B)."""
        logits = np.zeros((len(clips), len(LABELS)), dtype=np.float32)
        for fold, (session, temperature) in enumerate(self._sessions):
            rows = self._folds[clips] == fold
            if rows.any():
                inputs = {"features": np.ascontiguousarray(features[rows]), "present": present[rows]}
                logits[rows] = session.run(["logits"], inputs)[0] / temperature
        return logits


def train_fused(data: Path, output: Path, plan: FusionPlan) -> dict[str, Any]:
    """Render recordings, train, evaluate by folds, and write exercise_fused.onnx and metrics.json.

    Everything that was finished before is read from the output folder, unless it was made with another plan.

    Args:
        data: Folder with one folder per data set.
        output: Output folder; created where it does not exist.
        plan: Sizes and seeds.

    Returns:
        Content of metrics.json.

    Raises:
        RecordingError: The data do not exist, or a checkpoint was written with another plan.
    """
    output.mkdir(parents=True, exist_ok=True)
    recordings = load_clips(data)
    of_person = folds_by_subject(recordings, plan.folds, plan.seed)
    upright = [clip for clip in recordings if clip.dataset in RENDERED_SETS]
    chosen = chosen_recordings(upright, plan.exercises, plan.others, plan.seed)
    clips = fusion_clips(chosen, output / "clips", seed=plan.seed)
    folds = np.array([of_person[clip.dataset, clip.subject] for clip in clips], dtype=np.int64)
    sessions = [_joint_network(recordings, of_person, fold, output, plan) for fold in range(plan.folds)]
    logits = FoldLogits(sessions, folds)
    final = fit_correction(clips, logits, plan.correction, output / "correction.pt")
    people = sorted({f"{clip.dataset}/{clip.subject}" for clip in clips})
    model = load_body_model()
    metadata = {
        "vertices": ",".join(str(index) for index in farthest_vertices(model)),
        "body_model": model.model_id,
        "subjects": ",".join(people),
        "recordings": str(len(clips)),
    }
    export_correction(final, output / "exercise_fused.onnx", metadata)
    recorded = depth_clips(data / "utd_mhad", output / "depth")
    depth_folds = np.array([of_person[clip.dataset, clip.subject] for clip in recorded], dtype=np.int64)
    counts: dict[str, dict[str, NDArray[np.float64]]] = {}
    depth_counts: dict[str, dict[str, NDArray[np.float64]]] = {}
    for fold in range(plan.folds):
        training = [clip for clip, place in zip(clips, folds, strict=True) if place != fold]
        testing = [clip for clip, place in zip(clips, folds, strict=True) if place == fold]
        network = fit_correction(
            training, logits.of(folds[folds != fold]), plan.correction, output / f"correction_fold{fold}.pt"
        )
        _count(counts, network, testing, logits.of(folds[folds == fold]))
        tested = [clip for clip, place in zip(recorded, depth_folds, strict=True) if place == fold]
        _count(depth_counts, network, tested, logits.of(depth_folds[depth_folds == fold]))
    metrics = {
        "recordings": len(clips),
        "people": len(people),
        "plan": asdict(plan),
        "variants": {name: _rates(of_variant) for name, of_variant in counts.items()},
        "depth_variants": {name: _rates(of_variant) for name, of_variant in depth_counts.items()},
    }
    (output / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    return metrics


def fused_table(metrics: dict[str, Any]) -> list[str]:
    """Return the lines of a table: right windows of exercises and false exercises of each variant [%]."""
    lengths = [f"{samples / 10.0:g} s" for samples in EVALUATED_SAMPLES]
    lines = []
    for title, variants in (("rendered", "variants"), ("real depth", "depth_variants")):
        lines.append(f"{title:24s}{'windows right':>{9 * len(lengths)}s}{'false exercises':>{9 * len(lengths)}s}")
        lines.append(f"{'':24s}" + "".join(f"{length:>9s}" for length in lengths * 2))
        for name, rates in metrics[variants].items():
            values = [rates.get(f"{kind}_pct_{length}", np.nan) for kind in ("right", "false") for length in lengths]
            lines.append(f"{name:24s}" + "".join(f"{value:9.2f}" for value in values))
    return lines


def _joint_network(
    recordings: Sequence[Clip], of_person: dict[tuple[str, str], int], fold: int, output: Path, plan: FusionPlan
) -> tuple[InferenceSession, float]:
    """Return a joint network that was trained without a fold's people, and its temperature."""
    folder = output / f"joints_fold{fold}"
    weights = folder / "exercise.onnx"
    sides: tuple[list[Clip], list[Clip]] = ([], [])
    for clip in recordings:
        sides[of_person[clip.dataset, clip.subject] == fold].append(clip)
    if not weights.is_file():
        folder.mkdir(exist_ok=True)
        joint_plan = replace(TrainingPlan(), epochs=plan.joint_epochs, seed=plan.seed, threads=plan.correction.threads)
        context = ExperimentContext(folder, joint_plan)
        experiment = Experiment(f"joints_fold{fold}", sides[0], sides[1], LABELS, live=True)
        network = fit(
            context.sampler(experiment), context.plan_for(experiment), folder / "checkpoint.pt", experiment.name
        )
        export_onnx(network, weights, LABELS, {"dataset": "kimore"}, subjects_of(sides[0]))
    session = load_network(weights, INPUT_NAMES).session

    def predict(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(session.run(["logits"], {"features": features, "present": present})[0])

    held_out = np.random.default_rng(plan.seed).permutation(len(sides[1]))[:TEMPERATURE_CLIPS]
    logits, truths, _ = labelled_windows(predict, [sides[1][place] for place in held_out])
    temperature = fit_temperature(logits, truths)
    logger.info("joints without fold %d: temperature %.3f", fold, temperature)
    return session, temperature


def _count(
    counts: dict[str, dict[str, NDArray[np.float64]]],
    network: CorrectionNetwork,
    clips: Sequence[FusionClip],
    logits: FoldLogits,
) -> None:
    """Add the right windows of exercises, the false exercises, and the numbers of both of a fold's people."""
    for samples in EVALUATED_SAMPLES:
        windows = regular_windows(clips, samples)
        if not len(windows.labels):
            continue
        truths = windows.labels
        for name, streams in VARIANTS.items():
            shown = replace(windows, findings=windows.findings.only(streams))
            of_joints, correction = corrections_of(network, shown, logits)
            if name == FREE_NONE:
                summed = of_joints + correction
                predicted = _labels(np.exp(summed - np.logaddexp.reduce(summed, axis=1)[:, None]))
            else:
                predicted = _labels(corrected_probabilities(of_joints, correction))
            found = np.array(
                [
                    ((predicted == truths) & (truths > 0)).sum(),
                    (truths > 0).sum(),
                    ((predicted > 0) & (truths == 0)).sum(),
                    (truths == 0).sum(),
                ],
                dtype=np.float64,
            )
            of_variant = counts.setdefault(name, {})
            length = f"{samples / 10.0:g} s"
            of_variant[length] = of_variant.get(length, np.zeros(4)) + found


def _labels(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the labels (B) as the recogniser gives them: `none` where none reaches the threshold."""
    sure = probabilities.max(axis=1) >= ExerciseSettings().confidence_threshold
    return np.where(sure, probabilities.argmax(axis=1), 0).astype(np.int64)


def _rates(counts: dict[str, NDArray[np.float64]]) -> dict[str, float]:
    """Return the rates [%] and numbers of windows of each length; no rate where there is no window."""
    rates: dict[str, float] = {}
    for length, (right, exercises, false, others) in counts.items():
        if exercises:
            rates[f"right_pct_{length}"] = 100.0 * float(right / exercises)
        if others:
            rates[f"false_pct_{length}"] = 100.0 * float(false / others)
        rates[f"windows_{length}"] = float(exercises)
        rates[f"other_windows_{length}"] = float(others)
    return rates
