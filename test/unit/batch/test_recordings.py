"""Bags below folders, and their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehab_pose.batch.recordings import find_recordings, is_bag
from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    from pathlib import Path


def make(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_parts_of_one_bag_and_single_recordings_are_told_apart(tmp_path: Path) -> None:
    assert is_bag(make(tmp_path / "split", "metadata.yaml", "a.mcap", "b.mcap"))
    assert is_bag(make(tmp_path / "walk", "walk_0.db3", "walk_1.db3"))
    assert is_bag(make(tmp_path / "one", "anything.bag"))
    assert is_bag(make(tmp_path / "packed", "packed_0.mcap.zstd"))
    assert not is_bag(make(tmp_path / "people", "p01.mcap", "p02.mcap"))
    assert not is_bag(make(tmp_path / "images", "a.png"))
    assert is_bag(tmp_path / "people" / "p01.mcap")


def test_names_are_the_paths_below_the_given_folder(tmp_path: Path) -> None:
    make(tmp_path / "day1" / "walk", "metadata.yaml", "walk_0.mcap")
    make(tmp_path / "day2", "p01.mcap", "p02.mcap.zstd", "._p03.mcap", "notes.txt")
    make(tmp_path / ".hidden", "x.mcap")
    found = find_recordings([tmp_path])
    assert list(found) == ["day1__walk", "day2__p01", "day2__p02"]
    assert found["day1__walk"] == tmp_path / "day1" / "walk"
    assert list(find_recordings([tmp_path / "day2" / "p01.mcap", tmp_path / "day1" / "walk"])) == ["p01", "walk"]


def test_equal_names_and_empty_folders_are_refused(tmp_path: Path) -> None:
    first, second = make(tmp_path / "a" / "walk", "walk.mcap"), make(tmp_path / "b" / "walk", "walk.mcap")
    with pytest.raises(RecordingError, match="are both walk"):
        find_recordings([first, second])
    with pytest.raises(RecordingError, match="expected bags below"):
        find_recordings([make(tmp_path / "empty")])
    with pytest.raises(RecordingError, match="there is nothing"):
        find_recordings([tmp_path / "missing"])
