"""The demo validates its input first and never touches results of an earlier run."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from rehab_pose.datatypes import Repetition
from rehab_pose.errors import RecordingError, SettingsError
from rehab_pose_sim.cli import demo
from rehab_pose_sim.cli.demo import figure_lines, summary_line, unused_folder
from rehab_pose_sim.cli.main import main, program_parser
from rehab_pose_sim.graph_run import ExerciseScore, GraphPlan, GraphRun

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """Return a folder with results of an earlier run."""
    folder = tmp_path / "mine"
    (folder / "results").mkdir(parents=True)
    (folder / "results" / "results_0.mcap").write_text("precious", encoding="utf-8")
    return folder


def test_a_missing_recording_is_named_and_nothing_is_deleted(earlier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = earlier.parent / "no_such_bag"
    assert main(["demo", str(missing), "-o", str(earlier)]) == 2
    assert "no_such_bag" in capsys.readouterr().err
    assert (earlier / "results" / "results_0.mcap").read_text(encoding="utf-8") == "precious"


def test_a_chosen_folder_with_results_is_refused(earlier: Path) -> None:
    with pytest.raises(RecordingError, match="name another one"):
        unused_folder(earlier)
    assert (earlier / "results" / "results_0.mcap").is_file()


def test_the_default_folder_is_one_without_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folders = []
    for _ in range(3):
        folder = unused_folder(None)
        (folder / "results").mkdir()
        folders.append(folder.name)
    assert folders == ["demo", "demo_2", "demo_3"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RecordingError, match="file/out"):
        unused_folder(tmp_path / "file" / "out")


def test_repetitions_are_told_in_degrees_and_plain_names() -> None:
    lines: list[str] = []
    run = GraphRun(GraphPlan(None, None, composed=True, seconds_per_exercise=9.0), lines.append)
    run._on_repetition(Repetition(9, "cam", "arm_lifting", 2, 1, 9, "arm_elevation_rad", 0.2, 2.85, 0.8))
    run._on_repetition(Repetition(9, "cam", "squat", 1, 1, 9, "pelvis_drop_m", 0.09, 0.38, 0.8))
    assert "repetition 2, height of the arms from 11 to 163 degrees" in lines[0]
    assert "Squat: repetition 1, lowering of the pelvis by 29 cm" in lines[1]
    run._on_repetition(Repetition(9, "cam", "trunk_rotation", 1, 1, 9, "shoulder_yaw_rad", -0.9, 0.85, 0.8))
    assert "turn of the shoulders from 52 degrees right to 49 degrees left" in lines[2]
    assert run.repetitions == 3


def test_the_summary_is_one_line_and_the_figures_are_apart() -> None:
    metrics = {"graph_fps": 29.6, "frames_sent": 300.0, "frames_answered": 290.0}
    scores = [ExerciseScore("squat", True, 1.2, "squat"), ExerciseScore("arm_lifting", False, 9.0, "none")]
    line = summary_line(metrics, scores, 14)
    assert line.startswith("1 of 2 exercises named, 14 repetitions counted; 30 images a second, 290 of 300 images")
    assert "10 came too fast" in line
    assert figure_lines(metrics, scores)[-1].endswith("wrong, most frequent label No exercise")


def test_the_page_takes_a_free_port_unless_one_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("uvicorn", reason="the extra `view` is not installed")
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        port = used.getsockname()[1]
        monkeypatch.setattr(demo, "DEFAULT_PORT", port)
        page = demo._page(program_parser().parse_args(["demo"]))
        assert page is not None
        assert page.settings.port != port
        with pytest.raises(SettingsError, match="cannot be used"):
            demo._page(program_parser().parse_args(["demo", "--port", str(port)]))
