"""Exercises added from a few recordings: recognition of the same movement, rejection of others, files, and signals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.datatypes import Joints, JointVisibility
from rehab_pose.errors import InputError, ModelFileError
from rehab_pose.exercise.catalogue import UNLISTED_ID, label_id
from rehab_pose.exercise.definition import definition_text
from rehab_pose.exercise.exercise_library import shipped_library
from rehab_pose.exercise.few_shot import STILL, FewShotHead, FewShotSpace, load_added
from rehab_pose.exercise.few_shot_fit import Recording, learn, leave_one_out, level
from rehab_pose.exercise.few_shot_signal import find_signal, signal_picture
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.window_classifier import WindowClassifier
from rehab_pose.exercise.window_features import (
    FEATURE_INDEX,
    FEATURE_JOINTS,
    SAMPLE_RATE_HZ,
    SMPL_INDICES,
    WINDOW_SAMPLES,
)
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE_HZ = 15.0
STANDING_M = {
    "pelvis": (0, 0.95),
    "spine2": (0, 1.2),
    "neck": (0, 1.5),
    "head": (0, 1.65),
    "left_hip": (0.1, 0.9),
    "left_knee": (0.1, 0.5),
    "left_ankle": (0.1, 0.08),
    "left_shoulder": (0.18, 1.42),
    "left_elbow": (0.2, 1.15),
    "left_wrist": (0.2, 0.9),
}


def standing_m(size: float) -> NDArray[np.float64]:
    """Return FEATURE_JOINTS (J, 3) [m] of a person who faces the camera at 2.5 m, in the optical frame."""
    points = np.zeros((len(FEATURE_JOINTS), 3))
    for name, index in FEATURE_INDEX.items():
        side, height = STANDING_M[name.replace("right", "left")]
        points[index] = (-side if "right" in name else side, -height, 0.0)
    return points * size + [0.0, 1.0, 2.5]


def recording(kind: str, person: int, seconds: float = 9.0) -> Recording:
    """Return a recording of one leg that is raised forward (`march`), of a bow, or of standing."""
    rng = np.random.default_rng([person, len(kind)])
    times_s = np.arange(0.0, seconds, 1.0 / RATE_HZ)
    period_s = rng.uniform(1.8, 2.4)
    phase = 0.5 - 0.5 * np.cos(2.0 * np.pi * times_s / period_s)
    points = np.repeat(standing_m(rng.uniform(0.9, 1.1))[None], len(times_s), axis=0)
    if kind == "march":
        points[:, FEATURE_INDEX["left_knee"]] += phase[:, None] * [0.0, -0.35, -0.4]
        points[:, FEATURE_INDEX["left_ankle"]] += phase[:, None] * [0.0, -0.35, -0.2]
    elif kind == "bow":
        upper = [FEATURE_INDEX[name] for name in FEATURE_JOINTS if name.split("_")[-1] in UPPER]
        depth = points[:, upper, 1] - points[:, :1, 1]
        points[:, upper, 2] += 0.7 * phase[:, None] * depth
        points[:, upper, 1] -= 0.25 * phase[:, None] * depth
    points += rng.normal(0.0, 0.004, points.shape)
    stamps_ns = np.rint(times_s * 1e9).astype(np.int64)
    return Recording(f"p{person}/{kind}", f"p{person}", stamps_ns, points.astype(np.float32))


UPPER = frozenset({"spine2", "neck", "head", "shoulder", "elbow", "wrist"})


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> WindowClassifier:
    return WindowClassifier(folder=tmp_path_factory.mktemp("empty"))


def last_window(of: Recording) -> NDArray[np.float32]:
    """Return the last window (T, J, 3) [m] of a recording at RATE_HZ."""
    times_s = of.duration_s - np.arange(WINDOW_SAMPLES - 1, -1, -1) / SAMPLE_RATE_HZ
    return np.asarray(of.positions_m[np.rint(times_s * RATE_HZ).astype(int)])


def test_a_movement_of_other_people_is_recognised_and_other_movements_are_not(
    classifier: WindowClassifier, tmp_path: Path
) -> None:
    march = learn("march", [recording("march", person) for person in (1, 2, 3)], classifier)
    assert leave_one_out(march, [], classifier).right == 3
    march.save(tmp_path / "march.npz")
    extended = WindowClassifier(folder=tmp_path)
    assert extended.labels == (*classifier.labels, "march")
    up = np.array([0.0, -1.0, 0.0])
    for person in (11, 12, 13):
        probabilities, _ = extended.classify(last_window(recording("march", person)), up)
        assert extended.labels[int(probabilities.argmax())] == "march"
        assert probabilities.sum() == pytest.approx(1.0)
        for other in ("bow", "stand"):
            probabilities, _ = extended.classify(last_window(recording(other, person)), up)
            assert probabilities[-1] < 0.1


def test_the_recogniser_names_and_counts_an_added_exercise(classifier: WindowClassifier, tmp_path: Path) -> None:
    recordings = [recording("march", person) for person in (1, 2, 3)]
    learn("march", recordings, classifier).save(tmp_path / "march.npz")
    found = find_signal(recordings)
    base = shipped_library().definition("squat")
    definition = replace(base, name="march", signal=found.signal, sides=found.sides)
    (tmp_path / "march.yaml").write_text(definition_text(definition), encoding="utf-8")
    recogniser = ExerciseRecogniser(ExerciseSettings(library_path=str(tmp_path)))
    shown = recording("march", 12, seconds=14.0)
    labels, repetitions = [], []
    for stamp_ns, points_m in zip(shown.stamps_ns.tolist(), shown.positions_m, strict=True):
        positions_m = np.full((len(SMPL_24), 3), np.nan)
        positions_m[SMPL_INDICES] = points_m
        known = np.isfinite(positions_m).all(axis=1)
        joints = Joints(
            stamp_ns=stamp_ns,
            frame_id="camera",
            skeleton=SMPL_24,
            positions_m=positions_m,
            confidence=known.astype(np.float64),
            sigma_m=np.full(len(SMPL_24), 0.01),
            visibility=np.where(known, JointVisibility.OBSERVED, JointVisibility.MISSING).astype(np.uint8),
        )
        update = recogniser.recognise(stamp_ns, "camera", joints)
        labels.append(update.classification.label)
        repetitions += [] if update.repetition is None else [update.repetition]
    assert labels.count("march") > 0.7 * len(labels)
    assert len(repetitions) >= 4
    assert {repetition.label for repetition in repetitions} == {"march"}
    assert label_id("march") == UNLISTED_ID
    assert label_id("squat") == 5


def test_added_exercises_keep_the_order_of_the_trained_labels(classifier: WindowClassifier) -> None:
    space = FewShotSpace(
        centre=np.zeros(2, dtype=np.float32),
        projection=np.eye(2, dtype=np.float32),
        background=np.array([[0.0, 0.0]], dtype=np.float32),
        movements=("kimore/squat",),
        model_id="m",
    )
    far = np.array([[40.0, 0.0], [41.0, 0.0]])
    head = FewShotHead(space, [("a", far, 5.0), ("b", -far, 5.0)])
    found = head.probabilities(np.array([[40.0, 0.0], [-40.0, 0.0], [0.0, 0.0], [55.0, 0.0]]))
    np.testing.assert_array_equal(found.argmax(axis=1), [1, 2, 0, 0])
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert classifier.labels[0] == "none"


def test_a_movement_taught_as_none_gets_the_users_name() -> None:
    space = FewShotSpace(
        centre=np.zeros(2, dtype=np.float32),
        projection=np.eye(2, dtype=np.float32),
        background=np.array([[10.0, 0.0], [0.0, 0.0], [0.0, 10.0]], dtype=np.float32),
        movements=("set/lunge", "set/walk", "kimore/squat"),
        model_id="m",
    )
    assert space.resembled(np.array([[10.0, 0.5]] * 3)) == ("set/lunge",)
    assert space.resembled(np.array([[0.5, 10.0]] * 3)) == ()
    head = FewShotHead(space, [("own", np.array([[10.0, 1.0], [10.0, -1.0]]), 9.0)])
    assert head.probabilities(np.array([[10.0, 0.0]]))[0, 1] > 0.9


def test_damaged_and_foreign_files_are_refused(classifier: WindowClassifier, tmp_path: Path) -> None:
    march = learn("march", [recording("march", person, 5.0) for person in (1, 2)], classifier)
    path = tmp_path / "march.npz"
    march.save(path)
    assert load_added(path).windows_m.shape == march.windows_m.shape
    replace(march, recordings=np.full_like(march.recordings, STILL)).save(tmp_path / "held.npz")
    with pytest.raises(ModelFileError, match=r"windows of a movement.*exercise add held"):
        load_added(tmp_path / "held.npz")
    (tmp_path / "held.npz").unlink()
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ModelFileError, match="exercise add march"):
        load_added(path)
    np.savez(path, format=1)
    with pytest.raises(ModelFileError, match="expected the arrays"):
        WindowClassifier(folder=tmp_path)
    march.save(tmp_path / "squat.npz")
    path.unlink()
    with pytest.raises(ModelFileError, match="other names"):
        WindowClassifier(folder=tmp_path)


def test_too_few_recordings_are_refused(classifier: WindowClassifier) -> None:
    with pytest.raises(InputError, match="at least 2 recordings"):
        learn("march", [recording("march", 1)], classifier)


def test_the_signal_of_a_movement_is_found_and_drawn() -> None:
    recordings = [recording("march", person) for person in (1, 2, 3)]
    found = find_signal(recordings)
    assert "knee" in found.signal.expression or "ankle" in found.signal.expression or "hip" in found.signal.expression
    assert found.sides == "both"
    assert 1.6 < found.period_s < 2.6
    rest, peak = found.signal.typical_range
    assert peak - rest > 2.0 * found.signal.minimum_range
    assert signal_picture(found, recordings).shape[0] > 3 * 100
    with pytest.raises(InputError, match="record again"):
        find_signal(
            [Recording("a", "a", np.arange(60) * 66_000_000, np.repeat(standing_m(1.0)[None], 60, 0).astype("f"))]
        )


def test_a_tilted_camera_is_levelled() -> None:
    up = np.array([0.1, -0.9, 0.3])
    up /= np.linalg.norm(up)
    np.testing.assert_allclose(level(up[None, None], up)[0, 0], [0.0, -1.0, 0.0], atol=1e-6)
