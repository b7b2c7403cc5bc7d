"""`rehab-pose view`: a page in the browser that shows the running graph, a recording, or folders of images."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.cli.camera_options import add_camera_options, camera_of
from rehab_pose.cli.params_file import stage_settings
from rehab_pose.errors import RecordingError
from rehab_pose.view.browser import open_browser
from rehab_pose.view.settings import DEFAULT_HOST, DEFAULT_PORT, ViewSettings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.pipeline import Pipeline, PipelineResult
    from rehab_pose.view.moments import Moments

__all__ = ["add_parser", "add_view_options", "page_beside", "page_of_processing", "run", "view_settings"]

DESCRIPTION = """Serve a page that shows camera image, body, joint angles, exercise and repetitions in a browser.

A bag of results, such as `rehab-pose process` writes, is shown as it is; a camera's recording runs through all stages.
Without a recording it shows the graph that runs on this machine (`rehab-pose run`), and its buttons start and stop
sessions there. The printed address contains a token: those who have it see the person and can give commands."""
RATE_HZ, DEPTH_SCALE_M = 30.0, 0.001
"""Defaults of folders of images: frame rate [Hz] and unit of depth [m]."""
WAIT_S = 0.2


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `view`."""
    parser = subparsers.add_parser(
        "view", help="show the running graph or a recording on a page in the browser", description=DESCRIPTION
    )
    parser.add_argument(
        "recording", type=Path, nargs="?", help="bag of a camera (colour, camera_info, depth) or of results"
    )
    add_view_options(parser)
    add_camera_options(parser)
    parser.add_argument("--namespace", default="", help="namespace of the robot, as of `rehab-pose run`")
    images = parser.add_argument_group("folders of images, instead of a bag")
    images.add_argument("--depth", type=Path, help="folder of 16-bit PNG depth images")
    images.add_argument("--color", type=Path, help="folder of JPEG or PNG colour images, same names")
    images.add_argument("--intrinsics", type=Path, help="JSON of the camera, as for `rehab-pose process`")
    images.add_argument("--rate", type=float, default=RATE_HZ, help="frames per second (default %(default)g)")
    images.add_argument(
        "--depth-scale", type=float, default=DEPTH_SCALE_M, help="metres per unit of depth (default %(default)g)"
    )
    parser.set_defaults(run=run)


def add_view_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the page's address and content."""
    page = parser.add_argument_group("the page")
    page.add_argument("--port", type=int, default=DEFAULT_PORT, help="port (default %(default)s; 0: a free one)")
    page.add_argument(
        "--host",
        default=DEFAULT_HOST,
        help="address on which the page is served (default: this machine only; 0.0.0.0: all networks, not encrypted)",
    )
    page.add_argument("--no-image", action="store_true", help="privacy mode: no camera image leaves this program")
    page.add_argument("--no-open", action="store_true", help="print the address only, open no browser")


def view_settings(args: argparse.Namespace) -> ViewSettings:
    """Return the settings of the page.

    Raises:
        SettingsError: A value is out of its range.
    """
    return ViewSettings(host=args.host, port=args.port, image=not args.no_image)


