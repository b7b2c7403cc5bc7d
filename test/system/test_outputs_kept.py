"""`record`, `play` and `session export` change nothing that was there before."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from rehab_pose.bags.message_types import type_store
from rehab_pose.bags.writer import BagWriter
from rehab_pose.cli.main import main
from rehab_pose.messages import topics
from rehab_pose.session.journal import Journal
from rehab_pose.session.journal_content import JournalHeader
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return content and time of modification of each file below a folder, and of the folders the time."""
    return {
        str(path.relative_to(folder)): (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }


def label_bag(path: Path) -> Path:
    with BagWriter(path) as bag:
        for index in range(3):
            label = type_store().types["std_msgs/msg/String"](data=f"label {index}")
            bag.write(topics.EXERCISE_LABEL, NS_PER_S + index * NS_PER_S // 30, label)
    return path


def used_places(folder: Path) -> list[Path]:
    """Return a folder with a file, a bag, a file and a link to another folder."""
    (folder / "theirs").mkdir()
    (folder / "theirs" / "metadata.yaml").write_text("mine", encoding="utf-8")
    (folder / "file").write_text("mine", encoding="utf-8")
    (folder / "link").symlink_to("theirs")
    return [folder / "theirs", label_bag(folder / "bag"), folder / "file", folder / "link"]


@pytest.mark.parametrize("number", range(4))
def test_record_refuses_a_place_that_is_used(tmp_path: Path, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rclpy", reason="ROS is not installed")
    place = used_places(tmp_path)[number]
    before = contents(tmp_path)
    assert main(["record", "-o", str(place), "--duration", "0.1"]) == 2
    assert str(place) in capsys.readouterr().err
    assert contents(tmp_path) == before


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("more", [[], ["--deidentified"], ["--to", "csv"]])
def test_session_export_refuses_a_place_that_is_used(
    tmp_path: Path, number: int, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    sessions = tmp_path / "sessions"
    folder = sessions / "p7_s1"
    folder.mkdir(parents=True)
    journal = Journal.begin(folder, JournalHeader("s1", "p7"))
    journal.add("end", state="done", message="stopped")
    journal.close()
    place = used_places(tmp_path)[number]
    before = contents(tmp_path)
    assert main(["session", "export", "p7_s1", "-o", str(place), "--folder", str(sessions), *more]) == 2
    assert str(place) in capsys.readouterr().err
    after = contents(tmp_path)
    for path in ("sessions", "sessions/audit.log"):
        after.pop(path, None)
        before.pop(path, None)
    assert after == before


def test_play_changes_nothing_in_the_recording(tmp_path: Path) -> None:
    pytest.importorskip("rclpy", reason="ROS is not installed")
    bag = label_bag(tmp_path / "bag")
    before = contents(tmp_path)
    for words, code in (([str(bag), "--wait", "0"], 0), ([str(tmp_path / "none")], 2)):
        played = subprocess.run(
            [sys.executable, "-m", "rehab_pose.cli.main", "play", *words],
            env={**os.environ, "ROS_LOG_DIR": str(tmp_path.parent / "log")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert played.returncode == code, played.stderr
        assert contents(tmp_path) == before
