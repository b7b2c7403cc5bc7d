"""The recogniser's network and what is needed to train it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import ModelFileError, RecordingError
from rehab_pose.exercise.catalogue import EXERCISES, LABELS
from rehab_pose.exercise.classifier import SHIPPED_WEIGHTS, WindowClassifier
from rehab_pose.exercise.features import FEATURE_INDEX, FEATURE_JOINTS, WINDOW_SAMPLES
from rehab_pose.exercise.streams import STREAM_COUNT
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.clip import Clip
from rehab_pose_lab.training.exercise_augmentation import augment, augment_lightly
from rehab_pose_lab.training.exercise_windows import TrainingClip, WindowSampler, prepare
from rehab_pose_lab.training.metrics import (
    accuracy,
    confusion_matrix,
    expected_calibration_error,
    f1_score,
    fit_temperature,
    precision,
    recall,
    roc_auc,
    roc_curve,
)
from rehab_pose_lab.training.splits import by_subject, folds_by_subject, held_out_subjects

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rehab_pose.datatypes import Joints

    Film = Callable[..., list[Joints]]

torch = pytest.importorskip("torch", reason="training needs torch")

MEGABYTE = 1 << 20


def clip_of(frames: list[Joints], label: str, subject: str = "s1", group: str = "") -> Clip:
    return Clip(
        name=f"{subject}_{label}",
        dataset="kimore",
        subject=subject,
        group=group,
        label=label,
        stamps_ns=np.array([joints.stamp_ns for joints in frames]),
        skeleton=SMPL_24,
        positions_m=np.array([joints.positions_m for joints in frames], dtype=np.float32),
        confidence=np.ones((len(frames), 24), dtype=np.float32),
    )


@pytest.fixture(scope="module")
def clips(make_film: Film) -> list[TrainingClip]:
    prepared = [prepare(clip_of(make_film(label, 3), label), place) for place, label in enumerate(LABELS) if place]
    prepared.append(prepare(clip_of(make_film("none", 3), "none"), 0))
    return [clip for clip in prepared if clip is not None]


def test_absent_samples_do_not_change_the_answer() -> None:
    from rehab_pose_lab.training.exercise_network import ExerciseNetwork  # noqa: PLC0415  (only where torch is)

    torch.manual_seed(0)
    network = ExerciseNetwork().eval()
    features, present = torch.randn(3, WINDOW_SAMPLES, STREAM_COUNT), torch.ones(3, WINDOW_SAMPLES)
    present[:, :15] = 0.0
    other = features.clone()
    other[:, :15] = 7.0
    with torch.no_grad():
        before, after = network(features, present), network(other, present)
    for one, other_one, count in zip(before, after, (len(LABELS), len(EXERCISES)), strict=True):
        assert one.shape == (3, count)
        torch.testing.assert_close(other_one, one)


def test_the_papers_size_can_be_built() -> None:
    from rehab_pose_lab.training.exercise_network import ExerciseNetwork, NetworkSettings  # noqa: PLC0415

    paper = NetworkSettings(width=512, heads=8, layers=4, hidden=2048, patch=1, encoders=1, statistics=0)
    network = ExerciseNetwork(paper).eval()
    assert 12e6 < sum(values.numel() for values in network.parameters()) < 13e6
    with torch.no_grad():
        logits, among = network(torch.randn(2, WINDOW_SAMPLES, STREAM_COUNT), torch.ones(2, WINDOW_SAMPLES))
    assert (logits.shape, among.shape) == ((2, len(LABELS)), (2, len(EXERCISES)))


def test_further_streams_only_widen_the_input() -> None:
    from rehab_pose_lab.training.exercise_network import ExerciseNetwork, NetworkSettings  # noqa: PLC0415

    network = ExerciseNetwork(NetworkSettings(inputs=STREAM_COUNT + 7)).eval()
    with torch.no_grad():
        logits, _ = network(torch.randn(2, WINDOW_SAMPLES, STREAM_COUNT + 7), torch.ones(2, WINDOW_SAMPLES))
    assert logits.shape == (2, len(LABELS))


def test_one_batch_can_be_learnt_by_heart(clips: list[TrainingClip]) -> None:
    from rehab_pose_lab.training.exercise_fit import Run, TrainingPlan  # noqa: PLC0415

    batch = WindowSampler(clips).draw(16, np.random.default_rng(0))
    run = Run(TrainingPlan(epochs=1, steps_per_epoch=60))
    losses = [run.step(batch) for _ in range(60)]
    # The exercise is told from every window, the label only from the half drawn as live; smoothing leaves about 0.4.
    assert losses[0] > 2.5
    assert losses[-1] < 1.3


def test_a_resumed_run_goes_on_exactly(clips: list[TrainingClip], tmp_path: Path) -> None:
    from rehab_pose_lab.training.exercise_fit import Run, TrainingPlan  # noqa: PLC0415

    sampler, plan = WindowSampler(clips), TrainingPlan(epochs=2, steps_per_epoch=2)
    first = Run(plan)
    first.step(sampler.draw(4, np.random.default_rng(0)))
    first.save(tmp_path / "checkpoint.pt")
    second = Run(plan)
    second.resume(tmp_path / "checkpoint.pt")
    for name, value in first.average.state_dict().items():
        torch.testing.assert_close(second.average.state_dict()[name], value, rtol=0, atol=0)
    assert second.schedule.get_last_lr() == first.schedule.get_last_lr()
    with pytest.raises(RecordingError, match="same plan"):
        Run(TrainingPlan(epochs=3)).resume(tmp_path / "checkpoint.pt")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_the_exported_file_answers_like_the_network(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="the export needs onnxscript")
    from rehab_pose_lab.training.exercise_fit import export_onnx  # noqa: PLC0415
    from rehab_pose_lab.training.exercise_network import ExerciseNetwork  # noqa: PLC0415

    torch.manual_seed(1)
    network = ExerciseNetwork().eval()
    facts = {"temperature": "1.5", "exercise_temperature": "0.5", "familiar_energy": "-2.0"}
    export_onnx(network, tmp_path / "small.onnx", LABELS, facts)
    classifier = WindowClassifier(str(tmp_path / "small.onnx"))
    rng = np.random.default_rng(0)
    for size in (1, 5):
        features = rng.normal(size=(size, WINDOW_SAMPLES, STREAM_COUNT)).astype(np.float32)
        present = (rng.random((size, WINDOW_SAMPLES)) < 0.8).astype(np.float32)
        with torch.no_grad():
            expected, among = network(torch.from_numpy(features), torch.from_numpy(present))
        np.testing.assert_allclose(classifier.logits(features, present), expected / 1.5, atol=2e-5)
        np.testing.assert_allclose(classifier.exercise_logits(features, present), among / 0.5, atol=5e-5)


def test_the_shipped_weights_are_small_and_know_what_they_are_for() -> None:
    assert SHIPPED_WEIGHTS.stat().st_size < 15 * MEGABYTE
    assert WindowClassifier().model_id.startswith("exercise-")


def test_weights_for_other_labels_are_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="writes a file with other labels")
    model = onnx.load(str(SHIPPED_WEIGHTS))
    facts = {entry.key: entry.value for entry in model.metadata_props} | {"labels": "none,dancing"}
    onnx.helper.set_model_props(model, facts)
    onnx.save(model, str(tmp_path / "other.onnx"))
    with pytest.raises(ModelFileError, match="expected labels"):
        WindowClassifier(str(tmp_path / "other.onnx"))


def test_prepare_finds_movement_and_stillness(make_film: Film) -> None:
    frames = make_film("squat", 3, rest_s=5.0)
    found = prepare(clip_of(frames, "squat"), 5)
    assert found is not None
    begin_ns, end_ns = frames[30].stamp_ns, frames[-150].stamp_ns
    assert begin_ns <= found.active_ends_ns[0] <= begin_ns + 1_000_000_000
    assert found.active_ends_ns[-1] <= end_ns + 3_000_000_000
    assert len(found.quiet_ends_ns)
    assert found.quiet_ends_ns.min() > end_ns


def test_windows_are_drawn_the_same_from_the_same_seed(clips: list[TrainingClip]) -> None:
    sampler = WindowSampler(clips)
    first, second = (sampler.draw(32, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.features, second.features)
    assert first.features.shape == (32, WINDOW_SAMPLES, STREAM_COUNT)
    assert np.isfinite(first.features).all()
    assert (first.labels >= 0).sum() == (first.labels == -1).sum() == 16
    exercise = first.labels > 0
    np.testing.assert_array_equal(first.exercises[exercise], first.labels[exercise] - 1)


def test_spoiling_keeps_the_posture(make_film: Film) -> None:
    frames = make_film("squat", 2)[60:180:3]
    window = np.array([[joints.positions_m[FEATURE_INDEX] for joints in frames]] * 200, dtype=np.float32)
    spoilt, up = augment(window, np.random.default_rng(0))
    moved = np.abs(spoilt[..., 1] - window[..., 1])  # heights: mirroring leaves them alone
    assert np.nanmedian(moved) < 0.05
    assert np.isnan(spoilt).any()
    np.testing.assert_allclose(np.linalg.norm(up, axis=-1), 1.0)
    assert np.degrees(np.arccos(-up[:, 1])).max() < 25.0


def test_a_window_is_the_history_before_its_end() -> None:
    stamps_ns = np.arange(0, 6_000_000_000, 33_333_333)
    along = np.zeros((len(stamps_ns), len(FEATURE_INDEX), 3), dtype=np.float32)
    along[:, :, 0] = (stamps_ns * 1e-9)[:, None]
    ends_ns = np.array([5_000_000_000])
    sampler = WindowSampler([TrainingClip(1, stamps_ns, along, ends_ns, ends_ns)])
    (window,) = sampler._windows(
        np.array([0]), np.array([50.0]), np.array([1.25]), np.array([30]), hold=np.array([False])
    )
    assert np.isnan(window[:10]).all()
    np.testing.assert_allclose(window[10:, 0, 0], 5.0 - 0.125 * np.arange(29, -1, -1), atol=1e-3)
    (early,) = sampler._windows(np.array([0]), np.array([9.0]), np.array([1.0]), np.array([40]), hold=np.array([True]))
    np.testing.assert_allclose(early[:, 0, 0], np.maximum(0.1 * np.arange(-30, 10), 0.0), atol=1e-3)


def test_light_spoiling_keeps_the_build_and_says_who_was_told_to_face(make_film: Film) -> None:
    frames = make_film("squat", 2)[60:180:3]
    window = np.array([[joints.positions_m[FEATURE_INDEX] for joints in frames]] * 300, dtype=np.float32)
    spoilt, up, told = augment_lightly(window, np.random.default_rng(0))
    assert np.nanmedian(np.abs(spoilt[..., 1] - window[..., 1])) < 0.05
    assert 0.2 < told.mean() < 0.5
    np.testing.assert_allclose(np.linalg.norm(up, axis=-1), 1.0)
    shoulders = [FEATURE_JOINTS.index(f"{side}_shoulder") for side in ("left", "right")]
    across = spoilt[told > 0][:, :, shoulders[0]] - spoilt[told > 0][:, :, shoulders[1]]
    assert np.nanmedian(np.abs(across[..., 2]) / np.linalg.norm(across, axis=-1)) < 0.2


def test_a_movement_of_one_side_stays_on_it(make_film: Film) -> None:
    frames = make_film("squat", 1)[60:180:3]
    window = np.array([[joints.positions_m[FEATURE_INDEX] for joints in frames]] * 100, dtype=np.float32)
    left = FEATURE_JOINTS.index("left_wrist")
    window[:, :, left, 1] -= 0.5
    right = FEATURE_JOINTS.index("right_wrist")
    for mirror, share in ((True, 0.5), (False, 1.0)):
        spoilt, _, _ = augment_lightly(window, np.random.default_rng(0), mirror=mirror)
        seen = spoilt[np.isfinite(spoilt[:, 0, [left, right], 0]).all(axis=1)]
        higher = np.median(seen[:, :, left, 1], axis=1) < np.median(seen[:, :, right, 1], axis=1)
        assert higher.mean() == pytest.approx(share, abs=0.12)


def test_no_subject_is_on_both_sides(make_film: Film) -> None:
    frames = make_film("none", 0)
    clips = [clip_of(frames, label, f"s{n}", f"g{n % 3}") for n in range(30) for label in ("squat", "arm_lifting")]
    held_out = held_out_subjects(clips, 0.2, seed=1)
    training, testing = by_subject(clips, held_out)
    assert held_out == held_out_subjects(clips, 0.2, seed=1) != held_out_subjects(clips, 0.2, seed=2)
    assert not {clip.subject for clip in training} & {clip.subject for clip in testing}
    assert len(training) + len(testing) == 60
    assert {clip.group for clip in testing} == {"g0", "g1", "g2"}
    assert len({clip.subject for clip in testing}) == 6
    folds = folds_by_subject(clips, 5, seed=1)
    assert len(folds) == 30
    for group in range(3):
        members = [fold for (_, subject), fold in folds.items() if int(subject[1:]) % 3 == group]
        assert sorted(members) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_figures_by_hand() -> None:
    matrix = confusion_matrix(np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0]), 3)
    np.testing.assert_array_equal(matrix, [[1, 1, 0], [1, 2, 0], [0, 0, 0]])
    assert accuracy(matrix) == pytest.approx(0.6)
    np.testing.assert_allclose(recall(matrix), [0.5, 2 / 3, np.nan])
    np.testing.assert_allclose(precision(matrix), [0.5, 2 / 3, np.nan])
    np.testing.assert_allclose(f1_score(matrix), [0.5, 2 / 3, np.nan])
    positive = np.array([True, False, True, False])
    assert roc_auc(np.array([0.9, 0.8, 0.4, 0.1]), positive) == pytest.approx(0.75)
    assert roc_auc(np.full(4, 0.3), positive) == pytest.approx(0.5)
    false, true = roc_curve(np.array([0.9, 0.8, 0.4, 0.1]), positive)
    np.testing.assert_allclose([false, true], [[0, 0, 0.5, 0.5, 1], [0, 0.5, 0.5, 1, 1]])
    sure = np.array([[0.9, 0.1], [0.9, 0.1]])
    assert expected_calibration_error(sure, np.array([0, 1])) == pytest.approx(0.4)


def test_the_temperature_that_was_put_in_comes_out() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20000, 4)) * 2.0
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (chances.cumsum(axis=1) < rng.random((20000, 1))).sum(axis=1)
    assert fit_temperature(3.0 * logits, truth) == pytest.approx(3.0, rel=0.05)
