"""`rehab-pose-lab evaluate quality`: clinical scores of recordings with and without ratings."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose_lab.cli.main import main
from rehab_pose_lab.datasets.clip import Clip, clip_from_joints
from rehab_pose_lab.methods.exercise.clinical_scores import load_score_model
from rehab_pose_lab.training.clinical_evaluation import agreement, score_recordings, write_scores
from rehab_pose_lab.training.repetition_sets import SetPlan, render_set

if TYPE_CHECKING:
    from pathlib import Path

EXERCISES = ("squat", "trunk_rotation")


def recorded(subject: str, label: str, seed: int) -> Clip:
    rest = {"pauses": False, "partial": False, "joints_go_missing": False}
    frames, _ = render_set(SetPlan(label, 2.6, 3, 0.9, 0.1, 4, 0.2, 30.0, 0.2, seed=seed, **rest))
    return clip_from_joints(frames, name=f"{subject}_{label}", dataset="test", subject=subject, label=label)


def test_the_agreement_with_known_ratings_is_correct(tmp_path: Path) -> None:
    clips = [recorded(f"S{number}", label, number) for number in range(4) for label in EXERCISES]
    model = load_score_model()
    unrated = score_recordings(clips, model, {})
    assert [(entry.subject, entry.label) for entry in unrated[:2]] == [("S0", "squat"), ("S0", "trunk_rotation")]
    assert all(entry.predicted.with_session for entry in unrated)
    assert np.isnan(agreement(unrated)["ts_mae"])
    # Ratings that are three points above the predictions.
    raters = {
        f"S{number}": (
            "CG",
            np.tile(next(e for e in unrated if e.subject == f"S{number}").predicted.values + 3.0, (5, 1)),
        )
        for number in range(4)
    }
    squats = [entry for entry in score_recordings(clips, model, raters) if entry.label == "squat"]
    metrics = agreement(squats)
    assert metrics["ts_mae"] == pytest.approx(3.0)
    assert metrics["ts_spearman"] == pytest.approx(1.0)
    assert (metrics["n_rated"], metrics["n_subjects"]) == (4.0, 4.0)
    write_scores(tmp_path / "scores.csv", [*unrated[:1], *squats[:1]])
    with (tmp_path / "scores.csv").open(encoding="utf-8") as lines:
        first, second = csv.DictReader(lines)
    assert first["total_raters"] == ""
    assert float(second["total_raters"]) == pytest.approx(float(second["total"]) + 3.0, abs=0.011)


@pytest.mark.slow
def test_the_command_scores_the_recordings_of_a_folder(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = str(shared_data / "kimore")
    assert main(["evaluate", "quality", "--root", root, "--json", "-o", str(tmp_path)]) == 0
    metrics = json.loads(capsys.readouterr().out)
    # The shipped scores were learnt from all of them: each is scored, and none is part of the agreement.
    assert (metrics["n_seen_in_training"], metrics["n_rated"]) == (62, 0)
    assert metrics["ts_spearman"] is None
    with (tmp_path / "scores.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) > 300
    assert {row["correct"] for row in rows} == {"0", "1"}


def test_a_folder_without_recordings_is_refused_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "quality", "--root", str(tmp_path)]) == 2
    assert "kimore" in capsys.readouterr().err
