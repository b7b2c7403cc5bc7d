"""Results are written whole or not at all, and never over a file that was there."""

from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING

import pytest

from rehab_pose.errors import RecordingError
from rehab_pose.output_file import refuse_existing, replace_private, write_new

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_file_is_written_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    write_new(path, b"content")
    assert path.read_bytes() == b"content"
    assert [file.name for file in path.parent.iterdir()] == ["b.json"]


def test_a_file_that_exists_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text("mine")
    with pytest.raises(RecordingError, match="exists already"):
        write_new(path, b"content")
    assert path.read_text() == "mine"


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RecordingError, match="is not a folder"):
        refuse_existing([tmp_path / "file" / "out.png"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RecordingError, match="can be written"):
        refuse_existing([tmp_path / "out.png"])


def test_a_private_file_is_replaced_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    for content in ("first", "second"):
        replace_private(path, content, sync=True)
        assert path.read_text() == content
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_a_private_file_that_cannot_be_replaced_is_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    replace_private(path, "first", sync=False)

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        replace_private(path, "second", sync=True)
    assert path.read_text() == "first"
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(RecordingError, match="expected to write"):
            write_new(tmp_path / "large.bin", bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())
