"""`rehab-pose overlay`: draw what was found over the images of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from rehab_pose.datatypes import RgbdFrame

__all__ = ["add_parser", "run", "write_overlay", "write_overlay_of_results"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("overlay", help="draw silhouette, joints, mesh and label over a recording's images")
    parser.add_argument("recording", type=Path, help="bag with colour, camera_info and depth")
    parser.add_argument("-o", "--output", type=Path, required=True, help="PNG file to write")
    parser.add_argument("--frames", type=int, default=8, help="frames drawn, evenly spaced (default: %(default)s)")
    parser.add_argument("--columns", type=int, default=2, help="pictures in a row (default: %(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw.

    Raises:
        RecordingError: The recording cannot be read, or holds no frame.
    """
    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415  (loaded only when this command runs)

    with BagReader(arguments.recording) as reader:
        count = reader.topics[reader.camera_topics().color].count
        step = max(1, count // max(1, arguments.frames))
        drawn = set(range(step // 2, count, step)[: arguments.frames])
        written = write_overlay(reader.frames(), drawn, arguments.output, arguments.columns)
    print(f"{written} of {count} frames drawn: {arguments.output}")
    return 0


def write_overlay(frames: Iterable[RgbdFrame], drawn: set[int], output: Path, columns: int) -> int:
    """Run the pipeline over frames, draw those whose number is in `drawn`, and return how many that were."""
    from rehab_pose.drawing.overlay import Findings, draw_overlay, write_picture  # noqa: PLC0415
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415  (loaded only when this command runs)

    pipeline, pictures = Pipeline(), []
    for index, frame in enumerate(frames):
        result = pipeline.process(frame)
        if index in drawn:
            vertices_m = None if result.body is None else result.body.vertices_m
            findings = Findings(result.silhouette, result.joints, vertices_m, result.exercise.classification)
            pictures.append(draw_overlay(frame, findings, pipeline.model))
    write_picture(pictures, columns, output)
    return len(pictures)


def write_overlay_of_results(frames: Iterable[RgbdFrame], results: Path, output: Path, columns: int) -> int:
    """Draw a result bag's joints, mesh and labels over frames, and return how many had results.

    Results hold no image of the person, so the silhouettes are found again in the frames.
    """
    from rehab_pose.bags.result_reader import read_results  # noqa: PLC0415
    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415
    from rehab_pose.body.loader import load_body_model  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.drawing.overlay import Findings, draw_overlay, write_picture  # noqa: PLC0415
    from rehab_pose.silhouette.segmenter import SilhouetteSegmenter  # noqa: PLC0415

    segmenter, model, pictures = SilhouetteSegmenter(), load_body_model(), []
    chosen = {frame.stamp_ns: frame for frame in frames}
    with BagReader(results) as reader:
        found = read_results(reader, set(chosen))
    for stamp, frame in chosen.items():
        if stamp in found.recognitions:
            findings = Findings(
                segmenter.segment(frame),
                found.joints.get(stamp),
                found.vertices_m.get(stamp),
                found.recognitions[stamp],
            )
            pictures.append(draw_overlay(frame, findings, model))
    write_picture(pictures, columns, output)
    return len(pictures)
