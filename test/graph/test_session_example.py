"""The example of the documentation: three sessions by commands only, with report, trend and export."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.graph, pytest.mark.slow]

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "session_example.sh"
LONGEST_S = 300
"""Longest time of the script [s]: 45 s on two idle cores, and several times that on busy ones."""


def test_the_example_of_the_documentation_leaves_report_trend_and_export(tmp_path: Path) -> None:
    pytest.importorskip("rclpy", reason="ROS is not installed")
    pytest.importorskip("rehab_pose_msgs", reason="the message package is not built")
    pytest.importorskip("weasyprint", reason="the extra `reports` is not installed")
    programs = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
        "ROS_DOMAIN_ID": str(101 + os.getpid() % 100),
        "OMP_NUM_THREADS": "1",
    }
    run = subprocess.run(
        [str(SCRIPT), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr + (tmp_path / "graph.log").read_text()
    assert run.stdout.count("ended: Squat, 1 of 1 repetitions") == 2
    assert "Traceback" not in run.stderr + (tmp_path / "graph.log").read_text()
    for name in ("report.pdf", "trend.pdf"):
        assert (tmp_path / name).read_bytes().startswith(b"%PDF"), name
    report = max((tmp_path / "sessions").glob("P01_*/*_repetitions.json"))
    content = json.loads(report.read_text())
    assert content["session"]["counted"] >= 5
    assert content["session"]["end"] == "stopped"
    knees = [entry["movement"]["angles_deg"]["left_knee_flexion"] for entry in content["repetitions"][1:]]
    assert all(low < 45 < high for low, high in knees), f"the person bends the knees to about 90 degrees: {knees}"
    [bundle] = (tmp_path / "export").glob("*.json")
    assert len(json.loads(bundle.read_text())["entry"]) == 1 + len(content["repetitions"])
