"""The examples run: each is what a newcomer copies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_cells_of_the_notebook_run_in_order(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = json.loads((repository / "examples" / "recording.ipynb").read_text())
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"], "outputs are not committed"
            exec("".join(cell["source"]), names)  # noqa: S102  (the notebook of this repository)
    assert names["recording"].repetitions
    assert "deepest knee flexion" in capsys.readouterr().out


REALSENSE = """
import numpy as np
from types import SimpleNamespace as Thing
class Frame:
    def __init__(self, data): self.data = data
    def get_data(self): return self.data
    def get_timestamp(self): return 1000.0 * next(times)
times = iter(np.arange(1.0, 9.0, 1 / 30))
stream, format = Thing(color="color", depth="depth"), Thing(rgb8="rgb8", z16="z16")
lens = Thing(width=640, height=480, fx=460.0, fy=460.0, ppx=319.5, ppy=239.5)
class config:
    def enable_stream(self, *settings): assert settings[1:3] == (640, 480)
class align:
    def __init__(self, target): assert target == "color"
    def process(self, frames): return frames
class pipeline:
    def start(self, config):
        sensor, profile = Thing(get_depth_scale=lambda: 0.001), Thing(get_intrinsics=lambda: lens)
        device = Thing(first_depth_sensor=lambda: sensor)
        color = Thing(as_video_stream_profile=lambda: profile)
        return Thing(get_device=lambda: device, get_stream=lambda kind: color)
    def wait_for_frames(self):
        color, depth = np.full((480, 640, 3), 90, np.uint8), np.full((480, 640), 2000, np.uint16)
        color[::7, ::5] = 200
        return Thing(get_color_frame=lambda: Frame(color), get_depth_frame=lambda: Frame(depth))
    def stop(self): print("stopped")
"""
"""A stand-in for pyrealsense2 with the calls that the example makes."""


def test_the_realsense_example_reads_a_camera(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "pyrealsense2.py").write_text(REALSENSE)
    command = [sys.executable, str(repository / "examples" / "realsense_camera.py"), "--frames", "3"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["now: none", "stopped"]
