"""Runs of the graph with a camera whose clock is slower by `machine_factor`, as the processor is.

The bars on rate and latency hold on the reference machine. Dividing a latency by `machine_factor` is not enough where
the camera is faster than the graph: frames then wait or are skipped, which on the reference machine they would not. Nor
is a longer period of the camera: stages decide by the stamps, for example how often the networks run. With a slower
clock of the camera the stamps are those of the reference machine, and all times in a run change by the same factor.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from rehab_pose_lab.benchmarks.camera_runs import LOSSES, camera_plan, fast_camera_plan, finished_run
from rehab_pose_lab.benchmarks.process_state import stolen_s
from rehab_pose_sim.graph_run import run_metrics

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["slowed_camera_metrics"]


def slowed_camera_metrics(log: Callable[[str], None]) -> dict[str, float]:
    """Return rate and latency of the separate graph at 30 Hz and of the composed one at 60 Hz on the reference machine.

    The camera's clock is slower by the `machine_factor` before the run. `separate_slowed_*`, `composed60_slowed_*` and
    `composed_image_slowed_*` are times of that clock, corrected to `*_slowed_factor`, the mean of the `machine_factor`
    before and after the run. `*_slowed_stolen_pct` is the time that the host of a virtual machine gave to others, as a
    percentage of the run: above a few per cent the machine is not a quiet one. The losses are those of all runs
    together.

    Args:
        log: Receives a line of text for each event.

    Raises:
        RehabPoseError: A node of the graph failed.
    """
    from rehab_pose_lab.benchmarks.perception_speed import machine_metrics, reference_clock_rate  # noqa: PLC0415

    plans = {
        "separate": camera_plan(composed=False),
        "composed60": fast_camera_plan(with_color=False),
        "composed_image": fast_camera_plan(with_color=True),
    }
    metrics = dict.fromkeys(LOSSES, 0.0)
    before = machine_metrics()["machine_factor"]
    for name, plan in plans.items():
        start_s, stolen_before_s = time.monotonic(), stolen_s()
        run = run_metrics(finished_run(replace(plan, clock_rate=reference_clock_rate(before)), log))
        stolen_pct = 100.0 * (stolen_s() - stolen_before_s) / (time.monotonic() - start_s)
        after = machine_metrics()["machine_factor"]
        factor = (before + after) / 2.0
        correction = factor * reference_clock_rate(before)
        metrics[f"{name}_slowed_factor"] = round(factor, 2)
        metrics[f"{name}_slowed_stolen_pct"] = round(stolen_pct, 1)
        metrics[f"{name}_slowed_camera_fps"] = round(run["camera_fps"] * correction, 2)
        metrics[f"{name}_slowed_fps"] = round(run["graph_fps"] * correction, 2)
        metrics[f"{name}_slowed_ms_p50"] = round(run["graph_latency_ms_p50"] / correction, 1)
        metrics[f"{name}_slowed_ms_p95"] = round(run["graph_latency_ms_p95"] / correction, 1)
        for loss in LOSSES:
            metrics[loss] += run[loss]
        before = after
    return metrics
