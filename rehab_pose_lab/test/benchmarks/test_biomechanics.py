"""Errors of the joint-angle solvers on one file of keypoints with known rotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose_lab.benchmarks.biomechanics import ik_metrics
from rehab_pose_lab.methods.biomechanics.ik_sequences import ik_sequences
from rehab_pose_lab.methods.biomechanics.preset import load_kinepose_preset

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_evaluated_within_the_expected_errors(tmp_path: Path) -> None:
    sequence = ik_sequences(load_kinepose_preset())[0]
    file = tmp_path / "one.npz"
    np.savez(file, keypoints16=sequence.keypoints_m, ori_gt=sequence.rotations)
    metrics = ik_metrics(file)
    assert metrics["mpjas_online_deg"] < 1.0
    assert metrics["mpjas_offline_deg"] < 0.75
    assert metrics["limit_violations"] == 0.0


def test_the_errors_are_below_kineposes_on_its_data(shared_data: Path) -> None:
    folder = shared_data / "kinepose"
    if not folder.is_dir():
        pytest.skip(f"no KinePose data at {folder}")
    for name in ("synth_a_ext", "synth_b_bent"):
        metrics = ik_metrics(folder / f"{name}.npz")
        assert metrics["mpjas_online_deg"] < metrics["kinepose_mpjas_deg"]
        assert metrics["mpjas_offline_deg"] < 0.75
