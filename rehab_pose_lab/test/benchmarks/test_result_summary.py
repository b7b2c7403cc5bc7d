"""Summaries of two versions: equal results agree, each kind of difference is found."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from rehab_pose.errors import RecordingError
from rehab_pose.pipeline import Pipeline
from rehab_pose_lab.benchmarks.result_summary import compare_summaries, read_summary, summarise, write_summary
from rehab_pose_lab.cli.main import main
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = 3


@pytest.fixture(scope="module")
def entries() -> list[dict[str, Any]]:
    camera = SimulatedCamera(SimulationSettings(exercise="squat", gap_s=0.0))
    return summarise(Pipeline(), (camera.frame(index).frame for index in range(FRAMES)), "squat")


def test_the_same_frames_give_the_same_summary(entries: list[dict[str, Any]], tmp_path: Path) -> None:
    write_summary(tmp_path / "a.json", entries)
    largest, sentences = compare_summaries(entries, read_summary(tmp_path / "a.json"), 0.0)
    assert not sentences
    assert set(largest) >= {"joints_m", "angles_rad", "joint_rotations"}
    assert set(largest.values()) == {0.0}


@pytest.mark.parametrize(
    ("field", "value"), [("label", "squat"), ("silhouette_px", 0), ("joints_m", None), ("repetition", ["squat", 1])]
)
def test_each_changed_field_is_named(entries: list[dict[str, Any]], field: str, value: object) -> None:
    changed = copy.deepcopy(entries)
    changed[1][field] = value
    _, sentences = compare_summaries(entries, changed, 1e-6)
    assert sentences == [f"squat 1: {field} differs by None"]


def test_numbers_differ_beyond_the_tolerance_only(entries: list[dict[str, Any]]) -> None:
    changed = copy.deepcopy(entries)
    changed[2]["joints_m"][5] += 1e-4
    largest, sentences = compare_summaries(entries, changed, 1e-3)
    assert largest["joints_m"] == pytest.approx(1e-4, rel=1e-6)
    assert not sentences
    assert len(compare_summaries(entries, changed, 1e-5)[1]) == 1


def test_a_missing_frame_is_a_difference(entries: list[dict[str, Any]]) -> None:
    assert compare_summaries(entries, entries[:2], 1.0)[1] == [f"{FRAMES} frames against 2"]


def test_the_command_tells_by_its_exit_code(
    entries: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = copy.deepcopy(entries)
    changed[0]["label"] = "squat"
    write_summary(tmp_path / "a.json", entries)
    write_summary(tmp_path / "b.json", changed)
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "a.json")]) == 0
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 1
    assert "squat 0: label differs" in capsys.readouterr().out
    with pytest.raises(RecordingError, match="expected a new file"):
        write_summary(tmp_path / "a.json", entries)
    (tmp_path / "c.json").write_text("[]")
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "c.json")]) == 2
