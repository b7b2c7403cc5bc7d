"""`rehab-pose process`: run all stages over a recording or folders of images, offline, in stamp order, without DDS."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehab_pose.cli.camera_options import add_camera_options, camera_of
from rehab_pose.cli.exit_codes import EXIT_PARTLY
from rehab_pose.cli.params_file import stage_settings
from rehab_pose.cli.process_batch import add_batch_arguments, is_batch, prepare_batch, run_batch
from rehab_pose.cli.view import add_view_options, page_of_processing
from rehab_pose.errors import RecordingError
from rehab_pose.results.summary import RESULT_FOLDER, SUMMARY

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.pipeline import Pipeline, PipelineResult


__all__ = ["add_parser", "run"]

RATE_HZ = 30.0
"""Default frame rate of folders of images [Hz]."""
DEPTH_SCALE_M = 0.001
"""Default unit of depth images [m]."""
DESCRIPTION = """Run all stages over a recording, or over folders of images.

From a bag, the output is a bag of results, without images of the person unless --silhouettes is given. From folders of
images, the output for each image is silhouettes/NAME.png (255 = person), joints/NAME.json (metres in the camera's
optical frame) and overlays/NAME.jpg, which SHOWS THE PERSON: protect the output like the images. Both write
summary.json.

From several bags, or from folders that contain bags, the output is one folder for each and the tables
recordings.parquet and repetitions.parquet. The same command again goes on where it was stopped."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `process`."""
    parser = subparsers.add_parser(
        "process", help="run all stages over a recording or folders of images", description=DESCRIPTION
    )
    parser.add_argument(
        "recording", type=Path, nargs="*", help="bag with colour, camera_info and depth; several, or folders of bags"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the results and summary.json")
    bags = parser.add_argument_group("options for a bag")
    bags.add_argument("--mesh", action="store_true", help="also write the vertices of the mesh (2 MB/s)")
    bags.add_argument(
        "--silhouettes", action="store_true", help="also write silhouettes, parts and keypoints (images of the person)"
    )
    add_batch_arguments(parser)
    add_camera_options(parser)
    images = parser.add_argument_group("folders of images, instead of a bag")
    images.add_argument("--depth", type=Path, help="folder of 16-bit PNG depth images")
    images.add_argument(
        "--color", type=Path, help="folder of JPEG or PNG colour images, same names; default: only depth is used"
    )
    images.add_argument(
        "--intrinsics",
        type=Path,
        help='JSON: width, height, fx, fy, cx, cy, or Open3D\'s; with "depth" and "color_from_depth" if depth has '
        "another camera",
    )
    images.add_argument("--rate", type=float, help=f"frames per second (default {RATE_HZ:g})")
    images.add_argument("--depth-scale", type=float, help=f"metres per unit of depth (default {DEPTH_SCALE_M:g})")
    parser.add_argument(
        "--view", action="store_true", help="also serve a page for the browser that shows what is being processed"
    )
    add_view_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Process a recording or folders of images; return 3 if parts of the recording could not be used.

    Raises:
        RecordingError: The input cannot be read, holds no frame, or the output exists already.
    """
    image_options = ("depth", "color", "intrinsics", "rate", "depth_scale")
    images = [f"--{name.replace('_', '-')}" for name in image_options if getattr(arguments, name) is not None]
    if arguments.recording:
        if images:
            msg = f"expected either bags or folders of images, got {arguments.recording[0]} and {', '.join(images)}"
            raise RecordingError(msg)
        if is_batch(arguments):
            if arguments.view:
                msg = "expected --view with one recording, got several; `rehab-pose view` shows one at a time"
                raise RecordingError(msg)
            prepare_batch(arguments)
            return run_batch(arguments, stage_settings(arguments.params_file))
        (arguments.recording,) = arguments.recording
        return _run_bag(arguments)
    if arguments.depth is None or arguments.intrinsics is None:
        msg = f"expected a bag, or --depth and --intrinsics, got {', '.join(images) or 'neither'}"
        raise RecordingError(msg)
    if arguments.mesh or arguments.silhouettes:
        msg = "expected --mesh and --silhouettes with a bag only; `rehab-pose bag from-images` makes one of images"
        raise RecordingError(msg)
    return _run_images(arguments)


def _run_bag(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm  # noqa: PLC0415  (loaded only when this command runs)

    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415
    from rehab_pose.output_file import refuse_existing  # noqa: PLC0415
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415
    from rehab_pose.results.result_bag import write_result_bag  # noqa: PLC0415
    from rehab_pose.results.summary import write_summary  # noqa: PLC0415

    bag_folder = arguments.output / RESULT_FOLDER
    refuse_existing([bag_folder, arguments.output / SUMMARY])
    pipeline = Pipeline(stage_settings(arguments.params_file))
    page = _page(arguments, arguments.recording.name, pipeline)
    with BagReader(arguments.recording, *camera_of(arguments)) as reader, page as each:
        count = reader.topics[reader.camera_topics().color].count
        shown = tqdm(reader.frames(), total=count, unit="frame", disable=None)
        frames = write_result_bag(
            shown, pipeline, bag_folder, images=arguments.silhouettes, mesh=arguments.mesh, each=each
        )
        losses = reader.losses
    write_summary(arguments.output / SUMMARY, arguments.recording.name, pipeline.model_ids, frames)
    code = _print_result(frames, bag_folder, arguments.output)
    _print_next(arguments)
    if losses:
        print(losses.sentence)
    return EXIT_PARTLY if losses else code


def _run_images(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm  # noqa: PLC0415  (loaded only when this command runs)

    from rehab_pose.bags.image_folders import ImageFolders  # noqa: PLC0415
    from rehab_pose.capture.calibration_file import read_calibration  # noqa: PLC0415
    from rehab_pose.output_file import refuse_existing  # noqa: PLC0415
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415
    from rehab_pose.results.frame_files import FrameFiles  # noqa: PLC0415
    from rehab_pose.results.summary import frame_summary, write_summary  # noqa: PLC0415

    folders = ImageFolders(
        arguments.depth,
        read_calibration(arguments.intrinsics),
        arguments.color,
        RATE_HZ if arguments.rate is None else arguments.rate,
        DEPTH_SCALE_M if arguments.depth_scale is None else arguments.depth_scale,
    )
    refuse_existing(arguments.output / name for name in (*FrameFiles.FOLDERS, SUMMARY))
    count = folders.check()
    pipeline = Pipeline(stage_settings(arguments.params_file))
    files = FrameFiles(arguments.output, pipeline.model)
    frames: list[dict[str, Any]] = []
    recording = arguments.depth if arguments.color is None else arguments.color
    with _page(arguments, recording.name, pipeline) as each:
        for name, frame in tqdm(folders.frames(), total=count, unit="frame", disable=None):
            result = pipeline.process(frame)
            files.write(name, frame, result)
            frames.append({"name": name, **frame_summary(result)})
            if each is not None:
                each(frame, result)
    write_summary(arguments.output / SUMMARY, recording.name, pipeline.model_ids, frames)
    return _print_result(frames, *(arguments.output / name for name in FrameFiles.FOLDERS), arguments.output)


def _page(
    arguments: argparse.Namespace, title: str, pipeline: Pipeline
) -> AbstractContextManager[Callable[[RgbdFrame, PipelineResult], None] | None]:
    """Return the page of what is processed, with --view; else nothing."""
    return page_of_processing(arguments, title, pipeline) if arguments.view else nullcontext()


def _print_result(frames: list[dict[str, Any]], *paths: Path) -> int:
    *results, output = paths
    present = sum(frame["silhouette_box"] is not None for frame in frames)
    written = ", ".join(str(path) for path in (*results, output / SUMMARY))
    print(f"{len(frames)} frames, a person in {present}: {written}")
    return 0


def _print_next(arguments: argparse.Namespace) -> None:
    """Name the commands that show the results of a bag."""
    print(
        f"next: try `rehab-pose view {arguments.recording}` in a browser, or "
        f"`rehab-pose export {arguments.output} --to csv -o DIR`"
    )
