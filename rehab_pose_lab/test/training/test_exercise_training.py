"""Training of the recogniser: network, windows, augmentation, splits and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import ModelFileError, RecordingError
from rehab_pose.exercise.catalogue import EXERCISES, LABELS
from rehab_pose.exercise.feature_streams import STREAM_COUNT
from rehab_pose.exercise.window_classifier import SHIPPED_WEIGHTS, WindowClassifier
from rehab_pose.exercise.window_features import FEATURE_JOINTS, SMPL_INDICES, WINDOW_SAMPLES
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.clip import Clip
from rehab_pose_lab.training.evaluation_classifier import EvaluationClassifier
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


def test_absent_samples_do_not_change_the_logits() -> None:
    from rehab_pose_lab.training.exercise_network import ExerciseNetwork  # noqa: PLC0415  (only where torch is)

    torch.manual_seed(0)
    network = ExerciseNetwork().eval()
    features, present = torch.randn(3, WINDOW_SAMPLES, STREAM_COUNT), torch.ones(3, WINDOW_SAMPLES)
    present[:, :15] = 0.0
    other = features.clone()
    other[:, :15] = 7.0
    with torch.no_grad():
        first, second = network(features, present), network(other, present)
    for logits, others, count in zip(first, second, (len(LABELS), len(EXERCISES)), strict=True):
        assert logits.shape == (3, count)
        torch.testing.assert_close(others, logits)


def test_the_network_of_the_paper_has_its_number_of_parameters() -> None:
    from rehab_pose_lab.training.exercise_network import ExerciseNetwork, NetworkSettings  # noqa: PLC0415

    paper = NetworkSettings(width=512, heads=8, layers=4, hidden=2048, patch=1, encoders=1, statistics=0)
    network = ExerciseNetwork(paper).eval()
    assert 12e6 < sum(values.numel() for values in network.parameters()) < 13e6
    with torch.no_grad():
        logits, among = network(torch.randn(2, WINDOW_SAMPLES, STREAM_COUNT), torch.ones(2, WINDOW_SAMPLES))
    assert (logits.shape, among.shape) == ((2, len(LABELS)), (2, len(EXERCISES)))


def test_further_streams_do_not_change_the_output_size() -> None:
    from rehab_pose_lab.training.exercise_network import ExerciseNetwork, NetworkSettings  # noqa: PLC0415

    network = ExerciseNetwork(NetworkSettings(inputs=STREAM_COUNT + 7)).eval()
    with torch.no_grad():
        logits, _ = network(torch.randn(2, WINDOW_SAMPLES, STREAM_COUNT + 7), torch.ones(2, WINDOW_SAMPLES))
    assert logits.shape == (2, len(LABELS))


def test_the_loss_of_one_batch_decreases_by_training_on_it(clips: list[TrainingClip]) -> None:
    from rehab_pose_lab.training.exercise_fit import TrainingPlan, TrainingRun  # noqa: PLC0415

    batch = WindowSampler(clips).draw(16, np.random.default_rng(0))
    run = TrainingRun(TrainingPlan(epochs=1, steps_per_epoch=60))
    losses = [run.step(batch) for _ in range(60)]
    # All windows have an exercise, half of them a label; label smoothing leaves a loss of about 0.4.
    assert losses[0] > 2.5
    assert losses[-1] < 1.3


def test_a_resumed_run_has_the_state_of_the_checkpoint(clips: list[TrainingClip], tmp_path: Path) -> None:
    from rehab_pose_lab.training.exercise_fit import TrainingPlan, TrainingRun  # noqa: PLC0415

    sampler, plan = WindowSampler(clips), TrainingPlan(epochs=2, steps_per_epoch=2)
    first = TrainingRun(plan)
    first.step(sampler.draw(4, np.random.default_rng(0)))
    first.save(tmp_path / "checkpoint.pt")
    second = TrainingRun(plan)
    second.resume(tmp_path / "checkpoint.pt")
    for name, value in first.average.state_dict().items():
        torch.testing.assert_close(second.average.state_dict()[name], value, rtol=0, atol=0)
    assert second.schedule.get_last_lr() == first.schedule.get_last_lr()
    with pytest.raises(RecordingError, match="same plan"):
        TrainingRun(TrainingPlan(epochs=3)).resume(tmp_path / "checkpoint.pt")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_the_exported_file_gives_the_logits_of_the_network(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="the export needs onnxscript")
    from rehab_pose_lab.training.exercise_fit import export_onnx  # noqa: PLC0415
    from rehab_pose_lab.training.exercise_network import ExerciseNetwork  # noqa: PLC0415

    torch.manual_seed(1)
    network = ExerciseNetwork().eval()
    extra = {"temperature": "1.5", "exercise_temperature": "0.5", "familiar_energy": "-2.0"}
    export_onnx(network, tmp_path / "small.onnx", LABELS, extra)
    classifier = EvaluationClassifier(str(tmp_path / "small.onnx"))
    rng = np.random.default_rng(0)
    for size in (1, 5):
        features = rng.normal(size=(size, WINDOW_SAMPLES, STREAM_COUNT)).astype(np.float32)
        present = (rng.random((size, WINDOW_SAMPLES)) < 0.8).astype(np.float32)
        with torch.no_grad():
            expected, among = network(torch.from_numpy(features), torch.from_numpy(present))
        np.testing.assert_allclose(classifier.logits(features, present), expected / 1.5, atol=2e-5)
        np.testing.assert_allclose(classifier.exercise_logits(features, present), among / 0.5, atol=5e-5)


def test_the_shipped_weights_are_small_and_identified() -> None:
    assert SHIPPED_WEIGHTS.stat().st_size < 15 * MEGABYTE
    assert WindowClassifier().model_id.startswith("exercise-")


def test_weights_for_other_labels_are_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="writes a file with other labels")
    model = onnx.load(str(SHIPPED_WEIGHTS))
    metadata = {entry.key: entry.value for entry in model.metadata_props} | {"labels": "none,dancing"}
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, str(tmp_path / "other.onnx"))
    with pytest.raises(ModelFileError, match="expected labels"):
        WindowClassifier(str(tmp_path / "other.onnx"))


def test_moving_and_still_windows_are_detected(make_film: Film) -> None:
    frames = make_film("squat", 3, rest_s=5.0)
    prepared = prepare(clip_of(frames, "squat"), 5)
    assert prepared is not None
    begin_ns, end_ns = frames[30].stamp_ns, frames[-150].stamp_ns
    assert begin_ns <= prepared.active_ends_ns[0] <= begin_ns + 1_000_000_000
    assert prepared.active_ends_ns[-1] <= end_ns + 3_000_000_000
    assert len(prepared.quiet_ends_ns)
    assert prepared.quiet_ends_ns.min() > end_ns


def test_the_same_seed_gives_the_same_windows(clips: list[TrainingClip]) -> None:
    sampler = WindowSampler(clips)
    first, second = (sampler.draw(32, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.features, second.features)
    assert first.features.shape == (32, WINDOW_SAMPLES, STREAM_COUNT)
    assert np.isfinite(first.features).all()
    assert (first.labels >= 0).sum() == (first.labels == -1).sum() == 16
    exercise = first.labels > 0
    np.testing.assert_array_equal(first.exercises[exercise], first.labels[exercise] - 1)


def test_augmentation_keeps_the_pose(make_film: Film) -> None:
    frames = make_film("squat", 2)[60:180:3]
    window = np.array([[joints.positions_m[SMPL_INDICES] for joints in frames]] * 200, dtype=np.float32)
    augmented, up = augment(window, np.random.default_rng(0))
    moved = np.abs(augmented[..., 1] - window[..., 1])  # heights, which mirroring does not change
    assert np.nanmedian(moved) < 0.05
    assert np.isnan(augmented).any()
    np.testing.assert_allclose(np.linalg.norm(up, axis=-1), 1.0)
    assert np.degrees(np.arccos(-up[:, 1])).max() < 25.0


def test_a_window_contains_the_samples_before_its_end() -> None:
    stamps_ns = np.arange(0, 6_000_000_000, 33_333_333)
    along = np.zeros((len(stamps_ns), len(SMPL_INDICES), 3), dtype=np.float32)
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


def test_light_augmentation_keeps_the_pose_and_reports_who_faces_the_camera(make_film: Film) -> None:
    frames = make_film("squat", 2)[60:180:3]
    window = np.array([[joints.positions_m[SMPL_INDICES] for joints in frames]] * 300, dtype=np.float32)
    augmented, up, facing = augment_lightly(window, np.random.default_rng(0))
    assert np.nanmedian(np.abs(augmented[..., 1] - window[..., 1])) < 0.05
    assert 0.2 < facing.mean() < 0.5
    np.testing.assert_allclose(np.linalg.norm(up, axis=-1), 1.0)
    shoulders = [FEATURE_JOINTS.index(f"{side}_shoulder") for side in ("left", "right")]
    across = augmented[facing > 0][:, :, shoulders[0]] - augmented[facing > 0][:, :, shoulders[1]]
    assert np.nanmedian(np.abs(across[..., 2]) / np.linalg.norm(across, axis=-1)) < 0.2


def test_without_mirroring_a_movement_stays_on_its_side(make_film: Film) -> None:
    frames = make_film("squat", 1)[60:180:3]
    window = np.array([[joints.positions_m[SMPL_INDICES] for joints in frames]] * 100, dtype=np.float32)
    left = FEATURE_JOINTS.index("left_wrist")
    window[:, :, left, 1] -= 0.5
    right = FEATURE_JOINTS.index("right_wrist")
    for mirror, fraction in ((True, 0.5), (False, 1.0)):
        augmented, _, _ = augment_lightly(window, np.random.default_rng(0), mirror=mirror)
        measured = augmented[np.isfinite(augmented[:, 0, [left, right], 0]).all(axis=1)]
        higher = np.median(measured[:, :, left, 1], axis=1) < np.median(measured[:, :, right, 1], axis=1)
        assert higher.mean() == pytest.approx(fraction, abs=0.12)


def test_no_subject_is_in_both_parts_of_a_split(make_film: Film) -> None:
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


def test_metrics_equal_values_computed_by_hand() -> None:
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
    confident = np.array([[0.9, 0.1], [0.9, 0.1]])
    assert expected_calibration_error(confident, np.array([0, 1])) == pytest.approx(0.4)


def test_a_known_temperature_is_recovered() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20000, 4)) * 2.0
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (chances.cumsum(axis=1) < rng.random((20000, 1))).sum(axis=1)
    assert fit_temperature(3.0 * logits, truth) == pytest.approx(3.0, rel=0.05)
