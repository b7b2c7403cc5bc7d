"""Benchmark of the exercise recogniser on held-out people: runs experiments and collects their metrics in a file."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.network_metadata import INPUT_NAMES
from rehab_pose.weights import load_network
from rehab_pose_lab.benchmarks.movement_quality import movement_metrics
from rehab_pose_lab.benchmarks.recognition_few_shot import EmbeddingNetwork, few_shot_metrics
from rehab_pose_lab.benchmarks.recognition_summary import calibration_of_folds, read_results, summary
from rehab_pose_lab.datasets.location import data_folder
from rehab_pose_lab.training.exercise_clips import load_clips
from rehab_pose_lab.training.exercise_experiments import (
    FEW_SHOT,
    ExperimentContext,
    experiments_of,
    export_final_weights,
    measure_delays,
    run_experiment,
    subjects_of,
)
from rehab_pose_lab.training.exercise_fit import TrainingPlan

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_lab.training.exercise_experiments import Experiment

__all__ = ["run_experiments", "stored_metrics"]

SEED = 7
FEW_SHOT_FILE = "few_shot.json"
"""File of a few-shot experiment's metrics."""
MOVEMENTS, FUSION = "movements.json", "fusion/fusion.json"
"""Files in the output folder: metrics of repetitions and quality, and those that `rehab-pose-lab evaluate fusion` wrote
with `-o OUTPUT/fusion`; both become part of the results."""


def stored_metrics(results: Path) -> dict[str, Any]:
    """Return the metrics in a file that `run_experiments` wrote.

    Raises:
        RecordingError: The file does not exist.
    """
    if not results.is_file():
        msg = f"expected metrics in {results}, found no file; make them with `scripts/bench recognition --run`"
        raise RecordingError(msg)
    metrics: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"))
    return metrics


def run_experiments(output: Path, results: Path, prefix: str = "") -> None:
    """Run every experiment without a result, and write the file of metrics after each.

    Args:
        output: Folder of checkpoints and results of the experiments; an interrupted run resumes from it.
        results: JSON file of the metrics.
        prefix: Only experiments whose names begin with this are run.

    Raises:
        RecordingError: A data set is missing or unusable.
    """
    clips = load_clips(data_folder())
    context = ExperimentContext(output, TrainingPlan(seed=SEED))
    experiments = [experiment for experiment in experiments_of(clips, SEED) if experiment.name.startswith(prefix)]
    counts = {name: sum(clip.dataset == name for clip in clips) for name in sorted({clip.dataset for clip in clips})}
    with tqdm(experiments, desc="experiments") as bar:
        for experiment in bar:
            bar.set_postfix_str(experiment.name)
            run_experiment(experiment, context)
            _write(output, results, counts)
    for experiment in experiments:
        measure_delays(experiment, context)
        if experiment.name.startswith(FEW_SHOT):
            _measure_few_shot(experiment, context, clips)
    if not prefix and not (output / MOVEMENTS).is_file():
        metrics = movement_metrics(data_folder(), seed=SEED)
        (output / MOVEMENTS).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    _write(output, results, counts)
    calibration = calibration_of_folds(read_results(output))
    if calibration is not None:
        export_final_weights(context, calibration, subjects_of(clips))


def _measure_few_shot(experiment: Experiment, context: ExperimentContext, clips: list[Clip]) -> None:
    """Add movements to a fold's network that it was not trained on, and write few_shot.json, unless it exists."""
    folder = context.output / experiment.name
    if (folder / FEW_SHOT_FILE).is_file():
        return
    session = load_network(folder / "weights.onnx", INPUT_NAMES).session

    def embed(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(session.run(["embedding"], {"features": features, "present": present})[0], dtype=np.float32)

    network = EmbeddingNetwork.of(embed, experiment.training)
    added = [clip for clip in clips if clip.dataset == "ui_prmd" and clip.group == "correct"]
    others = [clip for clip in experiment.testing if clip.dataset != "ui_prmd"]
    metrics = few_shot_metrics(network, added, others)
    (folder / FEW_SHOT_FILE).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")


def _few_shot(output: Path) -> dict[str, float]:
    """Return the means over folds of the few-shot metrics; empty where none is measured."""
    files = sorted(output.glob(f"{FEW_SHOT}*/{FEW_SHOT_FILE}"))
    folds = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return {name: round(float(np.mean([fold[name] for fold in folds])), 4) for name in (folds[0] if folds else ())}


def _write(output: Path, results: Path, counts: dict[str, int]) -> None:
    """Write the metrics of all finished experiments, and their data, seed and commit."""
    finished = read_results(output)
    metrics: dict[str, Any] = summary(finished) | _few_shot(output)
    if (output / MOVEMENTS).is_file():
        metrics |= json.loads((output / MOVEMENTS).read_text(encoding="utf-8"))
    if (output / FUSION).is_file():
        variants = json.loads((output / FUSION).read_text(encoding="utf-8"))["variants"]
        metrics["fusion_window_acc"] = {name: round(entry["window_acc"], 4) for name, entry in variants.items()}
    metrics |= {
        "seed": SEED,
        "commit": _commit(),
        "date": datetime.now(tz=timezone.utc).date().isoformat(),
        "recordings": counts,
        "trainings": sorted(finished),
    }
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")


def _commit() -> str:
    """Return the checked-out commit, with a plus where files differ from it; empty outside a git repository."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],  # noqa: S607  (found by PATH)
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
