"""Predictions and metrics of the recogniser: short and empty recordings, filtering, `none`, and written files."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import EXERCISES, LABELS
from rehab_pose.exercise.feature_streams import STREAM_COUNT, STREAMS, window_streams
from rehab_pose.exercise.window_features import FEATURE_JOINTS
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.recognition_files import write_recognition
from rehab_pose_lab.cli.main import main
from rehab_pose_lab.datasets.clip import Clip, clip_from_joints
from rehab_pose_lab.datasets.kinect_axes import KINECT_V2_SMPL_NAMES
from rehab_pose_lab.training.exercise_metrics import (
    confidence_interval,
    none_metrics,
    predict_labels,
    recognition_metrics,
)
from rehab_pose_lab.training.exercise_predictions import filter_labels, predict_recordings, window_ends
from rehab_pose_lab.training.exercise_streaming import movement_start_ns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints

    Film = Callable[..., list[Joints]]

UP = np.array([[0.0, -1.0, 0.0]])


def clip_of(frames: list[Joints], label: str, dataset: str = "kimore", subject: str = "s1") -> Clip:
    name = f"{subject}_{label}_{len(frames)}"
    return clip_from_joints(frames, name=name, dataset=dataset, subject=subject, label=label)


def stream_slice(name: str) -> slice:
    """Return the place of a stream in the input vector."""
    names, sizes = [stream.name for stream in STREAMS], [stream.size for stream in STREAMS]
    start = sum(sizes[: names.index(name)])
    return slice(start, start + sizes[names.index(name)])


def by_wrist_height(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float64]:
    """Predict arm lifting where a wrist was ever above the neck, else squat."""
    joints = features[..., stream_slice("joints")].reshape(*features.shape[:2], len(FEATURE_JOINTS), 7)
    rise = joints[:, :, FEATURE_JOINTS.index("left_wrist"), 1] - joints[:, :, FEATURE_JOINTS.index("neck"), 1]
    raised = np.where(present > 0, rise, -9.0).max(axis=1) > 0.1
    logits = np.full((len(features), len(EXERCISES)), -5.0)
    logits[raised, 0] = 5.0
    logits[~raised, 4] = 5.0
    return logits


def always_exercising(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float64]:
    """Predict that no window is `none`."""
    assert len(features) == len(present)
    return np.concatenate([np.full((len(features), 1), -9.0), np.zeros((len(features), 5))], axis=1)


def test_the_streams_fill_the_feature_vector(make_film: Film) -> None:
    frames = make_film("squat", 1, noise_m=0.0)[60:180:3]
    from rehab_pose.exercise.window_features import SMPL_INDICES  # noqa: PLC0415

    window = np.array([[joints.positions_m[SMPL_INDICES] for joints in frames]])
    vector, _ = window_streams(window, UP)
    assert vector.shape[-1] == STREAM_COUNT == sum(stream.size for stream in STREAMS)
    np.testing.assert_array_equal(vector[..., stream_slice("facing")], 0.0)
    bones = vector[..., stream_slice("bones")].reshape(*vector.shape[:2], -1, 3)
    np.testing.assert_allclose(np.linalg.norm(bones, axis=-1), 1.0, atol=1e-5)
    facing, _ = window_streams(window, UP, np.ones(1))
    np.testing.assert_allclose(facing[0, 0, stream_slice("facing")], [1, 0, 1, 0, 1], atol=1e-5)
    window[:, :, FEATURE_JOINTS.index("left_knee")] = np.nan
    without_knee, _ = window_streams(window, UP)
    assert np.isfinite(without_knee).all()
    assert np.abs(without_knee - vector).max() > 0.1


def test_only_the_facing_stream_changes_with_the_heading(make_film: Film) -> None:
    from rehab_pose.exercise.window_features import SMPL_INDICES  # noqa: PLC0415

    windows = [
        np.array([[j.positions_m[SMPL_INDICES] for j in make_film("squat", 1, noise_m=0.0, yaw_rad=yaw)[60:180:3]]])
        for yaw in (0.0, 0.7)
    ]
    straight, turned = (window_streams(window, UP, np.ones(1))[0] for window in windows)
    facing = stream_slice("facing")
    np.testing.assert_allclose(turned[..., : facing.start], straight[..., : facing.start], atol=1e-4)
    assert np.abs(turned[..., facing] - straight[..., facing]).max() > 0.5


def test_short_recordings_are_classified_and_empty_ones_listed(make_film: Film) -> None:
    good, stub = clip_of(make_film("squat", 3), "squat"), clip_of(make_film("squat", 3)[:40], "squat")
    blank = np.full((90, 24, 3), np.nan, dtype=np.float32)
    empty = clip_of(make_film("none", 0)[:90], "squat", subject="s2")
    empty = Clip(**{name: getattr(empty, name) for name in Clip.__dataclass_fields__} | {"positions_m": blank})
    lifting = make_film("arm_lifting", 3)
    takes = [clip_of(lifting, "arm_lifting"), clip_of(lifting[30:], "arm_lifting")]
    predictions = predict_recordings(by_wrist_height, [good, stub, empty, *takes], EXERCISES, live=always_exercising)
    assert predictions.skipped == [empty.name]
    assert predictions.names == [good.name, stub.name, *(take.name for take in takes)]
    metrics = recognition_metrics(predictions, EXERCISES)
    assert metrics["recording_acc"] == 1.0
    assert (
        metrics["n_windows"]
        == len(predictions.window_places)
        == sum(len(window_ends(c)[0]) for c in (good, stub, *takes))
    )
    assert metrics["n_recordings"] == 4
    assert metrics["streaming_acc"] > 0.6
    assert metrics["precision"][1] is None
    assert json.loads(json.dumps(metrics)) == metrics


def test_recordings_without_a_person_or_with_unknown_labels_are_refused(make_film: Film) -> None:
    short = clip_of(make_film("squat", 1)[:2], "squat")
    with pytest.raises(RecordingError, match="none of 1 shows a person"):
        predict_recordings(by_wrist_height, [short], EXERCISES)
    with pytest.raises(RecordingError, match="expected one of"):
        predict_recordings(by_wrist_height, [clip_of(make_film("squat", 1), "dancing")], EXERCISES)


def test_windows_of_kimore_are_64_frames_and_half_overlapping(make_film: Film) -> None:
    clip = clip_of(make_film("squat", 2), "squat")
    ends_ns, samples = window_ends(clip)
    assert samples == 21
    np.testing.assert_array_equal(ends_ns, clip.stamps_ns[63::32])


def test_one_wrong_window_does_not_change_the_filtered_label() -> None:
    windows = np.tile([0.8, 0.1, 0.1], (20, 1))
    windows[10] = [0.05, 0.9, 0.05]
    posterior = filter_labels(windows, np.ones(20), 0.5)
    np.testing.assert_allclose(posterior.sum(axis=1), 1.0)
    assert (posterior.argmax(axis=1) == 0).all()
    assert posterior[9, 0] > posterior[0, 0] > 1 / 3
    changed = filter_labels(np.concatenate([windows, np.tile([0.1, 0.8, 0.1], (20, 1))]), np.ones(40), 0.5)
    assert changed[-1].argmax() == 1


def test_standing_still_does_not_change_the_filtered_label() -> None:
    idle, busy = np.tile([0.8, 0.1, 0.1], (60, 1)), np.tile([0.1, 0.8, 0.1], (3, 1))
    windows, exercising = np.concatenate([idle, busy]), np.array([0.0] * 60 + [1.0] * 3)
    assert filter_labels(windows, exercising, 0.5)[-1].argmax() == 1
    assert filter_labels(windows, np.ones(63), 0.5)[-1].argmax() == 0


def test_none_is_predicted_where_no_label_is_likely_enough() -> None:
    logits = np.log(np.array([[0.1, 0.6, 0.1, 0.1, 0.05, 0.05], [0.2, 0.4, 0.1, 0.1, 0.1, 0.1], [0.9] + [0.02] * 5]))
    np.testing.assert_array_equal(predict_labels(logits), [1, 0, 0])
    metrics = none_metrics(logits, np.array([1, 1, 0]))
    assert metrics["none_false_pct"] == 0.0
    assert metrics["none_recall_pct"] == 50.0


def test_the_confidence_interval_is_over_subjects_not_windows() -> None:
    correct, subjects = np.array([1.0] * 900 + [0.0] * 100), ["a"] * 900 + ["b"] * 100
    low, high = confidence_interval(correct, subjects, 0)
    assert (low, high) == (0.0, 1.0)
    low, high = confidence_interval(correct, [str(n) for n in range(1000)], 0)
    assert 0.87 < low < 0.9 < high < 0.93


@pytest.mark.parametrize("label", EXERCISES)
def test_the_start_of_the_movement_is_detected(make_film: Film, label: str) -> None:
    clip = clip_of(make_film(label, 3, noise_m=0.003), label)
    start_ns = movement_start_ns(clip)
    assert start_ns is not None
    assert 0.8 <= (start_ns - clip.stamps_ns[0]) * 1e-9 <= 2.6  # one second of standing, 0.8 s to the starting pose


def test_a_recording_without_movement_has_no_start(make_film: Film) -> None:
    assert movement_start_ns(clip_of(make_film("squat", 1)[:15], "squat")) is None


def test_the_files_of_an_evaluation_contain_its_results(make_film: Film, tmp_path: Path) -> None:
    clips = [clip_of(make_film(label, 2), label) for label in ("squat", "arm_lifting")]
    predictions = predict_recordings(by_wrist_height, clips, EXERCISES)
    write_recognition(tmp_path / "new", recognition_metrics(predictions, EXERCISES), predictions, EXERCISES)
    metrics = json.loads((tmp_path / "new" / "recognition.json").read_text())
    assert metrics["n_recordings"] == 2
    with (tmp_path / "new" / "recordings.csv").open(newline="") as file:
        assert [row["answer"] for row in csv.DictReader(file)] == ["squat", "arm_lifting"]
    for name in ("confusion.png", "roc.png"):
        picture = cv2.imread(str(tmp_path / "new" / name))
        assert picture is not None
        assert picture.std() > 1.0


def test_other_data_sets_require_weights(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["evaluate", "recognition", "--dataset", "mars", "--root", str(tmp_path)]) == 2
    assert "rehab-pose-lab train recognition --dataset mars" in capsys.readouterr().err


def write_kimore(folder: Path, recordings: dict[str, tuple[int, NDArray[np.float64], NDArray[np.int64]]]) -> None:
    """Write recordings (exercise, joints (T, 24, 3) in the optical frame [m], stamps [ms]) as KIMORE's arrays."""
    columns = [SMPL_24.index(name) if name else 0 for name in KINECT_V2_SMPL_NAMES]
    arrays: dict[str, dict[str, Any]] = {"positions_i16": {}, "tracking_u8": {}, "timestamps_ms": {}}
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "group", "subject", "exercise"])
        for key, (number, points_m, stamps_ms) in recordings.items():
            writer.writerow([key, "GPP/Stroke", key.split("_Es")[0], number])
            kinect = np.nan_to_num(points_m[:, columns] * [-1.0, -1.0, 1.0])
            arrays["positions_i16"][key] = np.rint(kinect / 0.0005).astype(np.int16)
            arrays["tracking_u8"][key] = np.full(kinect.shape[:2], 2, dtype=np.uint8)
            arrays["timestamps_ms"][key] = stamps_ms
    for name, content in arrays.items():
        np.savez(folder / f"{name}.npz", **content)


