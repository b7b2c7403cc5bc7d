"""`rehab-pose exercise add` and `remove`: from a folder of recordings to a label, a definition and a picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.cli.main import main
from rehab_pose.exercise.exercise_library import ExerciseLibrary
from rehab_pose.exercise.window_classifier import WindowClassifier
from rehab_pose.session.file_names import AUDIT_LOG, JOURNAL
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rehab_pose.datatypes import Joints

    Film = Callable[..., list[Joints]]


@pytest.fixture
def recordings(make_film: Film, tmp_path: Path) -> Path:
    """Return a folder with recordings of two people, who tilt to the sides."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    for number in range(3):
        frames = make_film("lateral_trunk_tilt", 2, yaw_rad=0.1 * number)
        np.savez(
            folder / f"p{number // 2}_{number}.npz",
            stamps_ns=np.array([joints.stamp_ns for joints in frames]),
            positions_m=np.array([joints.positions_m for joints in frames]),
        )
    return folder


def test_a_folder_of_recordings_becomes_a_label(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = tmp_path / "library"
    command = ["exercise", "add", "side_bend", "--bags", str(recordings), "--library", str(library)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "with each person left out: " in printed
    assert "3 recordings of 2 people" in printed
    definition = ExerciseLibrary.load(library).definition("side_bend")
    assert definition.signal.minimum_range > 0.05
    assert "side_bend" in WindowClassifier(folder=library).labels
    assert (library / "side_bend.png").is_file()
    assert main(command) == 2
    assert "--replace" in capsys.readouterr().err
    assert main([*command, "--replace"]) == 0
    assert main(["exercise", "remove", "side_bend", "--library", str(library)]) == 0
    assert not list(library.iterdir())
    assert main(["exercise", "remove", "side_bend", "--library", str(library)]) == 2


def test_reading_recordings_of_a_session_is_in_the_audit_log(recordings: Path, tmp_path: Path) -> None:
    (recordings / JOURNAL).touch()
    command = ["exercise", "add", "side_bend", "--bags", str(recordings), "--library", str(tmp_path / "library")]
    assert main(command) == 0
    lines = [json.loads(line) for line in (tmp_path / AUDIT_LOG).read_text().splitlines()]
    assert [(line["action"], line["session"]) for line in lines] == [("read", "recordings")] * 3


def test_an_existing_definition_is_not_overwritten(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    definition = tmp_path / "side_bend.yaml"
    definition.write_text("mine", encoding="utf-8")
    assert main(["exercise", "add", "side_bend", "--bags", str(recordings), "--library", str(tmp_path)]) == 2
    assert str(definition) in capsys.readouterr().err
    assert definition.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["squat", "Side Bend", "../x"])
def test_names_that_cannot_be_used_are_refused(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["exercise", "add", name, "--bags", str(recordings), "--library", str(tmp_path)]) == 2
    assert "expected a new name" in capsys.readouterr().err


def test_unusable_recordings_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["exercise", "add", "side_bend", "--library", str(tmp_path / "library"), "--bags"]
    assert main([*command, str(tmp_path / "absent")]) == 2
    assert "found none" in capsys.readouterr().err
    (tmp_path / "p1_a.npz").write_bytes(b"no archive")
    assert main([*command, str(tmp_path)]) == 2
    assert "p1_a.npz" in capsys.readouterr().err
    np.savez(tmp_path / "p1_a.npz", stamps_ns=np.arange(5), positions_m=np.zeros((5, len(SMPL_24), 2)))
    assert main([*command, str(tmp_path)]) == 2
    assert "positions_m (T, 24 or 16, 3)" in capsys.readouterr().err
