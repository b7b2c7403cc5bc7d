"""`rehab-pose bench`: figures, not impressions."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose_lab.benchmarks import recognition as bench_recognition

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["add_parser", "pipeline_figures", "run"]

PIPELINE_FRAMES = 300
WARM_UP_FRAMES = 30
KB_PER_MB = 1024.0


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("bench", help="measure speed, latency, memory and labels on the simulated person")
    parser.add_argument(
        "what",
        nargs="?",
        default="graph",
        choices=("graph", "pipeline", "perception", "body", "biomechanics", "recognition", "ros"),
        help="graph: separate processes over DDS, then the pipeline; ros: markers, separate and composed graph, nodes "
        "that die; pipeline: all stages in this process; perception: "
        "silhouettes and joints against the truth, beside the published rules; body: the fit against truth and on real "
        "recordings; biomechanics: joint angles beside KinePose's, and the bones inside the body; "
        "recognition: exercises of people the recogniser has never seen",
    )
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="perception: write a picture of each scene into this folder"
    )
    parser.add_argument(
        "--silhouette",
        default="",
        metavar="METHOD",
        help="perception: take the joints from silhouettes by this method (truth: the true ones)",
    )
    parser.add_argument("--json", action="store_true", help="print one flat JSON object")
    bench_recognition.add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure and print.

    Raises:
        RecordingError: Some recordings to measure on cannot be used.
    """
    if arguments.what == "recognition":
        return bench_recognition.run(arguments)
    if arguments.what == "perception":
        from rehab_pose_lab.benchmarks.perception_output import print_perception  # noqa: PLC0415  (loaded only when it runs)

        print_perception(method=arguments.silhouette, as_json=arguments.json, pictures=arguments.pictures)
        return 0
    figures = _figures(arguments.what)
    if arguments.json:
        print(json.dumps(figures, indent=1))
    elif arguments.what == "biomechanics":
        from rehab_pose_lab.benchmarks.biomechanics import biomechanics_table  # noqa: PLC0415

        print("\n".join(biomechanics_table(figures)))
    else:
        for name, value in figures.items():
            print(f"{name:32s} {value:10.2f}")
    return 0


def _figures(what: str) -> dict[str, float]:
    if what == "ros":
        from rehab_pose_lab.benchmarks.ros_graph import ros_figures  # noqa: PLC0415  (needs ROS, loaded only when it runs)

        return ros_figures(lambda line: print(line, file=sys.stderr, flush=True))
    if what == "body":
        from rehab_pose_lab.benchmarks.body import body_figures  # noqa: PLC0415
        from rehab_pose_lab.benchmarks.body_energy import energy_figures  # noqa: PLC0415  (loaded only when it runs)
        from rehab_pose_lab.benchmarks.perception_scenes import data_folder  # noqa: PLC0415

        return {**body_figures(data_folder() / "kimore"), **energy_figures()}
    if what == "biomechanics":
        from rehab_pose_lab.benchmarks.biomechanics import biomechanics_figures  # noqa: PLC0415
        from rehab_pose_lab.benchmarks.bones import anatomy_figures  # noqa: PLC0415  (loaded only when it runs)

        return {**biomechanics_figures(), **anatomy_figures()}
    figures: dict[str, float] = {}
    if what == "graph":
        from rehab_pose_sim.cli.demo import graph_figures  # noqa: PLC0415  (needs ROS, the pipeline does not)

        figures.update(graph_figures())
    return {**figures, **pipeline_figures()}


def pipeline_figures() -> dict[str, float]:
    """Run all stages in this process on rendered frames and return the time of each [ms] and the memory [MB]."""
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose_sim.camera import SimulatedCamera  # noqa: PLC0415

    camera, pipeline = SimulatedCamera(), Pipeline()
    total_ms: list[float] = []
    stage_ms: dict[str, list[float]] = {}
    for index in range(WARM_UP_FRAMES + PIPELINE_FRAMES):
        frame = camera.frame(index).frame
        start = time.perf_counter()
        result = pipeline.process(frame)
        elapsed_ms = (time.perf_counter() - start) * 1e3
        if index >= WARM_UP_FRAMES:
            total_ms.append(elapsed_ms)
            for stage, spent_ms in result.stage_ms.items():
                stage_ms.setdefault(stage, []).append(spent_ms)
    figures = _percentiles("pipeline", total_ms)
    figures["pipeline_fps"] = 1e3 / figures["pipeline_ms_p50"]
    for stage, spent in stage_ms.items():
        figures.update(_percentiles(stage, spent))
    figures["pipeline_rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_PER_MB, 1)
    return figures


def _percentiles(name: str, values_ms: Sequence[float]) -> dict[str, float]:
    return {
        f"{name}_ms_p50": round(float(np.percentile(values_ms, 50)), 3),
        f"{name}_ms_p95": round(float(np.percentile(values_ms, 95)), 3),
    }
