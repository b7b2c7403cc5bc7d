"""The library's further exercises: simulated people are recognised, the trained exercises keep their answers, files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.catalogue import EXERCISES, LABELS, NONE
from rehab_pose.exercise.exercise_library import shipped_library
from rehab_pose.exercise.few_shot_fit import level
from rehab_pose.exercise.library_classes import SHIPPED_CLASSES, LibraryClasses
from rehab_pose.exercise.window_classifier import LEVEL_UP, WindowClassifier
from rehab_pose.exercise.window_features import SAMPLE_RATE_HZ, SMPL_INDICES, WINDOW_SAMPLES, resample
from rehab_pose_sim.exercise_recording import joint_recording
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PERSON = 9
"""Shape of a person that the classes were not made from."""


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> WindowClassifier:
    return WindowClassifier(folder=tmp_path_factory.mktemp("empty"), library=True)


def windows_m(exercise: str) -> NDArray[np.float32]:
    """Return levelled windows (N, T, J, 3) [m] of one simulated set, with noise."""
    recording = joint_recording(SimulationSettings(exercise=exercise, repetitions=2, shape_seed=PERSON, tempo=1.2))
    levelled_m = level(recording.joints_m[:, SMPL_INDICES], recording.up)
    joints_m = levelled_m + np.random.default_rng(3).normal(0.0, 0.006, levelled_m.shape)
    ends_ns = np.arange(recording.cycles_ns[0, 0] + 2_000_000_000, recording.cycles_ns[-1, 1], 500_000_000)
    times_ns = ends_ns[:, None] - np.arange(WINDOW_SAMPLES - 1, -1, -1) * round(1e9 / SAMPLE_RATE_HZ)
    windows = resample(recording.stamps_ns, joints_m.astype(np.float32), times_ns.reshape(-1))
    return windows.reshape(*times_ns.shape, -1, 3)


def mean_probabilities(classifier: WindowClassifier, exercise: str) -> NDArray[np.float64]:
    answers = np.array([classifier.classify(window, LEVEL_UP)[0] for window in windows_m(exercise)])
    return np.asarray(answers.mean(axis=0), dtype=np.float64)


def test_every_exercise_of_the_library_has_a_label_and_none_comes_first(classifier: WindowClassifier) -> None:
    assert classifier.labels[: len(LABELS)] == LABELS
    assert set(classifier.labels) == {NONE, *shipped_library().names}


@pytest.mark.parametrize("exercise", ["bird_dog", "bridge", "pelvic_tilt", "lunge", "single_leg_stance", "side_plank"])
def test_a_simulated_person_who_was_not_learnt_from_is_recognised(classifier: WindowClassifier, exercise: str) -> None:
    probabilities = mean_probabilities(classifier, exercise)
    assert probabilities.sum() == pytest.approx(1.0)
    assert classifier.labels[int(probabilities.argmax())] == exercise


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_trained_exercises_keep_their_answers(classifier: WindowClassifier, exercise: str, tmp_path: Path) -> None:
    trained = WindowClassifier(folder=tmp_path)
    with_library, alone = mean_probabilities(classifier, exercise), mean_probabilities(trained, exercise)
    np.testing.assert_allclose(with_library[: len(LABELS)], alone, atol=0.05)


def test_an_added_exercise_takes_the_place_of_the_librarys() -> None:
    classes = LibraryClasses.load()
    kept = classes.without(frozenset({"lunge"}))
    assert "lunge" not in kept.names
    assert len(kept.points) == len(kept.limits) == len(kept.names) == len(classes.names) - 1


def test_the_library_is_left_out_with_other_weights(classifier: WindowClassifier, tmp_path: Path) -> None:
    assert WindowClassifier(folder=tmp_path).labels == LABELS
    assert len(classifier.labels) > len(LABELS)


def test_classes_of_another_network_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = replace(LibraryClasses.load(), model_id="exercise-00000000")
    monkeypatch.setattr(LibraryClasses, "load", classmethod(lambda _kind, _path=SHIPPED_CLASSES: other))
    with pytest.raises(ModelFileError, match="expected the network exercise-00000000"):
        WindowClassifier(folder=tmp_path, library=True)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    classes = LibraryClasses.load()
    whole = tmp_path / "whole.npz"
    classes.save(whole)
    assert LibraryClasses.load(whole).names == classes.names
    (tmp_path / "cut.npz").write_bytes(whole.read_bytes()[:5000])
    replace(classes, limits=classes.limits[:-1]).save(tmp_path / "short.npz")
    replace(classes, limits=(float("nan"), *classes.limits[1:])).save(tmp_path / "nan.npz")
    holes = classes.background.copy()
    holes[0, 0] = np.nan
    replace(classes, background=holes).save(tmp_path / "holes.npz")
    for name in ("cut", "short", "nan", "holes", "missing"):
        with pytest.raises(ModelFileError, match="train library"):
            LibraryClasses.load(tmp_path / f"{name}.npz")
