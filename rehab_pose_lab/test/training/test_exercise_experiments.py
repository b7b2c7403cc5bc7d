"""Experiments of the recogniser: separate subjects, no repetition of finished ones, all metrics reported."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.cli.main import main
from rehab_pose_lab.datasets.clip import Clip

torch = pytest.importorskip("torch", reason="training needs torch")

from rehab_pose_lab.benchmarks import recognition_fused  # noqa: E402
from rehab_pose_lab.benchmarks.recognition_summary import calibration_of_folds, read_results, summary  # noqa: E402
from rehab_pose_lab.training import exercise_experiments  # noqa: E402
from rehab_pose_lab.training.exercise_experiments import (  # noqa: E402
    FOLDS,
    Experiment,
    ExperimentContext,
    experiments_of,
    measure_delays,
    run_experiment,
)
from rehab_pose_lab.training.exercise_fit import TrainingPlan  # noqa: E402
from rehab_pose_lab.training.exercise_network import NetworkSettings  # noqa: E402  (needs torch)

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose_lab.benchmarks.recognition_summary import Result

MOVES = {
    "kimore": EXERCISES,
    "utkinect": ("walk", "sitDown", "waveHands"),
    "ui_prmd": ("deep_squat", "hurdle_step"),
    "mars": ("squat", "left_front_lunge"),
    "irds": ("left_side_tap",),
}
GROUPS = {"kimore": ("CG/Expert", "GPP/Stroke"), "ui_prmd": ("correct",)}
SECONDS, RATE_HZ = 5.0, 15.0
TINY = TrainingPlan(
    epochs=1, steps_per_epoch=2, batch=16, network=NetworkSettings(width=16, heads=2, layers=1, hidden=16, statistics=2)
)


def clip_of(dataset: str, subject: int, label: str, rng: np.random.Generator) -> Clip:
    """Return a clip with joints that oscillate by about 0.3 m."""
    times_s = np.arange(0.0, SECONDS, 1.0 / RATE_HZ)
    pose = rng.normal((0.0, 0.0, 2.5), 0.3, (24, 3))
    swing = np.sin(2.0 * times_s)[:, None, None] * rng.normal(0.0, 0.3, (24, 3))
    groups = GROUPS.get(dataset, ("",))
    return Clip(
        name=f"{dataset}_{subject}_{label}",
        dataset=dataset,
        subject=f"s{subject}",
        group=groups[subject % len(groups)],
        label=label,
        stamps_ns=(times_s * 1e9).astype(np.int64),
        skeleton=SMPL_24,
        positions_m=(pose + swing).astype(np.float32),
        confidence=np.ones((len(times_s), 24), dtype=np.float32),
    )


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    rng = np.random.default_rng(0)
    kinds = [(name, label) for name, labels in MOVES.items() for label in labels]
    return [clip_of(name, subject, label, rng) for name, label in kinds for subject in range(10)]


def test_no_subject_is_trained_on_and_tested_in_an_experiment(clips: list[Clip]) -> None:
    experiments = experiments_of(clips, 7)
    assert len({experiment.name for experiment in experiments}) == len(experiments) == 2 * FOLDS + 3 + 30
    for experiment in experiments:
        sides = [{(clip.dataset, clip.subject) for clip in side} for side in (experiment.training, experiment.testing)]
        assert not sides[0] & sides[1], experiment.name
    folds = [experiment for experiment in experiments if experiment.name.startswith("kimore_fold")]
    tested = [clip.name for experiment in folds for clip in experiment.testing]
    assert sorted(tested) == sorted(clip.name for clip in clips)  # every clip once
    across = next(experiment for experiment in experiments if experiment.name == "cross_squat")
    assert {clip.dataset for clip in across.training} == {"kimore", "utkinect", "irds"}
    controls = next(experiment for experiment in experiments if experiment.name == "kimore_controls")
    assert {clip.group for clip in controls.testing} == {"GPP/Stroke"}


def recording_accuracy(results: list[Result]) -> float:
    return float(np.mean(np.concatenate([entry["recordings"].argmax(axis=1) == entry["truths"] for entry in results])))


def window_accuracy(results: list[Result]) -> float:
    correct = [entry["windows"].argmax(axis=1) == entry["truths"][entry["window_places"]] for entry in results]
    return float(np.mean(np.concatenate(correct)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_every_kind_of_experiment_gives_its_metrics(
    clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exercise_experiments, "extra_trees_predictions", lambda *_: None)
    wanted = {"kimore_fold0", "kimore_fold1", "kimore_controls", "cross_squat", "utkinect_s0", "ui_prmd_s0", "mars_s0"}
    context = ExperimentContext(tmp_path, TINY)
    for experiment in experiments_of(clips, 7):
        if experiment.name in wanted:
            run_experiment(experiment, context)
            measure_delays(experiment, context)
    results = read_results(tmp_path)
    assert set(results) == wanted
    metrics = summary(results)
    assert metrics["kimore_folds_done"] == 2
    assert metrics["kimore_n_recordings"] == 20
    folds, controls = [results["kimore_fold0"], results["kimore_fold1"]], [results["kimore_controls"]]
    assert metrics["kimore_recording_acc"] == pytest.approx(recording_accuracy(folds), abs=1e-4)
    assert metrics["kimore_recording_acc_clean"] == metrics["kimore_recording_acc"], "no clip is suspect"
    assert metrics["kimore_window_acc"] == pytest.approx(window_accuracy(folds), abs=1e-4)
    streamed_right, streamed = (sum(fold[name].sum() for fold in folds) for name in ("streamed_right", "streamed"))
    assert metrics["kimore_streaming_acc"] == pytest.approx(streamed_right / streamed, abs=1e-4)
    assert metrics["kimore_controls_to_patients_acc"] == pytest.approx(recording_accuracy(controls), abs=1e-4)
    assert metrics["kimore_controls_to_patients_window_acc"] == pytest.approx(window_accuracy(controls), abs=1e-4)
    for dataset in ("utkinect", "ui_prmd"):
        assert metrics[f"{dataset}_acc"] == pytest.approx(recording_accuracy([results[f"{dataset}_s0"]]), abs=1e-4)
    assert metrics["mars_acc"] == pytest.approx(window_accuracy([results["mars_s0"]]), abs=1e-4)
    recalls = [metrics[f"cross_squat_acc_{dataset}"] for dataset in ("ui_prmd", "mars")]
    assert metrics["cross_squat_acc"] == pytest.approx(np.mean(recalls), abs=1e-4)
    still = [fold["live_truths"] == 0 for fold in folds]
    assert metrics["none_n"] <= sum(int(rows.sum()) for rows in still)
    assert metrics["none_n_exercise"] == sum(int((~rows).sum()) for rows in still)
    calibration = calibration_of_folds(results)
    assert calibration is not None
    assert 0.25 <= calibration.temperature <= 8.0, "the range of the search"
    assert json.loads(json.dumps(metrics)) == metrics


def test_a_finished_experiment_is_not_run_again(
    clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exercise_experiments, "extra_trees_predictions", lambda *_: None)
    experiment = next(experiment for experiment in experiments_of(clips, 7) if experiment.name == "mars_s1")
    run_experiment(experiment, ExperimentContext(tmp_path, TINY))
    before = read_results(tmp_path)["mars_s1"]["windows"]

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(exercise_experiments, "fit", refuse)
    run_experiment(
        Experiment(experiment.name, [], [], experiment.labels, live=False), ExperimentContext(tmp_path, TINY)
    )
    np.testing.assert_array_equal(read_results(tmp_path)["mars_s1"]["windows"], before)


def test_stored_metrics_are_printed_and_a_missing_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Measured once for both ways of printing: it takes ten seconds or more.
    monkeypatch.setattr(recognition_fused, "fused_frame_metrics", cache(recognition_fused.fused_frame_metrics))
    path = tmp_path / "recognition.json"
    assert main(["bench", "recognition", "--json", "--results", str(path)]) == 2
    assert "--run" in capsys.readouterr().err
    path.write_text(json.dumps({"kimore_window_acc": 0.5, "forest_kimore_window_acc": 0.25, "seed": 7}))
    assert main(["bench", "recognition", "--json", "--results", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["kimore_window_acc"] == 0.5
    assert main(["bench", "recognition", "--results", str(path)]) == 0
    assert "0.2500" in capsys.readouterr().out