def run(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C.

    Raises:
        RecordingError: The recording cannot be read.
        SettingsError: The port cannot be used.
        MissingDependencyError: The extra `view` is not installed.
    """
    if args.recording is None and args.depth is None:
        return _run_live(args)
    return _run_recording(_recording(args), args)


@contextmanager
def page_of_processing(
    args: argparse.Namespace, title: str, pipeline: Pipeline
) -> Iterator[Callable[[RgbdFrame, PipelineResult], None]]:
    """Serve a page from this process while a block processes frames; yield the function that shows each of them.

    Args:
        args: Have the options of the page.
        title: What is processed, for people.
        pipeline: The stages.

    Raises:
        MissingDependencyError: The extra `view` is not installed.
        SettingsError: The port cannot be used.
    """
    from rehab_pose.view.exercise_state import ExerciseState  # noqa: PLC0415  (loads OpenCV)
    from rehab_pose.view.frame_show import FrameShow  # noqa: PLC0415
    from rehab_pose.view.hub import Hub, Part  # noqa: PLC0415
    from rehab_pose.view.local_session import NoCommands  # noqa: PLC0415
    from rehab_pose.view.server import ViewServer  # noqa: PLC0415

    settings = view_settings(args)
    hub, show = Hub(image=settings.image), FrameShow(ExerciseState(), settings.jpeg_quality)
    hub.publish(
        {"source": Part({"kind": "processing", "title": f"Processing {title}", "session": ""})}
        | show.constant_parts(pipeline)
    )
    server = ViewServer(hub, NoCommands(hub), settings)
    try:
        print(f"live page: {server.url}", flush=True)
        open_browser(server.url, wanted=not args.no_open)
        yield lambda frame, result: hub.publish(show.parts(frame, result))
    finally:
        server.close()


@contextmanager
def page_beside(args: argparse.Namespace) -> Iterator[None]:
    """Serve the page of the graph from a process of its own while a block runs.

    Raises:
        MissingDependencyError: The extra `view` is not installed.
        SettingsError: The port cannot be used.
    """
    from rehab_pose.graph import node_spec  # noqa: PLC0415
    from rehab_pose.launching.node_commands import DEFAULT_PARAMETERS, node_command, node_environment  # noqa: PLC0415
    from rehab_pose.launching.shared_files import shared_file  # noqa: PLC0415
    from rehab_pose.launching.supervisor import Processes  # noqa: PLC0415
    from rehab_pose.view.graph_page import VIEW_NODE, GraphPage  # noqa: PLC0415

    page, processes = GraphPage.prepare(view_settings(args)), Processes()
    command = node_command(node_spec(VIEW_NODE), shared_file(DEFAULT_PARAMETERS), more=page.words)
    try:
        processes.start(VIEW_NODE, command, node_environment() | page.environment, blocked_signals=True)
        page.announce(lambda words: print(words, flush=True), opening=not args.no_open)
        yield
    finally:
        processes.stop()


def _recording(args: argparse.Namespace) -> Moments:
    from rehab_pose.view.moments import ProcessedMoments, ResultMoments, is_result_bag  # noqa: PLC0415  (loads stages)
    from rehab_pose.view.recordings import BagRecording, FolderRecording  # noqa: PLC0415

    settings, quality = stage_settings(args.params_file), view_settings(args).jpeg_quality
    if args.recording is not None:
        if args.depth is not None or args.color is not None:
            msg = "expected either a bag or folders of images, got both"
            raise RecordingError(msg)
        if is_result_bag(args.recording):
            return ResultMoments(args.recording, quality)
        return ProcessedMoments(BagRecording(args.recording, *camera_of(args)), settings, quality)
    from rehab_pose.bags.image_folders import ImageFolders  # noqa: PLC0415
    from rehab_pose.capture.calibration_file import read_calibration  # noqa: PLC0415

    if args.intrinsics is None:
        msg = "expected --intrinsics FILE.json with --depth, got none"
        raise RecordingError(msg)
    folders = ImageFolders(args.depth, read_calibration(args.intrinsics), args.color, args.rate, args.depth_scale)
    return ProcessedMoments(FolderRecording(folders, (args.color or args.depth).name), settings, quality)


def _run_recording(recording: Moments, args: argparse.Namespace) -> int:
    from rehab_pose.view.hub import Hub  # noqa: PLC0415
    from rehab_pose.view.playback import Playback  # noqa: PLC0415  (loads all stages)
    from rehab_pose.view.server import ViewServer  # noqa: PLC0415

    settings = view_settings(args)
    hub = Hub(image=settings.image)
    playback = Playback(hub, recording)
    server = ViewServer(hub, playback, settings)
    try:
        print(f"view: {server.url}", flush=True)
        if server.warning:
            print(f"view: {server.warning}", file=sys.stderr)
        playback.start()
        open_browser(server.url, wanted=not args.no_open)
        while True:
            time.sleep(WAIT_S)
    except KeyboardInterrupt:
        return 0
    finally:
        server.close()
        playback.close()


def _run_live(args: argparse.Namespace) -> int:
    from rehab_pose.graph import node_spec  # noqa: PLC0415
    from rehab_pose.launching.node_commands import (  # noqa: PLC0415
        DEFAULT_PARAMETERS,
        node_command,
        node_environment,
        parameter_words,
    )
    from rehab_pose.launching.shared_files import shared_file  # noqa: PLC0415
    from rehab_pose.view.server import free_port  # noqa: PLC0415

    settings = view_settings(args)
    free_port(settings)
    environment = node_environment()
    spec = node_spec("view")
    values = {"host": settings.host, "port": settings.port, "image": settings.image, "open": not args.no_open}
    more = ("--ros-args", *parameter_words("view", values))
    command = node_command(spec, shared_file(DEFAULT_PARAMETERS), args.namespace, more)
    # The node replaces this program, so that it gets the signals, and its exit code is that of the command.
    os.execve(command[0], command, environment)  # noqa: S606  (our own interpreter)
