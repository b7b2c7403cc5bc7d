"""`rehab-pose-lab bench`: run a benchmark and print its metrics."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose_lab.benchmarks.faults import PARTS as FAULT_PARTS
from rehab_pose_lab.benchmarks.output import metrics_json, metrics_table, rounded_metrics
from rehab_pose_lab.benchmarks.people import PARTS as PEOPLE_PARTS
from rehab_pose_lab.benchmarks.people import people_metrics

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

RESULTS = Path("docs/results/recognition.json")
OUTPUT = Path("output/recognition")
"""Checkpoints and results of the experiments, from which an interrupted run resumes; ignored by git."""
REFERENCE_PREFIX = "forest_"
"""Prefix of the metrics of extra trees, the reference of the recogniser."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("bench", help="measure speed, latency, memory and accuracy")
    parser.add_argument(
        "benchmark",
        nargs="?",
        default="graph",
        choices=(
            "graph",
            "pipeline",
            "perception",
            "real",
            "body",
            "biomechanics",
            "recognition",
            "counting",
            "exercises",
            "faults",
            "people",
            "ros",
        ),
        help="graph: separate processes over DDS, then the pipeline; ros: markers, separate and composed graph, "
        "restarts of killed nodes; pipeline: all stages in one process; perception: silhouettes and joints against "
        "ground truth, with the published rules for comparison; real: silhouettes, joints and body on recordings of "
        "real people, with depth only and the published rules for comparison; body: the body fit against ground truth "
        "and on real recordings; biomechanics: joint angles, with KinePose for comparison, and the bones inside the "
        "body; "
        "recognition: exercises of held-out people; counting: repetitions of simulated sets, and false ones; "
        "exercises: signals of the library on simulated images through the whole pipeline, and on sets of real people; "
        "faults: kills, signals, damaged bags and inputs, open sockets, a long run; the whole takes three hours; "
        "people: the page in the browser and what it costs the graph, its tests in Chromium, archives in parallel",
    )
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="perception: write a picture of each scene into this folder; real: contact sheets of every frame of the "
        "clips, the folder has to be new or empty",
    )
    parser.add_argument(
        "--clip",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="real: another clip, a folder with color/, depth/ (registered, millimetres) and one .json of intrinsics; "
        "may be repeated",
    )
    parser.add_argument(
        "--silhouette",
        default="",
        metavar="METHOD",
        help="perception: method of the silhouettes that joints are predicted from (truth: the true silhouettes)",
    )
    parser.add_argument("--json", action="store_true", help="print one flat JSON object")
    group = parser.add_argument_group("recognition")
    group.add_argument(
        "--run", dest="train", action="store_true", help="run the experiments without a result (an hour)"
    )
    group.add_argument("--output", type=Path, default=OUTPUT, help="folder of the experiments (default: %(default)s)")
    group.add_argument("--results", type=Path, default=RESULTS, help="file of the metrics (default: %(default)s)")
    group.add_argument("--experiments", default="", metavar="PREFIX", help="only experiments with this prefix")
    faults = parser.add_argument_group("faults and people")
    faults.add_argument(
        "--part",
        action="append",
        default=[],
        choices=(*FAULT_PARTS, *PEOPLE_PARTS),
        help="only this part (may be repeated): damaged bags, kills of the session node, kills of any process of the "
        "graph, stop signals, sockets of the running graph, a long run, hostile inputs; people: page, browser, "
        "exports, batch",
    )
    faults.add_argument("--kills", type=int, default=100, help="kills of each kind (default: %(default)s)")
    faults.add_argument("--signals", type=int, default=200, help="stop signals (default: %(default)s)")
    faults.add_argument(
        "--soak-minutes", type=float, default=30.0, help="length of the long run (default: %(default)s)"
    )
    faults.add_argument(
        "--soak-slowed",
        action="store_true",
        help="slow the camera of the long run by machine_factor, so that its load is that of the reference machine",
    )
    faults.add_argument("--fuzz-inputs", type=int, default=200_000, help="hostile inputs (default: %(default)s)")
    faults.add_argument("--seed", type=int, default=0, help="seed of moments and inputs (default: %(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the benchmark, print its metrics, and return the exit code.

    Raises:
        RecordingError: Recordings that are evaluated are missing or unusable.
        RehabPoseError: A node of the graph failed.
    """
    if arguments.benchmark == "recognition":
        return _recognition(arguments)
    if arguments.benchmark == "perception":
        return _perception(arguments)
    if arguments.benchmark == "real":
        return _real(arguments)
    from rehab_pose_lab.benchmarks.perception_speed import machine_metrics  # noqa: PLC0415  (loads models)

    if arguments.benchmark == "faults":
        measured = _faults(arguments)
    elif arguments.benchmark == "people":
        measured = people_metrics(_log, arguments.part)
    else:
        measured = _measure(arguments.benchmark)
    metrics = {**measured, **machine_metrics()}
    if arguments.json:
        print(metrics_json(metrics))
        return 0
    reference: dict[str, float] | None = None
    if arguments.benchmark == "biomechanics":
        from rehab_pose_lab.benchmarks.biomechanics import KINEPOSE  # noqa: PLC0415  (loaded only when it runs)

        reference = KINEPOSE
    print("\n".join(metrics_table(metrics, reference, titles=("here", "KinePose"))))
    return 0


def _recognition(arguments: argparse.Namespace) -> int:
    from rehab_pose_lab.benchmarks.recognition import run_experiments, stored_metrics  # noqa: PLC0415  (loads torch)
    from rehab_pose_lab.benchmarks.recognition_fused import fused_frame_metrics  # noqa: PLC0415  (loads models)

    if arguments.train:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        run_experiments(arguments.output, arguments.results, arguments.experiments)
    metrics = stored_metrics(arguments.results) | fused_frame_metrics()
    if arguments.json:
        print(metrics_json(metrics))
        return 0
    of_network = {name: value for name, value in metrics.items() if not name.startswith(REFERENCE_PREFIX)}
    reference = {
        name.removeprefix(REFERENCE_PREFIX): value
        for name, value in metrics.items()
        if name.startswith(REFERENCE_PREFIX) and isinstance(value, (int, float))
    }
    print("\n".join(metrics_table(of_network, reference, titles=("network", "extra trees"))))
    return 0


def _perception(arguments: argparse.Namespace) -> int:
    from rehab_pose_lab.benchmarks.perception import perception_metrics  # noqa: PLC0415  (loads models)

    result = perception_metrics(method=arguments.silhouette, pictures=arguments.pictures)
    if arguments.json:
        print(metrics_json(rounded_metrics(result.metrics)))
        return 0
    print("\n".join([*result.tables, "", *metrics_table(result.metrics)]))
    if result.pictures is not None:
        print(f"pictures: {result.pictures}")
    return 0


def _real(arguments: argparse.Namespace) -> int:
    from rehab_pose_lab.benchmarks.real import real_metrics, real_table  # noqa: PLC0415  (loads models)

    result = real_metrics(pictures=arguments.pictures, clips=arguments.clip)
    if arguments.json:
        for note in result.notes:
            _log(note)
        print(metrics_json(rounded_metrics(result.metrics)))
        return 0
    print("\n".join(real_table(result)))
    for path in result.pictures:
        print(f"pictures: {path}")
    return 0


def _measure(benchmark: str) -> dict[str, float]:
    """Return the metrics of a benchmark; each one is imported only when it runs."""
    if benchmark == "ros":
        from rehab_pose_lab.benchmarks.graph import ros_metrics  # noqa: PLC0415

        return ros_metrics(_log)
    if benchmark == "body":
        from rehab_pose_lab.benchmarks.body import body_metrics  # noqa: PLC0415
        from rehab_pose_lab.benchmarks.body_energy import energy_metrics  # noqa: PLC0415
        from rehab_pose_lab.datasets.location import data_folder  # noqa: PLC0415

        return {**body_metrics(data_folder() / "kimore"), **energy_metrics()}
    if benchmark == "counting":
        from rehab_pose_lab.benchmarks.counting import counting_metrics  # noqa: PLC0415

        return counting_metrics(log=_log)
    if benchmark == "biomechanics":
        from rehab_pose_lab.benchmarks.biomechanics import biomechanics_metrics  # noqa: PLC0415
        from rehab_pose_lab.benchmarks.bones import bones_metrics  # noqa: PLC0415

        return {**biomechanics_metrics(), **bones_metrics()}
    if benchmark == "exercises":
        from rehab_pose_lab.benchmarks.exercise_recordings import recorded_set_metrics  # noqa: PLC0415
        from rehab_pose_lab.benchmarks.exercise_signals import exercise_signal_metrics  # noqa: PLC0415
        from rehab_pose_lab.datasets.location import data_folder  # noqa: PLC0415
        from rehab_pose_lab.datasets.ui_prmd import load_ui_prmd  # noqa: PLC0415

        return {**recorded_set_metrics(load_ui_prmd(data_folder() / "ui_prmd")), **exercise_signal_metrics(_log)}
    from rehab_pose_lab.benchmarks.pipeline import pipeline_metrics  # noqa: PLC0415

    metrics: dict[str, float] = {}
    if benchmark == "graph":
        from rehab_pose_lab.benchmarks.graph import graph_metrics  # noqa: PLC0415  (needs ROS, the pipeline does not)

        metrics.update(graph_metrics(_log))
    return {**metrics, **pipeline_metrics()}


def _faults(arguments: argparse.Namespace) -> dict[str, float]:
    from rehab_pose_lab.benchmarks.faults import FaultPlan, fault_metrics  # noqa: PLC0415  (needs ROS)

    plan = FaultPlan(
        arguments.part or FAULT_PARTS,
        arguments.kills,
        arguments.signals,
        arguments.soak_minutes,
        arguments.soak_slowed,
        arguments.fuzz_inputs,
        arguments.seed,
    )
    return fault_metrics(_log, plan)


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
