"""Figures of the recogniser: odd recordings, whose answer counts, and what is left in the folder."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from rehab_pose.cli.main import main
from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import EXERCISES, LABELS
from rehab_pose.exercise.features import FEATURE_JOINTS
from rehab_pose.exercise.streams import STREAM_COUNT, STREAMS, stream_slice, window_streams
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.recognition_files import write_recognition
from rehab_pose_lab.datasets.clip import Clip
from rehab_pose_lab.datasets.kinect_axes import KINECT_V2_SMPL_NAMES
from rehab_pose_lab.training.exercise_scores import follow, judge_recordings, window_ends
from rehab_pose_lab.training.exercise_streaming import movement_start_ns
from rehab_pose_lab.training.recognition_scores import interval_of, none_figures, said_of, score_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints

    Film = Callable[..., list[Joints]]

UP = np.array([[0.0, -1.0, 0.0]])


def clip_of(frames: list[Joints], label: str, dataset: str = "kimore", subject: str = "s1") -> Clip:
    return Clip(
        name=f"{subject}_{label}_{len(frames)}",
        dataset=dataset,
        subject=subject,
        group="",
        label=label,
        stamps_ns=np.array([joints.stamp_ns for joints in frames]),
        skeleton=SMPL_24,
        positions_m=np.array([joints.positions_m for joints in frames], dtype=np.float32),
        confidence=np.ones((len(frames), 24), dtype=np.float32),
    )


def by_wrist_height(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float64]:
    """Say arm lifting where a wrist was ever above the neck, else squat."""
    joints = features[..., stream_slice("joints")].reshape(*features.shape[:2], len(FEATURE_JOINTS), 7)
    rise = joints[:, :, FEATURE_JOINTS.index("left_wrist"), 1] - joints[:, :, FEATURE_JOINTS.index("neck"), 1]
    raised = np.where(present > 0, rise, -9.0).max(axis=1) > 0.1
    logits = np.full((len(features), len(EXERCISES)), -5.0)
    logits[raised, 0] = 5.0
    logits[~raised, 4] = 5.0
    return logits


def always_doing(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float64]:
    """Say that no window is `none`."""
    assert len(features) == len(present)
    return np.concatenate([np.full((len(features), 1), -9.0), np.zeros((len(features), 5))], axis=1)


def test_the_streams_fill_the_vector(make_film: Film) -> None:
    frames = make_film("squat", 1, noise_m=0.0)[60:180:3]
    from rehab_pose.exercise.features import FEATURE_INDEX  # noqa: PLC0415

    window = np.array([[joints.positions_m[FEATURE_INDEX] for joints in frames]])
    vector, _ = window_streams(window, UP)
    assert vector.shape[-1] == STREAM_COUNT == sum(stream.size for stream in STREAMS)
    np.testing.assert_array_equal(vector[..., stream_slice("facing")], 0.0)
    bones = vector[..., stream_slice("bones")].reshape(*vector.shape[:2], -1, 3)
    np.testing.assert_allclose(np.linalg.norm(bones, axis=-1), 1.0, atol=1e-5)
    told, _ = window_streams(window, UP, np.ones(1))
    np.testing.assert_allclose(told[0, 0, stream_slice("facing")], [1, 0, 1, 0, 1], atol=1e-5)
    window[:, :, FEATURE_JOINTS.index("left_knee")] = np.nan
    lame, _ = window_streams(window, UP)
    assert np.isfinite(lame).all()
    with pytest.raises(KeyError, match="expected one of"):
        stream_slice("smell")


def test_only_the_facing_stream_notices_a_turned_person(make_film: Film) -> None:
    from rehab_pose.exercise.features import FEATURE_INDEX  # noqa: PLC0415

    windows = [
        np.array([[j.positions_m[FEATURE_INDEX] for j in make_film("squat", 1, noise_m=0.0, yaw_rad=yaw)[60:180:3]]])
        for yaw in (0.0, 0.7)
    ]
    straight, turned = (window_streams(window, UP, np.ones(1))[0] for window in windows)
    facing = stream_slice("facing")
    np.testing.assert_allclose(turned[..., : facing.start], straight[..., : facing.start], atol=1e-4)
    assert np.abs(turned[..., facing] - straight[..., facing]).max() > 0.5


def test_odd_recordings_are_judged_or_named(make_film: Film) -> None:
    good, stub = clip_of(make_film("squat", 3), "squat"), clip_of(make_film("squat", 3)[:40], "squat")
    blank = np.full((90, 24, 3), np.nan, dtype=np.float32)
    empty = clip_of(make_film("none", 0)[:90], "squat", subject="s2")
    empty = Clip(**{name: getattr(empty, name) for name in Clip.__dataclass_fields__} | {"positions_m": blank})
    handless = make_film("arm_lifting", 3)
    takes = [clip_of(handless, "arm_lifting"), clip_of(handless[30:], "arm_lifting")]
    found = judge_recordings(by_wrist_height, [good, stub, empty, *takes], EXERCISES, live=always_doing)
    assert found.skipped == [empty.name]
    assert found.names == [good.name, stub.name, *(take.name for take in takes)]
    score = score_of(found, EXERCISES)
    assert score["recording_acc"] == 1.0
    assert score["n_windows"] == len(found.window_places) == sum(len(window_ends(c)[0]) for c in (good, stub, *takes))
    assert score["n_recordings"] == 4
    assert score["streaming_acc"] > 0.6
    assert score["precision"][1] is None
    assert json.loads(json.dumps(score)) == score


def test_a_folder_without_anybody_is_refused(make_film: Film) -> None:
    short = clip_of(make_film("squat", 1)[:2], "squat")
    with pytest.raises(RecordingError, match="none of 1 shows a person"):
        judge_recordings(by_wrist_height, [short], EXERCISES)
    with pytest.raises(RecordingError, match="expected one of"):
        judge_recordings(by_wrist_height, [clip_of(make_film("squat", 1), "dancing")], EXERCISES)


def test_half_overlapping_windows_of_64_frames(make_film: Film) -> None:
    clip = clip_of(make_film("squat", 2), "squat")
    ends_ns, samples = window_ends(clip)
    assert samples == 21
    np.testing.assert_array_equal(ends_ns, clip.stamps_ns[63::32])


def test_one_odd_window_does_not_turn_the_label_so_far() -> None:
    windows = np.tile([0.8, 0.1, 0.1], (20, 1))
    windows[10] = [0.05, 0.9, 0.05]
    belief = follow(windows, np.ones(20), 0.5)
    np.testing.assert_allclose(belief.sum(axis=1), 1.0)
    assert (belief.argmax(axis=1) == 0).all()
    assert belief[9, 0] > belief[0, 0] > 1 / 3
    turned = follow(np.concatenate([windows, np.tile([0.1, 0.8, 0.1], (20, 1))]), np.ones(40), 0.5)
    assert turned[-1].argmax() == 1


def test_standing_still_says_nothing_about_the_exercise() -> None:
    idle, busy = np.tile([0.8, 0.1, 0.1], (60, 1)), np.tile([0.1, 0.8, 0.1], (3, 1))
    windows, doing = np.concatenate([idle, busy]), np.array([0.0] * 60 + [1.0] * 3)
    assert follow(windows, doing, 0.5)[-1].argmax() == 1
    assert follow(windows, np.ones(63), 0.5)[-1].argmax() == 0


def test_none_is_said_when_nothing_is_likely_enough() -> None:
    logits = np.log(np.array([[0.1, 0.6, 0.1, 0.1, 0.05, 0.05], [0.2, 0.4, 0.1, 0.1, 0.1, 0.1], [0.9] + [0.02] * 5]))
    np.testing.assert_array_equal(said_of(logits), [1, 0, 0])
    figures = none_figures(logits, np.array([1, 1, 0]))
    assert figures["none_false_pct"] == 0.0
    assert figures["none_recall_pct"] == 50.0


def test_the_interval_counts_people_not_windows() -> None:
    right, subjects = np.array([1.0] * 900 + [0.0] * 100), ["a"] * 900 + ["b"] * 100
    low, high = interval_of(right, subjects, 0)
    assert (low, high) == (0.0, 1.0)
    low, high = interval_of(right, [str(n) for n in range(1000)], 0)
    assert 0.87 < low < 0.9 < high < 0.93


@pytest.mark.parametrize("label", EXERCISES)
def test_the_movement_starts_where_the_film_says(make_film: Film, label: str) -> None:
    clip = clip_of(make_film(label, 3, noise_m=0.003), label)
    start_ns = movement_start_ns(clip)
    assert start_ns is not None
    assert 0.8 <= (start_ns - clip.stamps_ns[0]) * 1e-9 <= 2.6  # one second of standing, 0.8 s of getting ready


def test_nobody_moving_has_no_start(make_film: Film) -> None:
    assert movement_start_ns(clip_of(make_film("squat", 1)[:15], "squat")) is None


def test_what_an_evaluation_leaves_behind(make_film: Film, tmp_path: Path) -> None:
    clips = [clip_of(make_film(label, 2), label) for label in ("squat", "arm_lifting")]
    found = judge_recordings(by_wrist_height, clips, EXERCISES)
    write_recognition(tmp_path / "new", score_of(found, EXERCISES), found, EXERCISES)
    facts = json.loads((tmp_path / "new" / "recognition.json").read_text())
    assert facts["n_recordings"] == 2
    with (tmp_path / "new" / "recordings.csv").open(newline="") as file:
        assert [row["answer"] for row in csv.DictReader(file)] == ["squat", "arm_lifting"]
    for name in ("confusion.png", "roc.png"):
        picture = cv2.imread(str(tmp_path / "new" / name))
        assert picture is not None
        assert picture.std() > 1.0


def test_other_sets_need_weights_of_their_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["evaluate", "recognition", "--dataset", "mars", "--root", str(tmp_path)]) == 2
    assert "rehab-pose train recognition --dataset mars" in capsys.readouterr().err


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


def test_the_shipped_weights_on_a_folder_nobody_has_seen(
    make_film: Film, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings = {}
    for number, label in enumerate(EXERCISES, start=1):
        frames = make_film(label, 3)
        points_m = np.array([joints.positions_m for joints in frames])
        points_m[40:50] = np.nan  # blank rows
        recordings[f"X_ID1_Es{number}_a"] = (number, points_m, np.arange(len(points_m)) * 33)
    stub = recordings["X_ID1_Es5_a"][1][100:150]
    recordings["X_ID1_Es5_b"] = (5, stub, np.arange(len(stub)) * 33)
    recordings["X_ID2_Es1_a"] = (1, np.full((80, 24, 3), np.nan), np.arange(80) * 33)
    recordings["X_ID2_Es6_a"] = (6, stub, np.arange(len(stub)) * 33)
    write_kimore(tmp_path, recordings)
    command = ["evaluate", "recognition", "--dataset", "kimore", "--root", str(tmp_path)]
    assert main([*command, "--json", "--streaming", "--output", str(tmp_path / "out")]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["n_recordings"] == 6
    assert facts["skipped"] == ["X_ID2_Es1_a"]
    assert facts["recording_acc"] >= 4 / 6
    assert facts["n_windows"] > 20
    assert 0.5 < facts["window_acc"] <= 1.0
    assert np.array(facts["confusion"]).sum() == 6
    assert (tmp_path / "out" / "recognition.json").is_file()
    assert main([*command, "--subjects", "X_ID1"]) == 0
    assert "recording_acc" in capsys.readouterr().out
    assert main([*command, "--subjects", "nobody"]) == 2


def test_labels_begin_with_none() -> None:
    assert LABELS[1:] == EXERCISES
