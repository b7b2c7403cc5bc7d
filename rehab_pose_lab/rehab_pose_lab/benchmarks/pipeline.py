"""Benchmark of the pipeline: time per frame of all stages in one process, and memory, on rendered frames."""

from __future__ import annotations

import resource
import time
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.pipeline import Pipeline
from rehab_pose_sim.camera import SimulatedCamera

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["pipeline_metrics"]

FRAMES = 300
WARM_UP_FRAMES = 30
"""Frames that are processed before the measurement."""
KB_PER_MB = 1024.0


def pipeline_metrics() -> dict[str, float]:
    """Return the time of the pipeline and of each stage [ms], the frame rate [Hz] and the peak memory [MB]."""
    camera, pipeline = SimulatedCamera(), Pipeline()
    total_ms: list[float] = []
    stage_ms: dict[str, list[float]] = {}
    for index in range(WARM_UP_FRAMES + FRAMES):
        frame = camera.frame(index).frame
        start = time.perf_counter()
        result = pipeline.process(frame)
        elapsed_ms = (time.perf_counter() - start) * 1e3
        if index >= WARM_UP_FRAMES:
            total_ms.append(elapsed_ms)
            for stage, spent_ms in result.stage_ms.items():
                stage_ms.setdefault(stage, []).append(spent_ms)
    metrics = _percentiles("pipeline", total_ms)
    metrics["pipeline_fps"] = 1e3 / metrics["pipeline_ms_mean"]
    for stage, spent in stage_ms.items():
        metrics.update(_percentiles(stage, spent))
    metrics["pipeline_rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_PER_MB, 1)
    return metrics


def _percentiles(name: str, values_ms: Sequence[float]) -> dict[str, float]:
    return {
        f"{name}_ms_p50": round(float(np.percentile(values_ms, 50)), 3),
        f"{name}_ms_p95": round(float(np.percentile(values_ms, 95)), 3),
        # Two networks run in alternating frames: their medians say nothing about the load.
        f"{name}_ms_mean": round(float(np.mean(values_ms)), 3),
    }
