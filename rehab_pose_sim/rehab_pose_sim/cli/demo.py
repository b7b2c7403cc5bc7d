"""`rehab-pose-sim demo`: run the whole graph over ROS 2, print labels and repetitions, and draw a picture."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.cli.run import add_process_options
from rehab_pose.cli.view import add_view_options, view_settings
from rehab_pose.errors import MissingDependencyError, RecordingError, SettingsError
from rehab_pose.exercise.display_names import exercise_display_name
from rehab_pose.launching.exit_codes import EXIT_INTERRUPTED
from rehab_pose.results.summary import RESULT_FOLDER
from rehab_pose.view.graph_page import GraphPage
from rehab_pose.view.settings import DEFAULT_PORT
from rehab_pose_sim.graph_run import GraphPlan, GraphRun, exercise_scores, run_metrics

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose_sim.graph_run import ExerciseScore

__all__ = ["add_parser", "figure_lines", "run", "summary_line"]

DEFAULT_OUTPUT = Path("output/demo")
PICTURE = "overlay.png"
PICTURE_FRAMES = 8
"""Frames of a recording that are drawn."""
SECONDS_PER_EXERCISE = 9.0
"""Length of each simulated exercise [s]."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("demo", help="run the whole graph on a simulated person or a recording")
    parser.add_argument("recording", nargs="?", type=Path, help="bag to play instead of the simulated person")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        help=f"folder without results of an earlier run (default: {DEFAULT_OUTPUT}, then {DEFAULT_OUTPUT}_2 and so on)",
    )
    add_process_options(parser)
    parser.add_argument("--no-view", action="store_true", help="serve no page for the browser")
    add_view_options(parser)
    parser.set_defaults(run=run, port=None)


def run(arguments: argparse.Namespace) -> int:
    """Run the graph, print its results, and write a picture and a bag of results; return the exit code.

    Raises:
        RecordingError: The recording cannot be read, or the folder holds results already or cannot be made.
    """
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    if arguments.recording is not None:
        _check_recording(arguments.recording)
    output = unused_folder(arguments.output)
    results = output / RESULT_FOLDER
    plan = GraphPlan(
        results=results,
        recording=arguments.recording,
        composed=arguments.composed,
        seconds_per_exercise=SECONDS_PER_EXERCISE,
        page=None if arguments.no_view else _page(arguments),
        opening=not arguments.no_open,
    )
    graph = GraphRun(plan, log=lambda line: print(line, flush=True))
    try:
        failure = graph.run()
    except KeyboardInterrupt:
        print("demo: stopped", file=sys.stderr)
        return EXIT_INTERRUPTED
    if failure is not None:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    metrics = run_metrics(graph)
    scores = exercise_scores(graph) if plan.recording is None else []
    if arguments.verbose:
        print("\n".join(figure_lines(metrics, scores)))
    from rehab_pose_sim.result_overlay import write_result_overlay  # noqa: PLC0415  (loaded only when it draws)

    picture = output / PICTURE
    count = write_result_overlay(_frames_to_draw(graph), results, picture, columns=2)
    print(summary_line(metrics, scores, graph.repetitions))
    print(f"{count} pictures drawn: {picture}; results: {results}")
    print(
        f"next: try `rehab-pose view {results}`, or `rehab-pose run` with your camera; docs/reports.md runs a session"
    )
    return 0


def figure_lines(metrics: Mapping[str, float], scores: Sequence[ExerciseScore]) -> list[str]:
    """Return the figures of a run, and the exercises with the time until they were named, a line each."""
    lines = [f"{name:28s} {value:g}" for name, value in metrics.items()]
    for score in scores:
        named = f"after {score.delay_s:.1f} s"
        wrong = f"wrong, most frequent label {exercise_display_name(score.most_frequent)}"
        lines.append(f"{exercise_display_name(score.label)}: {named if score.correct else wrong}")
    return lines


def summary_line(metrics: Mapping[str, float], scores: Sequence[ExerciseScore], repetitions: int) -> str:
    """Return a run in one line."""
    named = f"{sum(score.correct for score in scores)} of {len(scores)} exercises named, " if scores else ""
    lost = metrics["frames_sent"] - metrics["frames_answered"]
    return (
        f"{named}{repetitions} repetitions counted; {metrics['graph_fps']:.0f} images a second, "
        f"{metrics['frames_answered']:.0f} of {metrics['frames_sent']:.0f} images answered"
        + (f" ({lost:.0f} came too fast for this machine)" if lost > 0 else "")
    )


def unused_folder(chosen: Path | None) -> Path:
    """Make and return the folder for the results: the chosen one, or the first default one without results.

    Raises:
        RecordingError: The chosen folder holds results already, or the folder cannot be made.
    """
    folder = chosen or DEFAULT_OUTPUT
    number = 1
    while (folder / RESULT_FOLDER).exists() or (folder / PICTURE).exists():
        if chosen is not None:
            msg = f"expected a folder without results of an earlier run, got {chosen}; name another one"
            raise RecordingError(msg)
        number += 1
        folder = DEFAULT_OUTPUT.with_name(f"{DEFAULT_OUTPUT.name}_{number}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"expected a folder that can be written, got {folder}: {error.strerror}; name another one with -o"
        raise RecordingError(msg) from error
    return folder


def _page(arguments: argparse.Namespace) -> GraphPage | None:
    """Return the page beside the graph, on any free port unless one was chosen; None without the extra `view`.

    Raises:
        SettingsError: The chosen port cannot be used.
    """
    chosen = arguments.port is not None
    arguments.port = arguments.port if chosen else DEFAULT_PORT
    try:
        return GraphPage.prepare(view_settings(arguments))
    except MissingDependencyError as error:
        print(f"no live page: {error}", flush=True)
        return None
    except SettingsError:
        if chosen:
            raise
        arguments.port = 0
        return GraphPage.prepare(view_settings(arguments))


def _check_recording(path: Path) -> None:
    """Open a recording and find its camera, before anything is started or written.

    Raises:
        RecordingError: It is missing, damaged, or holds no camera.
    """
    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415

    with BagReader(path) as reader:
        reader.camera_topics()


def _frames_to_draw(graph: GraphRun) -> Iterator[RgbdFrame]:
    """Yield a frame from the middle of each exercise, or frames evenly spaced over a recording."""
    if graph.plan.recording is None:
        from rehab_pose_sim.camera import SimulatedCamera  # noqa: PLC0415  (loaded only when it is drawn)

        camera = SimulatedCamera(graph.simulation)
        for index, stamp_ns in graph.middle_frames():
            yield replace(camera.frame(index).frame, stamp_ns=stamp_ns)
        return
    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415

    with BagReader(graph.plan.recording) as reader:
        count = reader.topics[reader.camera_topics().color].count
        step = max(1, count // PICTURE_FRAMES)
        wanted = set(range(step // 2, count, step)[:PICTURE_FRAMES])
        for index, frame in enumerate(reader.frames()):
            if index in wanted:
                yield frame
