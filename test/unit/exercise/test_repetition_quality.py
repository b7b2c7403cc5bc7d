"""Repetition quality: the value, and the reasons in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.quality_measures import MEASURES, repetition_measures
from rehab_pose.exercise.repetition_quality import (
    SHIPPED_NORMS,
    Norm,
    QualityAssessment,
    QualityAssessor,
    ReasonsOfSet,
    assess_measures,
    load_norms,
    tracking_fault,
)
from rehab_pose.exercise.window_features import FEATURE_JOINTS

if TYPE_CHECKING:
    from pathlib import Path

TORSO_M = 0.5


def usual(label: str) -> dict[str, float]:
    return {name: norm.median for name, norm in load_norms()[label].items()}


@pytest.mark.parametrize("label", EXERCISES)
def test_the_median_repetition_has_quality_one(label: str) -> None:
    assessment = assess_measures(load_norms()[label], 1, usual(label), TORSO_M)
    assert assessment.quality == pytest.approx(1.0)
    assert assessment.reasons == ()


def test_a_reason_names_repetition_joint_and_degrees() -> None:
    measures = usual("squat")
    measures["left_knee"] -= np.radians(60.0)
    assessment = assess_measures(load_norms()["squat"], 3, measures, TORSO_M)
    assert assessment.reasons == ("repetition 3: left knee bends 60 degrees less than usual",)
    assert assessment.quality < 0.95


def test_reasons_give_lengths_in_centimetres_and_times_in_seconds() -> None:
    measures = usual("squat")
    measures["pelvis_drop"] -= 0.4
    measures["duration"] += 9.0
    reasons = assess_measures(load_norms()["squat"], 1, measures, TORSO_M).reasons
    assert "repetition 1: pelvis goes up and down 20 cm less than usual" in reasons
    assert "repetition 1: repetition takes 9.0 s longer than usual" in reasons


def test_larger_deviations_have_lower_quality() -> None:
    norms, qualities = load_norms()["arm_lifting"], []
    for degrees in (0.0, 40.0, 80.0):
        measures = usual("arm_lifting")
        for name in ("left_arm", "left_arm_range", "arms_uneven"):
            measures[name] += np.radians(degrees) * (1 if name == "arms_uneven" else -1)
        qualities.append(assess_measures(norms, 1, measures, TORSO_M).quality)
    assert qualities[0] > qualities[1] >= qualities[2]


def test_with_too_few_measures_the_quality_is_nan() -> None:
    all_missing = dict.fromkeys(MEASURES, float("nan"))
    assert np.isnan(assess_measures(load_norms()["squat"], 1, all_missing, TORSO_M).quality)
    short = repetition_measures(np.arange(3), np.zeros((3, 16, 3)), np.eye(3))
    assert all(np.isnan(value) for value in short.values())


def test_a_damaged_or_incomplete_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "norms.json"
    path.write_text("{}")
    with pytest.raises(ModelFileError, match="train quality"):
        load_norms(path)
    content = json.loads(SHIPPED_NORMS.read_text())
    del content["norms"]["squat"]["left_knee"]
    path.write_text(json.dumps(content))
    load_norms.cache_clear()
    with pytest.raises(ModelFileError, match="every measure"):
        load_norms(path)


def test_the_quality_of_an_exercise_without_norms_is_withheld_with_the_reason() -> None:
    stamps_ns, positions_m = np.arange(60) * 33_000_000, np.zeros((60, len(FEATURE_JOINTS), 3))
    found = QualityAssessor().assess("lunge", 1, stamps_ns, positions_m, np.eye(3))
    assert np.isnan(found.quality)
    assert "no norms" in found.withheld


@pytest.mark.parametrize(
    ("change", "words"),
    [("rate", "frames/s"), ("gap", "out of view"), ("missing", "are missing"), ("confidence", "confidence"), ("", "")],
)
def test_the_quality_is_withheld_where_tracking_was_poor(change: str, words: str) -> None:
    stamps_ns = np.arange(60) * (200_000_000 if change == "rate" else 33_000_000)
    positions_m = np.random.default_rng(0).normal(size=(60, len(FEATURE_JOINTS), 3))
    if change == "gap":
        positions_m[20:45] = np.nan
    elif change == "missing":
        positions_m[:, :6] = np.nan
    confidence = np.full((60, len(FEATURE_JOINTS)), 0.1 if change == "confidence" else 0.9)
    fault = tracking_fault(stamps_ns, positions_m, confidence)
    assert words in fault
    assert bool(fault) == bool(change)


def test_every_reason_is_said_once_a_set() -> None:
    said = ReasonsOfSet()
    first = QualityAssessment(0.4, ("repetition 1: a", "repetition 1: b"), unusual=("left_knee less", "duration more"))
    second = QualityAssessment(
        0.4, ("repetition 2: a", "repetition 2: c"), unusual=("left_knee less", "right_arm less")
    )
    assert said.first_said(first) == ("repetition 1: a", "repetition 1: b")
    assert said.first_said(second) == ("repetition 2: c",)
    assert said.first_said(second) == ()
    assert ReasonsOfSet().first_said(second) == second.reasons, "another set names them again"


def test_the_interval_contains_the_quality_and_is_wider_where_measures_contradict_each_other() -> None:
    norms = {name: Norm(0.0, 1.0) for name in MEASURES}
    even = assess_measures(norms, 1, dict.fromkeys(MEASURES, 2.0), 0.5)
    uneven = assess_measures(norms, 1, {name: 4.0 * (place % 2) for place, name in enumerate(MEASURES)}, 0.5)
    for found in (even, uneven):
        assert found.interval[0] <= found.quality <= found.interval[1]
    assert even.interval[1] - even.interval[0] < 1e-9
    assert uneven.interval[1] - uneven.interval[0] > 0.05
