"""The benchmark on real people without its data sets, and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import RecordingError
from rehab_pose.pipeline import Pipeline
from rehab_pose_lab.benchmarks import perception_scenes, real
from rehab_pose_lab.benchmarks.real import FIRST_KEYS, RealResult, real_metrics, real_table
from rehab_pose_lab.benchmarks.real_clip import PlaneSteps
from rehab_pose_lab.benchmarks.simulated_people import (
    SimulatedErrors,
    simulated_errors,
    simulated_jitter_mm,
    simulated_scenes,
)

if TYPE_CHECKING:
    from pathlib import Path


def quick_simulation(_: object) -> SimulatedErrors:
    """Return one frame whose joints are all within their intervals but two."""
    errors_m = np.full((1, 24), 0.02)
    errors_m[0, :2] = 0.2
    return SimulatedErrors(errors_m, np.full((1, 24), 0.03), np.full((1, 24), 0.9), PlaneSteps(3, 10, 5, 20))


def test_without_data_sets_the_metrics_are_nan_and_notes_name_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REHAB_POSE_DATA", str(tmp_path))
    monkeypatch.setattr(real, "simulated_errors", quick_simulation)
    monkeypatch.setattr(real, "simulated_jitter_mm", lambda _: np.full((2, 24), 2.5))
    monkeypatch.setattr(real, "machine_metrics", lambda: {"machine_factor": 1.5})
    result = real_metrics()
    assert tuple(result.metrics)[: len(FIRST_KEYS)] == FIRST_KEYS
    missing = [name for name in FIRST_KEYS if np.isnan(result.metrics[name])]
    assert set(FIRST_KEYS) - set(missing) == {"still_rms_mm", "plane_steps", "cover90_pct", "machine_factor"}
    assert [note.split(":")[0] for note in result.notes] == [real.CLIP, real.UTD, real.KINECT]
    assert result.metrics["cover90_pct"] == pytest.approx(100.0 * 22 / 24)
    assert result.metrics["still_rms_mm"] == pytest.approx(2.5)
    assert result.metrics["plane_steps"] == 3.0
    assert result.metrics["plane_confident_pct"] == 50.0


def test_pictures_are_refused_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "old.png").write_bytes(b"old")
    with pytest.raises(RecordingError, match="new or empty"):
        real_metrics(pictures=tmp_path)


def test_the_table_has_the_other_methods_where_they_are_measured() -> None:
    columns = {"network": {"marks_px_mean": 20.5}, "paper": {"marks_px_mean": 46.0}}
    result = RealResult({"marks_px_mean": 7.5, "irds_error_mm": float("nan")}, columns, ("a note",), ())
    lines = real_table(result)
    assert lines[0].split() == ["here", "depth", "only", "paper"]
    assert lines[1].split() == ["marks_px_mean", "7.50", "20.50", "46.00"]
    assert lines[2].split() == ["irds_error_mm", "nan"]
    assert lines[3] == "a note"


def test_the_simulated_clips_are_those_of_no_other_benchmark() -> None:
    scenes = simulated_scenes()
    assert scenes == simulated_scenes()
    assert len({scene.seed for scene in scenes}) == len(scenes)
    assert min(scene.seed for scene in scenes) >= perception_scenes.FIRST_SEED + 400
    assert len({scene.exercise for scene in scenes}) == 5


def test_a_simulated_person_is_measured_with_all_stages() -> None:
    pipeline = Pipeline()
    errors = simulated_errors(pipeline, clips=1, frames=3)
    assert errors.errors_m.shape == errors.sigma_m.shape == errors.confidence.shape == (3, 24)
    assert errors.errors_m.mean() < 0.05
    assert errors.planes.pairs <= 2 * 2
    jitter = simulated_jitter_mm(pipeline, runs=1)
    assert jitter.shape == (1, 24)
    assert 0.0 < jitter.mean() < 20.0
