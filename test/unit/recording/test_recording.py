"""A recording in Python: what was written is read back; missing stays missing; tables have units."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

import rehab_pose
from rehab_pose.bags.reader import BagReader
from rehab_pose.bags.writer import BagWriter
from rehab_pose.errors import MissingDependencyError, RecordingError
from rehab_pose.messages import topics
from rehab_pose.messages.topic_names import full_name
from rehab_pose.recording.recording import has_results
from rehab_pose_sim.cli.main import main as simulator
from rehab_pose_sim.known_results import (
    ANGLES,
    FRAMES,
    HEIGHT_M,
    JOINTS_BEHIND_BODY_M,
    MISSING_FRAMES,
    RATE_HZ,
    body_at,
    stamp,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_tracks_hold_what_was_recorded_and_nan_where_no_person_was(known_results: Path) -> None:
    recording = rehab_pose.open(known_results)
    assert recording.stamps_ns.tolist() == [stamp(frame) for frame in range(FRAMES)]
    assert recording.rate_hz == pytest.approx(RATE_HZ)
    missing = np.zeros(FRAMES, bool)
    missing[list(MISSING_FRAMES)] = True
    assert (np.isnan(recording.joints.positions_m).all(axis=(1, 2)) == missing).all()
    assert (recording.body.present == ~missing).all()
    assert (recording.joints.confidence[missing] == 0.0).all()
    for frame in (0, 11, 20):
        body = body_at(frame)
        assert recording.joints.positions_m[frame] == pytest.approx(
            body.joint_positions_m + JOINTS_BEHIND_BODY_M, abs=1e-6
        )
        assert recording.body.rotations_rad[frame] == pytest.approx(body.parameters.rotations_rad, abs=1e-6)
    assert recording.floor_plane[3] == pytest.approx(HEIGHT_M)
    assert recording.angles.names == ANGLES
    assert [repetition.count for repetition in recording.repetitions] == [1, 2]
    assert set(recording.exercise.labels) == {"squat"}
    assert not recording.losses


def test_tables_have_one_row_a_frame_and_degrees(known_results: Path) -> None:
    recording = rehab_pose.open(known_results)
    table = recording.to_pandas()
    assert table.index.tolist() == recording.stamps_ns.tolist()
    assert table["time_s"].iloc[-1] == pytest.approx((FRAMES - 1) / RATE_HZ)
    assert table["trunk_flexion_deg"].iloc[0] == pytest.approx(np.degrees(0.1))
    assert table.loc[stamp(0), "left_knee_y_m"] == pytest.approx(body_at(0).joint_positions_m[4, 1])
    assert table.iloc[MISSING_FRAMES[0]].filter(like="_deg").isna().all()
    repetitions = recording.repetitions_to_pandas()
    assert repetitions["maximum"].tolist() == pytest.approx([45.0, 45.0])
    assert repetitions["unit"].tolist() == ["deg", "deg"]
    assert repetitions["side"].tolist() == ["left", "left"]
    assert repetitions["turn_s"].isna().all()


def test_the_data_set_has_named_dimensions_and_units(known_results: Path) -> None:
    data = rehab_pose.open(known_results).to_xarray()
    position = data["position"].sel(stamp_ns=stamp(20), joint="left_knee")
    assert position.values == pytest.approx(body_at(20).joint_positions_m[4] + JOINTS_BEHIND_BODY_M, abs=1e-6)
    assert data["position"].attrs["units"] == "m"
    assert data["angle"].sel(angle_name="trunk_flexion").values[0] == pytest.approx(np.degrees(0.1))


def test_a_topic_that_lacks_frames_and_a_repeated_stamp_are_aligned_by_stamp(
    known_results: Path, tmp_path: Path
) -> None:
    angles = full_name(topics.JOINT_ANGLES)
    with BagReader(known_results) as reader, BagWriter(tmp_path / "less") as bag:
        for message in reader.serialized():
            if message.topic.name == angles and message.time_ns == stamp(3):
                continue
            for _ in range(2 if message.time_ns == stamp(5) and message.topic.name != angles else 1):
                bag.write_serialized(message.topic.name, message.topic.type_name, message.time_ns, message.data)
    table = rehab_pose.open(tmp_path / "less").to_pandas()
    assert table.index.tolist() == [stamp(frame) for frame in range(FRAMES)]
    assert np.isnan(table["trunk_flexion_deg"].iloc[3])
    assert table["trunk_flexion_deg"].iloc[4] == pytest.approx(np.degrees(0.14))


@pytest.mark.parametrize(
    "place", ["", "/robot1/rehab_pose", "/robot1"], ids=["earlier version", "robot", "earlier robot"]
)
def test_results_with_other_namespaces_are_opened(known_results: Path, tmp_path: Path, place: str) -> None:
    with BagReader(known_results) as reader, BagWriter(tmp_path / "other") as bag:
        for message in reader.serialized():
            name = message.topic.name.replace("/rehab_pose", place, 1)
            bag.write_serialized(name, message.topic.type_name, message.time_ns, message.data)
    with rehab_pose.open(tmp_path / "other") as other, rehab_pose.open(known_results) as known:
        assert other.to_pandas().equals(known.to_pandas())


def test_a_bag_without_results_is_refused_with_the_way_to_process_it(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "camera") as bag:
        bag.add_topic("/rgb/image_rect_color", "sensor_msgs/msg/Image", latched=False)
    assert not has_results(tmp_path / "camera")
    with pytest.raises(RecordingError, match=r"for a camera's bag use rehab_pose\.process"):
        rehab_pose.open(tmp_path / "camera")


def test_missing_packages_of_tables_are_named(known_results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'rehab_pose\[exports\]'"):
        rehab_pose.open(known_results).to_pandas()


def test_a_cut_bag_says_what_is_missing(known_results: Path, tmp_path: Path) -> None:
    content = next(known_results.glob("*.mcap")).read_bytes()
    (tmp_path / "cut.mcap").write_bytes(content[: len(content) // 2])
    recording = rehab_pose.open(tmp_path / "cut.mcap")
    assert 0 < len(recording.stamps_ns) < FRAMES
    assert recording.losses == "left out: 1 file without its end"


def test_processing_a_camera_bag_gives_the_results_and_removes_the_temporary_folder(tmp_path: Path) -> None:
    assert simulator(["bag", "-o", str(tmp_path / "clip"), "--frames", "8"]) == 0
    with rehab_pose.process(tmp_path / "clip") as recording:
        folder = recording.path
        assert folder.is_dir()
        assert len(recording.stamps_ns) == 8
        assert np.isfinite(recording.joints.positions_m).any()
    assert not folder.exists()
    kept = rehab_pose.process(tmp_path / "clip", tmp_path / "out")
    assert (tmp_path / "out" / "summary.json").is_file()
    assert np.array_equal(kept.joints.positions_m, recording.joints.positions_m, equal_nan=True)
