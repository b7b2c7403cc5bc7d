"""Cross-validation on own recordings: labels learnt from other people, people seen in training, and their averages."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.bags.writer import BagWriter
from rehab_pose.errors import RecordingError
from rehab_pose.messages import topics
from rehab_pose.messages.joints import joints_message
from rehab_pose_lab.cli.main import main
from rehab_pose_lab.datasets.clip import clip_from_joints
from rehab_pose_lab.training.evaluation_classifier import EvaluationClassifier
from rehab_pose_lab.training.own_recordings import JudgedRecording, cross_validate, own_metrics

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_sim.stick_figure import FilmMaker


def clip_of(make_film: FilmMaker, movement: str, subject: str, label: str = "", dataset: str = "bags") -> Clip:
    """Return a recording of the stick figure; the size differs from person to person."""
    clip = clip_from_joints(
        make_film(movement, 2),
        name=f"{subject}_{label or movement}",
        dataset=dataset,
        subject=subject,
        group="",
        label=label or movement,
    )
    factor = 1.0 + 0.04 * int(subject[-1])
    return replace(clip, positions_m=(clip.positions_m * factor).astype(np.float32))


def test_an_own_label_is_learnt_from_other_people_and_a_known_one_comes_from_the_network(make_film: FilmMaker) -> None:
    clips: list[Clip] = []
    for person in ("p0", "p1"):
        squat, turn = clip_of(make_film, "squat", person), clip_of(make_film, "trunk_rotation", person, "my_turn")
        again = replace(turn, name=f"{turn.name}_2", positions_m=turn.positions_m * np.float32(1.02))
        standing = np.repeat(squat.positions_m[:1], len(squat.stamps_ns), axis=0)
        clips += [squat, turn, again, replace(squat, name=f"{person}_none", label="none", positions_m=standing)]
    judged = cross_validate(clips, EvaluationClassifier(), 5, seed=7)
    assert sorted(entry.name for entry in judged) == sorted(clip.name for clip in clips)
    assert {entry.label: entry.predicted for entry in judged} == {
        "squat": "squat",
        "my_turn": "my_turn",
        "none": "none",
    }
    metrics = own_metrics(judged, seed=7)
    assert metrics["own_recording_acc"] == 1.0
    assert (metrics["n_subjects"], metrics["n_recordings"], metrics["n_not_learnt"]) == (2, 8, 0)
    assert metrics["own_none_false_pct"] == 0.0


def test_a_label_of_one_person_is_not_learnt_and_not_judged(make_film: FilmMaker) -> None:
    clips = [clip_of(make_film, "squat", f"p{person}") for person in range(2)]
    clips.append(clip_of(make_film, "trunk_rotation", "p0", "my_turn"))
    judged = cross_validate(clips, EvaluationClassifier(), 5, seed=7)
    [alone] = [entry for entry in judged if entry.label == "my_turn"]
    assert alone.predicted == ""
    metrics = own_metrics(judged, seed=7)
    assert metrics["n_not_learnt"] == 1
    assert "own_recording_acc_my_turn" not in metrics


def test_one_person_is_refused(make_film: FilmMaker) -> None:
    with pytest.raises(RecordingError, match="at least two people"):
        cross_validate([clip_of(make_film, "squat", "p0")], EvaluationClassifier(), 5, seed=7)


def entry(subject: str, predicted: str, *, seen: bool = False, label: str = "squat") -> JudgedRecording:
    right = 8 if predicted == label else 2
    return JudgedRecording(f"{subject}_{label}", subject, label, predicted, right, 8, 10, seen)


def test_people_seen_in_training_are_counted_and_no_part_of_the_averages() -> None:
    judged = [entry("p1", "squat"), entry("p2", "none"), entry("p3", "squat", seen=True)]
    metrics = own_metrics(judged, seed=7)
    assert (metrics["own_recording_acc"], metrics["own_window_acc"]) == (0.5, 0.5)
    assert (metrics["n_subjects"], metrics["n_seen_in_training"]) == (2, 1)
    assert metrics["own_recording_acc_low"] <= 0.5 <= metrics["own_recording_acc_high"]
    with pytest.raises(RecordingError, match="not trained on"):
        own_metrics([judged[2]], seed=7)


def test_people_of_the_weights_are_marked_as_seen(make_film: FilmMaker) -> None:
    classifier = EvaluationClassifier()
    known = next(name for name in sorted(classifier.seen) if name.startswith("kimore/")).partition("/")[2]
    clips = [clip_of(make_film, "squat", "p1"), replace(clip_of(make_film, "squat", "p2"), dataset="kimore")]
    clips[1] = replace(clips[1], subject=known)
    judged = {entry.subject: entry.seen for entry in cross_validate(clips, classifier, 2, seed=7)}
    assert judged == {"p1": False, known: True}


def test_the_command_judges_a_folder_of_labelled_bags(
    make_film: FilmMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["bag,subject,group,start_s,end_s,label"]
    for person in ("p0", "p1"):
        with BagWriter(tmp_path / person) as bag:
            for joints in make_film("squat", 2):
                message = joints_message(bag.factory, joints.stamp_ns, "camera", joints)
                bag.write(topics.JOINTS, joints.stamp_ns, message)
        rows.append(f"{person},{person},patient,1.8,7.8,squat")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    arguments = ["evaluate", "own", "--root", str(tmp_path), "-o", str(tmp_path / "out"), "--json"]
    assert main(arguments) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert (metrics["own_recording_acc"], metrics["n_recordings"], metrics["own_none_false_pct"]) == (1.0, 2, None)
    lines = (tmp_path / "out" / "recordings.csv").read_text().splitlines()
    assert lines[0].startswith("name,subject,label,predicted")
    assert len(lines) == 3
    assert main([*arguments, "--folds", "1"]) == 2
    assert "--folds: expected at least 2" in capsys.readouterr().err
