"""The commands that list and show exercises."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rehab_pose.cli.main import EXIT_UNUSABLE_INPUT, main
from rehab_pose.exercise.definition import read_definition
from rehab_pose.exercise.exercise_library import shipped_library

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_exercises_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def test_list_names_every_exercise_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exercise", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(shipped_library().names)
    marked = {line.split()[0] for line in lines if " trained " in line}
    assert "squat" in marked
    assert "clamshell" not in marked


def test_list_as_json_holds_the_definitions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exercise", "list", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert set(entries) == set(shipped_library().names)
    assert entries["squat"]["signal"]["minimum_range"] == 0.07


def test_show_prints_words_or_a_file_to_start_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exercise", "show", "clamshell"]) == 0
    words = capsys.readouterr().out
    assert "distance(left_knee, right_knee)" in words
    assert max(len(line) for line in words.splitlines()) <= 100
    assert main(["exercise", "show", "clamshell", "--yaml"]) == 0
    file = tmp_path / "clamshell.yaml"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert read_definition(file) == shipped_library().definition("clamshell")


def test_the_users_exercises_are_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["exercise", "show", "clamshell", "--yaml"])
    text = capsys.readouterr().out
    (tmp_path / "clamshell.yaml").write_text(text.replace("hold_s: 10.0", "hold_s: 3"), encoding="utf-8")
    assert main(["exercise", "list", "--library", str(tmp_path)]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("clamshell"))
    assert " own " in line


def test_unknown_names_and_folders_are_unusable_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exercise", "show", "no_such"]) == EXIT_UNUSABLE_INPUT
    assert "expected one of arm_lifting" in capsys.readouterr().err
    assert main(["exercise", "list", "--library", str(tmp_path / "nowhere")]) == EXIT_UNUSABLE_INPUT
    assert "found none at" in capsys.readouterr().err