def test_the_shipped_weights_classify_a_new_folder(
    make_film: Film, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings = {}
    for number, label in enumerate(EXERCISES, start=1):
        frames = make_film(label, 3)
        points_m = np.array([joints.positions_m for joints in frames])
        points_m[40:50] = np.nan  # frames without a person
        recordings[f"X_ID1_Es{number}_a"] = (number, points_m, np.arange(len(points_m)) * 33)
    stub = recordings["X_ID1_Es5_a"][1][100:150]
    recordings["X_ID1_Es5_b"] = (5, stub, np.arange(len(stub)) * 33)
    recordings["X_ID2_Es1_a"] = (1, np.full((80, 24, 3), np.nan), np.arange(80) * 33)
    recordings["X_ID2_Es6_a"] = (6, stub, np.arange(len(stub)) * 33)
    write_kimore(tmp_path, recordings)
    command = ["evaluate", "recognition", "--dataset", "kimore", "--root", str(tmp_path)]
    assert main([*command, "--json", "--streaming", "--output", str(tmp_path / "out")]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["n_recordings"] == 6
    assert metrics["skipped"] == ["X_ID2_Es1_a"]
    assert metrics["recording_acc"] >= 4 / 6
    assert metrics["n_windows"] > 20
    assert metrics["window_acc"] > 0.5
    assert np.array(metrics["confusion"]).sum() == 6
    assert (tmp_path / "out" / "recognition.json").is_file()
    assert main([*command, "--subjects", "X_ID1"]) == 0
    assert "recording_acc" in capsys.readouterr().out
    assert main([*command, "--subjects", "unknown"]) == 2


def test_people_seen_in_training_are_not_averaged_in(
    make_film: Film, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    points_m = np.array([joints.positions_m for joints in make_film("squat", 2)])
    stamps_ms = np.arange(len(points_m)) * 33
    write_kimore(tmp_path, {"E_ID10_Es5_a": (5, points_m, stamps_ms)})
    command = ["evaluate", "recognition", "--root", str(tmp_path)]
    assert main(command) == 2
    assert "kimore/E_ID10" in capsys.readouterr().err
    assert main([*command, "--seen"]) == 0
    assert "1 SEEN IN TRAINING" in capsys.readouterr().out
    write_kimore(tmp_path, {"E_ID10_Es5_a": (5, points_m, stamps_ms), "X_ID1_Es5_a": (5, points_m, stamps_ms)})
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_recordings"] == 1


def test_the_first_label_is_none() -> None:
    assert LABELS[1:] == EXERCISES
