"""Quality tells healthy repetitions from others, and says in words what is different."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.quality import judge_measures, load_norms
from rehab_pose.exercise.quality_measures import MEASURES, repetition_measures
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.training.repetition_norms import clip_repetitions, healthy_norms, write_norms

if TYPE_CHECKING:
    from pathlib import Path

TORSO_M = 0.5


def usual(label: str) -> dict[str, float]:
    return {name: norm.median for name, norm in load_norms()[label].items()}


@pytest.mark.parametrize("label", EXERCISES)
def test_the_usual_repetition_is_perfect(label: str) -> None:
    judgement = judge_measures(load_norms()[label], 1, usual(label), TORSO_M)
    assert judgement.quality == pytest.approx(1.0)
    assert judgement.reasons == ()


def test_the_reason_names_joint_degrees_and_repetition() -> None:
    measures = usual("squat")
    measures["left_knee"] -= np.radians(60.0)
    judgement = judge_measures(load_norms()["squat"], 3, measures, TORSO_M)
    assert judgement.reasons == ("repetition 3: left knee bends 60 degrees less than usual",)
    assert judgement.quality < 0.95


def test_lengths_are_told_in_centimetres_and_time_in_seconds() -> None:
    measures = usual("squat")
    measures["pelvis_drop"] -= 0.4
    measures["duration"] += 9.0
    reasons = judge_measures(load_norms()["squat"], 1, measures, TORSO_M).reasons
    assert "repetition 1: pelvis goes up and down 20 cm less than usual" in reasons
    assert "repetition 1: repetition takes 9.0 s longer than usual" in reasons


def test_worse_is_lower() -> None:
    norms, qualities = load_norms()["arm_lifting"], []
    for degrees in (0.0, 40.0, 80.0):
        measures = usual("arm_lifting")
        for name in ("left_arm", "left_arm_range", "arms_uneven"):
            measures[name] += np.radians(degrees) * (1 if name == "arms_uneven" else -1)
        qualities.append(judge_measures(norms, 1, measures, TORSO_M).quality)
    assert qualities[0] > qualities[1] >= qualities[2]


def test_too_little_seen_is_not_judged() -> None:
    nothing = dict.fromkeys(MEASURES, float("nan"))
    assert np.isnan(judge_measures(load_norms()["squat"], 1, nothing, TORSO_M).quality)
    short = repetition_measures(np.arange(3), np.zeros((3, 16, 3)), np.eye(3))
    assert all(np.isnan(value) for value in short.values())


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "norms.json"
    path.write_text("{}")
    with pytest.raises(ModelFileError, match="train quality"):
        load_norms(path)
    norms = {label: dict(measures) for label, measures in load_norms().items()}
    del norms["squat"]["left_knee"]
    write_norms(path, norms, {})
    load_norms.cache_clear()
    with pytest.raises(ModelFileError, match="every measure"):
        load_norms(path)


@pytest.mark.slow
def test_unseen_controls_are_better_than_unseen_patients(shared_data: Path) -> None:
    """Norms from one half of the healthy subjects; the other half against the patients."""
    clips = load_kimore(shared_data / "kimore")
    controls = sorted({clip.subject for clip in clips if clip.group.startswith("CG")})
    known = set(controls[::2])
    norms = healthy_norms(clip for clip in clips if clip.subject in known)
    for label in ("arm_lifting", "squat", "lateral_trunk_tilt"):
        mean: dict[bool, list[float]] = {True: [], False: []}
        for clip in clips:
            if clip.label == label and clip.subject not in known:
                for number, measures in enumerate(clip_repetitions(clip)):
                    quality = judge_measures(norms[label], number + 1, measures, TORSO_M).quality
                    mean[clip.group.startswith("CG")].append(quality)
        assert np.nanmedian(mean[True]) > np.nanmedian(mean[False]) + 0.05, label
