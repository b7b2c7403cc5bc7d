"""The demo validates its input first and never touches results of an earlier run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehab_pose.errors import RecordingError
from rehab_pose_sim.cli.demo import unused_folder
from rehab_pose_sim.cli.main import main

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
