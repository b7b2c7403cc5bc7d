"""The examples run: each is what a newcomer copies."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def test_the_cells_of_the_notebook_run_in_order(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = json.loads((repository / "examples" / "recording.ipynb").read_text())
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"], "outputs are not committed"
            exec("".join(cell["source"]), names)  # noqa: S102  (the notebook of this repository)
    assert names["recording"].repetitions
    assert "deepest knee flexion" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [("process_frames.py", "--frames", "3"), ("live_camera.py", "--seconds", "1")])
def test_the_scripts_run(repository: Path, arguments: tuple[str, ...]) -> None:
    command = [sys.executable, str(repository / "examples" / arguments[0]), *arguments[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout
