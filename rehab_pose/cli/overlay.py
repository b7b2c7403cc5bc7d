"""`rehab-pose overlay`: draw the results over the images of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.cli.camera_options import add_camera_options, camera_of
from rehab_pose.cli.exit_codes import EXIT_PARTLY
from rehab_pose.cli.params_file import stage_settings
from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from rehab_pose.datatypes import RgbdFrame

__all__ = ["add_parser", "run"]

VIDEO_ENDING = ".mp4"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `overlay`."""
    parser = subparsers.add_parser("overlay", help="draw silhouette, joints, mesh and label over a recording's images")
    parser.add_argument("recording", type=Path, help="bag with colour, camera_info and depth")
    parser.add_argument("-o", "--output", type=Path, required=True, help="picture (.png, .jpg) or video (.mp4)")
    parser.add_argument("--frames", type=int, default=8, help="frames drawn, evenly spaced (default: %(default)s)")
    parser.add_argument("--columns", type=int, default=2, help="pictures in a row (default: %(default)s)")
    add_camera_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Process the recording and write the picture; return 3 if parts of the recording could not be used.

    Raises:
        RecordingError: The recording cannot be read, or holds no frame.
    """
    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.drawing.overlay import check_picture_name  # noqa: PLC0415
    from rehab_pose.output_file import refuse_existing  # noqa: PLC0415

    if arguments.output.suffix.lower() == VIDEO_ENDING:
        return _run_video(arguments)
    check_picture_name(arguments.output)
    _check_positive(arguments)
    refuse_existing([arguments.output])
    with BagReader(arguments.recording, *camera_of(arguments)) as reader:
        count = reader.topics[reader.camera_topics().color].count
        step = max(1, count // max(1, arguments.frames))
        drawn = set(range(step // 2, count, step)[: arguments.frames])
        written = _write_overlay(reader.frames(), drawn, arguments)
        losses = reader.losses
    print(f"{written} of {count} frames drawn: {arguments.output}" + (f"; {losses.sentence}" if losses else ""))
    return EXIT_PARTLY if losses else 0


def _run_video(arguments: argparse.Namespace) -> int:
    """Draw every frame into a video; return as `run`."""
    from tqdm import tqdm  # noqa: PLC0415  (loaded only when it draws a video)

    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415
    from rehab_pose.exports.video import OverlayVideo  # noqa: PLC0415
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415

    pipeline = Pipeline(stage_settings(arguments.params_file))
    count = 0
    with BagReader(arguments.recording, *camera_of(arguments)) as reader:
        total = reader.topics[reader.camera_topics().color].count
        with OverlayVideo(arguments.output, pipeline.model) as video:
            for frame in tqdm(reader.frames(), total=total, unit="frame", disable=None):
                video.add(frame, pipeline.process(frame))
                count += 1
        losses = reader.losses
    print(f"{count} of {total} frames drawn: {arguments.output}" + (f"; {losses.sentence}" if losses else ""))
    return EXIT_PARTLY if losses else 0


def _check_positive(arguments: argparse.Namespace) -> None:
    for name in ("frames", "columns"):
        if getattr(arguments, name) < 1:
            msg = f"overlay: expected --{name} of at least 1, got {getattr(arguments, name)}"
            raise RecordingError(msg)


def _write_overlay(frames: Iterable[RgbdFrame], drawn: set[int], arguments: argparse.Namespace) -> int:
    """Process frames, draw those whose index is in `drawn`, and return the number of drawn frames."""
    from rehab_pose.drawing.overlay import OverlayContent, draw_overlay, write_picture  # noqa: PLC0415
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415  (loaded only when this command runs)

    pipeline, pictures = Pipeline(stage_settings(arguments.params_file)), []
    for index, frame in enumerate(frames):
        result = pipeline.process(frame)
        if index in drawn:
            vertices_m = None if result.body is None else result.body.vertices_m
            content = OverlayContent(result.silhouette, result.joints, vertices_m, result.exercise.classification)
            pictures.append(draw_overlay(frame, content, pipeline.model))
    if not pictures:
        msg = "overlay: expected more frames, none of the chosen ones is whole; raise --frames"
        raise RecordingError(msg)
    write_picture(pictures, arguments.columns, arguments.output)
    return len(pictures)
