"""Only segments of this user's ended programs are removed."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from typing import TYPE_CHECKING

from rehab_pose.launching.dead_segments import remove_dead_segments

if TYPE_CHECKING:
    from pathlib import Path

DEAD, LIVE, UNLOCKED = "fastdds_0123456789abcdef", "fastdds_fedcba9876543210", "fastdds_00000000000000ff"
HOLD = (
    "import fcntl, sys, time; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); "
    "time.sleep(60)"
)


def make(folder: Path, name: str, *, lock: bool = True) -> None:
    (folder / name).write_bytes(b"0" * 1000)
    if lock:
        (folder / f"{name}_el").touch()


def test_a_segment_is_removed_once_its_owner_has_been_killed(tmp_path: Path) -> None:
    make(tmp_path, DEAD)
    owner = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / f"{DEAD}_el")], stdout=subprocess.PIPE)
    try:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"
        assert remove_dead_segments(tmp_path) == (0, 0)
        assert (tmp_path / DEAD).is_file()
    finally:
        owner.kill()
        owner.communicate()
    assert remove_dead_segments(tmp_path) == (1, 1000)
    assert not any(tmp_path.iterdir())


def test_files_of_another_form_stay(tmp_path: Path) -> None:
    make(tmp_path, LIVE)
    make(tmp_path, UNLOCKED, lock=False)
    for name in (
        "fastdds_port7411",
        "sem.fastdds_port7411_mutex",
        "fastdds_xyz",
        "my_file",
        "fastdds_0123456789abcdef0",
    ):
        make(tmp_path, name)
    with (tmp_path / f"{LIVE}_el").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        before = sorted(tmp_path.iterdir())
        assert remove_dead_segments(tmp_path).segments == 0
        assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_does_not_exist_has_no_segments(tmp_path: Path) -> None:
    assert remove_dead_segments(tmp_path / "missing") == (0, 0)
