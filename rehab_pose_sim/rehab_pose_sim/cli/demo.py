"""`rehab-pose demo`: the main job from end to end, over ROS 2, with what it says printed as it comes."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.cli.overlay import write_overlay_of_results
from rehab_pose.errors import RehabPoseError
from rehab_pose_sim.graph_run import GraphPlan, GraphRun, exercise_scores, figures_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rehab_pose.datatypes import RgbdFrame

__all__ = ["add_parser", "graph_figures", "run"]

DEFAULT_OUTPUT = Path("output/demo")
RESULT_BAG = "results"
PICTURE = "overlay.png"
PICTURE_FRAMES = 8
SECONDS_PER_EXERCISE = 9.0
EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""
BENCH_DOMAINS = (20, 200)
"""Domains from which a benchmark takes a private one, so that nothing else on the machine hears it."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("demo", help="the whole graph on a simulated person or a recording")
    parser.add_argument("recording", nargs="?", type=Path, help="bag to run instead of the simulated person")
    parser.add_argument("-o", "--output", type=Path, default=DEFAULT_OUTPUT, help="folder (default: %(default)s)")
    parser.add_argument("--composed", action="store_true", help="all stages in one process")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the graph, print what it says, and leave a picture and a result bag."""
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    if arguments.output.is_dir():
        shutil.rmtree(arguments.output / RESULT_BAG, ignore_errors=True)
    arguments.output.mkdir(parents=True, exist_ok=True)
    results = arguments.output / RESULT_BAG
    plan = GraphPlan(
        results=results,
        recording=arguments.recording,
        composed=arguments.composed,
        seconds_per_exercise=SECONDS_PER_EXERCISE,
    )
    graph = GraphRun(plan, say=lambda line: print(line, flush=True))
    try:
        obituary = graph.run()
    except KeyboardInterrupt:
        print("demo: stopped", file=sys.stderr)
        return EXIT_INTERRUPTED
    if obituary is not None:
        print(f"demo: {obituary}", file=sys.stderr)
        return 1
    for name, value in figures_of(graph).items():
        print(f"{name:28s} {value:g}")
    if plan.recording is None:
        for score in exercise_scores(graph):
            said = f"after {score.delay_s:.1f} s" if score.right else f"wrong, most often {score.most_often}"
            print(f"{score.label:20s} {said}")
    picture = arguments.output / PICTURE
    count = write_overlay_of_results(_frames_to_draw(graph), results, picture, columns=2)
    print(f"{count} frames drawn: {picture}; results: {results}")
    return 0


def graph_figures() -> dict[str, float]:
    """Run the simulated person through separate processes over DDS and return the figures."""
    low, high = BENCH_DOMAINS
    os.environ["ROS_DOMAIN_ID"] = str(low + os.getpid() % (high - low))
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    with tempfile.TemporaryDirectory() as folder:
        plan = GraphPlan(
            results=Path(folder) / RESULT_BAG,
            recording=None,
            composed=False,
            seconds_per_exercise=SECONDS_PER_EXERCISE,
        )
        graph = GraphRun(plan, say=lambda line: print(line, file=sys.stderr, flush=True))
        start_s = time.monotonic()
        obituary = graph.run()
        if obituary is not None:
            msg = f"the graph did not survive its benchmark: {obituary}"
            raise RehabPoseError(msg)
        figures = figures_of(graph)
        scores = exercise_scores(graph)
        figures["demo_labels_right"] = float(sum(score.right for score in scores))
        figures["demo_label_delay_s_max"] = round(max(score.delay_s for score in scores), 2)
        figures["graph_run_s"] = round(time.monotonic() - start_s, 1)
    return figures


def _frames_to_draw(graph: GraphRun) -> Iterator[RgbdFrame]:
    """Yield a frame from the middle of each exercise, or frames evenly spaced over a recording."""
    if graph.plan.recording is None:
        from rehab_pose_sim.camera import SimulatedCamera  # noqa: PLC0415  (loaded only when it is drawn)

        camera = SimulatedCamera(graph.simulation)
        for index in graph.middle_indices():
            frame = camera.frame(index).frame
            yield graph.at_live_stamp(frame, index)
        return
    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415

    with BagReader(graph.plan.recording) as reader:
        count = reader.topics[reader.camera_topics().color].count
        step = max(1, count // PICTURE_FRAMES)
        wanted = set(range(step // 2, count, step)[:PICTURE_FRAMES])
        for index, frame in enumerate(reader.frames()):
            if index in wanted:
                yield frame
