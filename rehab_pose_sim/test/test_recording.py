"""Simulated frames come back from a bag as they were rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.bags.reader import BagReader
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.cli.main import main
from rehab_pose_sim.recording import FIRST_STAMP_NS, write_bag
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from numpy.typing import NDArray

SETTINGS = SimulationSettings(width_px=160, height_px=120, fx=115.0, fy=115.0, exercise="squat", gap_s=0.0)
HALF_MM = 0.00051


def test_colour_and_depth_come_back_to_half_a_millimetre(tmp_path: Path) -> None:
    write_bag(tmp_path / "bag", SETTINGS, [0, 3])
    camera = SimulatedCamera(SETTINGS)
    with BagReader(tmp_path / "bag") as reader:
        frames = list(reader.frames())
    assert [frame.stamp_ns for frame in frames] == [FIRST_STAMP_NS, FIRST_STAMP_NS + 100_000_000]
    for frame, index in zip(frames, (0, 3), strict=True):
        rendered = camera.frame(index).frame
        np.testing.assert_array_equal(frame.color, rendered.color)
        both = np.isfinite(frame.depth_m) & np.isfinite(rendered.depth_m)
        assert both.mean() > 0.5
        np.testing.assert_allclose(frame.depth_m[both], rendered.depth_m[both], atol=HALF_MM)


def test_depth_may_be_changed_frame_by_frame(tmp_path: Path) -> None:
    def remove_second(index: int, depth: NDArray[np.uint16]) -> None:
        if index == 1:
            depth[:] = 0

    write_bag(tmp_path / "bag", SETTINGS, range(2), change_depth=remove_second)
    with BagReader(tmp_path / "bag") as reader:
        first, second = reader.frames()
    assert np.isfinite(first.depth_m).any()
    assert np.isnan(second.depth_m).all()


def test_the_command_writes_a_bag_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["bag", "-o", str(tmp_path / "bag"), "--frames", "2", "--exercise", "squat"]
    assert main(arguments) == 0
    assert main(arguments) == 2, "an existing folder is not overwritten"
    assert main(["bag", "-o", str(tmp_path / "other"), "--frames", "0"]) == 2
    assert "--frames: expected at least 1, got 0" in capsys.readouterr().err
