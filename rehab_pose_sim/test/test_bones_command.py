"""`rehab-pose-sim bones`: files and a picture of the bones of the simulated person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from rehab_pose_sim.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_command_writes_files_and_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "bones.png"
    assert main(["bones", "-o", str(tmp_path / "out"), "--exercise", "squat", "--picture", str(picture)]) == 0
    printed = capsys.readouterr().out
    assert "76 bones (procedural)" in printed
    assert "lumbar lordosis" in printed
    image = cv2.imread(str(picture))
    assert image is not None
    assert (image < 200).any(axis=2).sum() > 100
    assert main(["bones", "-o", str(tmp_path / "out"), "--exercise", "moonwalk"]) == 2
