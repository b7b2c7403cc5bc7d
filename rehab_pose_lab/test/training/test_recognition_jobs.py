"""The trainings behind the recogniser's figures: nobody on both sides, nothing done twice, every figure reported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.cli.main import main
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.clip import Clip

torch = pytest.importorskip("torch", reason="training needs torch")

from rehab_pose_lab.training import recognition_jobs  # noqa: E402
from rehab_pose_lab.training.exercise_fit import TrainingPlan  # noqa: E402
from rehab_pose_lab.training.exercise_network import NetworkSettings  # noqa: E402  (needs torch)
from rehab_pose_lab.training.recognition_jobs import FOLDS, Job, Workshop, jobs_of, time_job, train_job  # noqa: E402
from rehab_pose_lab.training.recognition_summary import calibration_of_folds, read_results, summary  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

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
    """Return somebody whose joints swing by half a metre."""
    times_s = np.arange(0.0, SECONDS, 1.0 / RATE_HZ)
    posture = rng.normal((0.0, 0.0, 2.5), 0.3, (24, 3))
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
        positions_m=(posture + swing).astype(np.float32),
        confidence=np.ones((len(times_s), 24), dtype=np.float32),
    )


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    rng = np.random.default_rng(0)
    kinds = [(name, label) for name, labels in MOVES.items() for label in labels]
    return [clip_of(name, subject, label, rng) for name, label in kinds for subject in range(10)]


def test_nobody_is_on_both_sides_of_any_training(clips: list[Clip]) -> None:
    jobs = jobs_of(clips, 7)
    assert len({job.name for job in jobs}) == len(jobs) == FOLDS + 3 + 30
    for job in jobs:
        sides = [{(clip.dataset, clip.subject) for clip in side} for side in (job.training, job.testing)]
        assert not sides[0] & sides[1], job.name
    folds = [job for job in jobs if job.name.startswith("kimore_fold")]
    tested = [clip.name for job in folds for clip in job.testing]
    assert sorted(tested) == sorted(clip.name for clip in clips)  # everybody once
    across = next(job for job in jobs if job.name == "cross_squat")
    assert {clip.dataset for clip in across.training} == {"kimore", "utkinect", "irds"}
    controls = next(job for job in jobs if job.name == "kimore_controls")
    assert {clip.group for clip in controls.testing} == {"GPP/Stroke"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_figures_come_out_of_every_kind_of_training(
    clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognition_jobs, "forest_judgements", lambda *_: None)
    wanted = {"kimore_fold0", "kimore_fold1", "kimore_controls", "cross_squat", "utkinect_s0", "ui_prmd_s0", "mars_s0"}
    workshop = Workshop(tmp_path, TINY)
    for job in jobs_of(clips, 7):
        if job.name in wanted:
            train_job(job, workshop)
            time_job(job, workshop)
    results = read_results(tmp_path)
    assert set(results) == wanted
    figures = summary(results)
    assert figures["kimore_folds_done"] == 2
    assert figures["kimore_n_recordings"] == 20
    for name in (
        *("kimore_recording_acc", "kimore_recording_acc_clean", "kimore_window_acc", "kimore_streaming_acc"),
        *("kimore_controls_to_patients_acc", "kimore_controls_to_patients_window_acc", "utkinect_acc", "ui_prmd_acc"),
        *("mars_acc", "cross_squat_acc", "ece"),
    ):
        assert 0.0 <= figures[name] <= 1.0, name
    assert 0.0 <= figures["none_false_pct"] <= 100.0
    found = calibration_of_folds(results)
    assert found is not None
    assert found.temperature > 0.0
    assert json.loads(json.dumps(figures)) == figures


def test_what_is_done_is_not_done_again(clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition_jobs, "forest_judgements", lambda *_: None)
    job = next(job for job in jobs_of(clips, 7) if job.name == "mars_s1")
    train_job(job, Workshop(tmp_path, TINY))
    before = read_results(tmp_path)["mars_s1"]["windows"]

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(recognition_jobs, "fit", refuse)
    train_job(Job(job.name, [], [], job.labels, live=False), Workshop(tmp_path, TINY))
    np.testing.assert_array_equal(read_results(tmp_path)["mars_s1"]["windows"], before)


def test_figures_are_printed_and_missing_ones_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "recognition.json"
    assert main(["bench", "recognition", "--json", "--results", str(path)]) == 2
    assert "--run" in capsys.readouterr().err
    path.write_text(json.dumps({"kimore_window_acc": 0.5, "forest_kimore_window_acc": 0.25, "seed": 7}))
    assert main(["bench", "recognition", "--json", "--results", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["kimore_window_acc"] == 0.5
    assert main(["bench", "recognition", "--results", str(path)]) == 0
    assert "0.2500" in capsys.readouterr().out
