"""Clinical scores: symmetric features, separate folds, files, and regression trees."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.window_features import FEATURE_JOINTS, SMPL_INDICES
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.methods.exercise.clinical_scores import (
    SHIPPED_SCORES,
    features_of_recording,
    load_score_model,
)
from rehab_pose_lab.methods.exercise.recording_features import (
    CURVES,
    LATERAL_CURVES,
    body_curves,
    even_positions,
    mirrored,
)
from rehab_pose_lab.training.clinical_blend import cross_validated, fit_scores
from rehab_pose_lab.training.clinical_scores import ScoreTable, score_folds
from rehab_pose_lab.training.extra_trees import extra_trees_predict, grow_trees
from rehab_pose_lab.training.metrics import balanced_accuracy, rank_correlation, roc_auc
from rehab_pose_lab.training.quality import with_errors, write_score_model
from rehab_pose_lab.training.repetition_sets import SetPlan, render_set

if TYPE_CHECKING:
    from pathlib import Path

RAW = 1500
FOLDS = 3
TREES = 4
"""Trees that are grown in these tests: the drawn features are linear."""


def drawn_table(seed: int, people: int = 40) -> ScoreTable:
    """Return features that hold the score in some columns and noise in the others."""
    random = np.random.default_rng(seed)
    skill = random.normal(size=(people, 1)) + 0.4 * random.normal(size=(people, 5))
    raw = random.normal(size=(people, 5, RAW))
    raw[..., :60] += skill[..., None]
    total = np.clip(35.0 + 8.0 * skill, 0.0, 50.0)
    scores = np.stack([total, 0.3 * total, 0.7 * total], axis=-1)
    groups = ("CG/Expert",) * (people // 2) + ("GPP/Stroke",) * (people - people // 2)
    return ScoreTable(tuple(f"S{number}" for number in range(people)), groups, raw, scores)


def test_scores_that_depend_on_the_features_are_predicted() -> None:
    table = drawn_table(1)
    held_out = cross_validated(table, score_folds(table.subjects, FOLDS, 3), TREES)
    for column in range(5):
        assert rank_correlation(held_out.scores[1, :, column, 0], table.scores[:, column, 0]) > 0.7
    good = table.scores[..., 0] >= 30.0
    assert ((held_out.probability[1] >= 0.5) == good).mean() > 0.8
    assert balanced_accuracy(held_out.correct[1].ravel() > 0.5, good.ravel()) > 0.75


def test_scores_of_test_subjects_do_not_change_their_predictions() -> None:
    table = drawn_table(2)
    folds = score_folds(table.subjects, FOLDS, 3)
    first = cross_validated(table, folds, TREES)
    changed = table.scores.copy()
    changed[folds == 2] = 0.0
    second = cross_validated(replace(table, scores=changed), folds, TREES)
    for name in ("scores", "probability", "correct"):
        one, other = getattr(first, name), getattr(second, name)
        np.testing.assert_array_equal(one[:, folds == 2], other[:, folds == 2])
        assert np.abs(one[:, folds == 1] - other[:, folds == 1]).max() > 0.01


def test_missing_exercises_and_scores_are_accepted() -> None:
    table = drawn_table(3)
    raw, scores = table.raw.copy(), table.scores.copy()
    raw[3, 1] = raw[5] = np.nan
    scores[7] = np.nan
    predicted = cross_validated(
        replace(table, raw=raw, scores=scores), score_folds(table.subjects, FOLDS, 3), TREES
    ).scores
    assert np.isnan(predicted[:, 3, 1]).all()
    assert np.isnan(predicted[:, 5]).all()
    assert np.isfinite(predicted[:, 7]).all()
    assert np.isfinite(predicted[:, 3, 0]).all()


def test_a_written_model_gives_the_same_scores(tmp_path: Path) -> None:
    table = drawn_table(4)
    held_out = cross_validated(table, score_folds(table.subjects, FOLDS, 3), TREES)
    model = with_errors(fit_scores(table, np.ones(40, dtype=np.bool_), TREES), table, held_out)
    write_score_model(tmp_path / "scores.npz", model)
    raw = {label: table.raw[0, place] for place, label in enumerate(EXERCISES)}
    loaded = load_score_model(tmp_path / "scores.npz").predict(raw)
    for label, score in model.predict(raw).items():
        np.testing.assert_allclose(loaded[label].values, score.values, atol=0.05)
        assert (score.deviations > 0.0).all()
        assert score.with_session
        assert loaded[label].correct == score.correct
    assert not model.predict({"squat": raw["squat"]})["squat"].with_session


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "scores.npz", single=np.zeros(3))
    with pytest.raises(ModelFileError, match="train quality"):
        load_score_model(tmp_path / "scores.npz")


def test_mirroring_twice_gives_the_original() -> None:
    curves = np.random.default_rng(0).normal(size=(20, len(CURVES)))
    np.testing.assert_array_equal(mirrored(mirrored(curves)), curves)
    assert set(LATERAL_CURVES) < set(CURVES)


def test_mirrored_curves_are_those_of_mirrored_positions() -> None:
    frames, _ = render_set(
        SetPlan(
            "lateral_trunk_tilt",
            *(2.6, 2, 0.9, 0.3, 4, 0.2, 30.0, 0.2),
            pauses=False,
            partial=False,
            joints_go_missing=False,
            seed=3,
        )
    )
    positions_m = np.array([joints.positions_m for joints in frames])[:, SMPL_INDICES]
    swapped = [
        FEATURE_JOINTS.index(name.replace("left", "right") if "left" in name else name.replace("right", "left"))
        for name in FEATURE_JOINTS
    ]
    reflected = positions_m[:, swapped] * [-1.0, 1.0, 1.0]
    np.testing.assert_allclose(body_curves(reflected), mirrored(body_curves(positions_m)), atol=1e-9)


def test_features_do_not_depend_on_the_pose_of_the_camera() -> None:
    frames, _ = render_set(
        SetPlan(
            "squat", 2.6, 2, 0.9, 0.1, 4, 0.2, 30.0, 0.2, pauses=False, partial=False, joints_go_missing=False, seed=3
        )
    )
    stamps_ns = np.array([joints.stamp_ns for joints in frames])
    positions_m = np.array([joints.positions_m for joints in frames])
    tilt = np.deg2rad(12.0)
    rotation = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    level = features_of_recording("squat", stamps_ns, positions_m)
    tilted = features_of_recording("squat", stamps_ns, positions_m @ rotation.T + [0.3, 0.1, 0.5])
    np.testing.assert_allclose(tilted, level, atol=2e-3)  # medians are taken by component
    score = load_score_model().predict({"squat": level})["squat"]
    other = load_score_model().predict({"squat": tilted})["squat"]
    np.testing.assert_allclose(other.values, score.values, atol=0.1)
    assert other.correct_probability == pytest.approx(score.correct_probability, abs=0.01)


def test_gaps_are_interpolated() -> None:
    stamps_ns = np.arange(90, dtype=np.int64) * 33_333_333
    positions_m = np.zeros((90, 16, 3)) + np.sin(np.arange(90) / 20.0)[:, None, None]
    gappy = positions_m.copy()
    gappy[40:43, 2] = np.nan
    assert np.abs(even_positions(stamps_ns, gappy) - even_positions(stamps_ns, positions_m)).max() < 0.01
    assert body_curves(even_positions(stamps_ns, gappy)).shape[1] == len(CURVES)


def test_the_shipped_weights_are_small_and_have_small_errors() -> None:
    assert SHIPPED_SCORES.stat().st_size < 1_000_000
    assert (load_score_model().error[:, :, 0] < 10.0).all()


def test_trees_learn_a_step_function_and_repeat_with_the_same_seed() -> None:
    random = np.random.default_rng(1)
    features = random.normal(size=(200, 10))
    targets = np.where(features[:, 3] > 0.2, 1.0, -1.0)
    queries = random.normal(size=(100, 10))
    predicted = extra_trees_predict(features, targets, queries, seed=1, trees=50, feature_fraction=0.5)
    assert roc_auc(predicted, queries[:, 3] > 0.2) > 0.97
    np.testing.assert_array_equal(
        predicted, extra_trees_predict(features, targets, queries, seed=1, trees=50, feature_fraction=0.5)
    )


def test_stored_trees_give_the_leaf_of_each_sample() -> None:
    random = np.random.default_rng(2)
    features, targets = random.normal(size=(60, 5)), random.normal(size=60)
    trees = grow_trees(features, targets, seed=3, trees=7, min_leaf=1, feature_fraction=1.0)
    np.testing.assert_allclose(trees.predict(features), targets, err_msg="with one sample a leaf they are remembered")
    one = grow_trees(features, np.full(60, 2.5), seed=3, trees=2)
    np.testing.assert_array_equal(one.predict(features), np.full(60, 2.5))
    assert len(one.value) == 2, "nothing to split"


def test_rank_correlation_and_auc_equal_values_computed_by_hand() -> None:
    assert rank_correlation(np.array([1.0, 2.0, 2.0, 9.0]), np.array([0.0, 5.0, 5.0, 6.0])) == pytest.approx(1.0)
    assert rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])) == pytest.approx(-1.0)
    assert roc_auc(np.array([3.0, 1.0, 2.0, 2.0]), np.array([True, False, True, False])) == pytest.approx(0.875)


@pytest.mark.slow
def test_the_shipped_scores_of_healthy_people_are_higher_than_those_of_patients(shared_data: Path) -> None:
    """On training subjects: a test of the whole path, not of its accuracy."""
    clips = [clip for clip in load_kimore(shared_data / "kimore") if clip.label == "squat"]
    totals: dict[str, list[float]] = {"CG": [], "GP": []}
    model = load_score_model()
    for clip in clips[::3]:
        raw = features_of_recording("squat", clip.stamps_ns, clip.positions_m)
        totals[clip.group[:2]].append(model.predict({"squat": raw})["squat"].values[0])
    assert np.median(totals["CG"]) > np.median(totals["GP"]) + 4.0
