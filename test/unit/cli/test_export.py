"""`rehab-pose export`: files, refusals and what is said about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehab_pose.cli.main import main
from rehab_pose_sim.cli.main import main as simulator

if TYPE_CHECKING:
    from pathlib import Path


def test_files_are_named_after_the_recording_and_listed(
    known_results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(known_results), "--to", "trc,.MOT,csv", "-o", str(tmp_path / "out")]) == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"walk.trc", "walk.mot", "walk.csv", "walk_repetitions.csv"}
    assert "3 of 40 frames without a person" in capsys.readouterr().out
    assert main(["export", str(known_results), "--to", "trc", "-o", str(tmp_path / "out")]) == 2
    assert "exists already" in capsys.readouterr().err


def test_unknown_formats_are_refused_with_the_nearest_one(
    known_results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(known_results), "--to", "tcr", "-o", str(tmp_path)]) == 2
    assert "did you mean trc?" in capsys.readouterr().err
    assert main(["export", str(known_results), "--to", ",", "-o", str(tmp_path)]) == 2
    assert main(["export", str(tmp_path), "--to", "trc", "-o", str(tmp_path / "out")]) == 2
    assert not list(tmp_path.iterdir())


def test_a_video_needs_the_camera(known_results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(known_results), "--to", "mp4", "-o", str(tmp_path / "out")]) == 2
    assert "without the camera's images" in capsys.readouterr().err


def test_a_camera_recording_is_processed_and_drawn(tmp_path: Path) -> None:
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    assert simulator(["bag", "-o", str(tmp_path / "clip"), "--frames", "8"]) == 0
    assert main(["export", str(tmp_path / "clip"), "--to", "mp4,c3d", "-o", str(tmp_path / "out")]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"clip.mp4", "clip.c3d"}
    frames, _ = imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "out" / "clip.mp4"))
    assert frames == 8
