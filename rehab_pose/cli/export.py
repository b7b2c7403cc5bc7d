"""`rehab-pose export`: write a recording for other programs (OpenSim, C3D, BVH, SMPL, tables, video)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.cli.camera_options import add_camera_options, camera_of
from rehab_pose.cli.exit_codes import EXIT_PARTLY
from rehab_pose.cli.params_file import stage_settings
from rehab_pose.errors import RecordingError, SettingsError
from rehab_pose.results.summary import RESULT_FOLDER
from rehab_pose.suggestions import did_you_mean

if TYPE_CHECKING:
    from rehab_pose.recording.recording import Recording

__all__ = ["add_parser", "run"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `export`."""
    from rehab_pose.exports.formats import FORMATS  # noqa: PLC0415

    formats = "\n".join(f"  {name:8} {content}" for name, content in FORMATS.items())
    parser = subparsers.add_parser(
        "export",
        help="write a recording for other programs: OpenSim, C3D, BVH, SMPL, tables, video",
        description=f"Write a recording for other programs.\n\nformats:\n{formats}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "recording",
        type=Path,
        help="results of `rehab-pose process`, of a session, or a camera's bag (processed first)",
    )
    parser.add_argument("--to", required=True, metavar="A,B", help=f"formats: {', '.join(FORMATS)}")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the files")
    add_camera_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files; return 3 if parts of the recording could not be used.

    Raises:
        SettingsError: A format is unknown.
        RecordingError: The recording cannot be read, has no person, or an output exists already.
        MissingDependencyError: The library of a format is not installed.
    """
    from rehab_pose.exports.formats import VIDEO, output_paths, write_exports  # noqa: PLC0415  (slow to load)
    from rehab_pose.output_file import refuse_existing  # noqa: PLC0415

    formats = _formats(arguments.to)
    name = _name(arguments.recording)
    paths = output_paths(arguments.output, name, formats)
    video = arguments.output / f"{name}.{VIDEO}" if VIDEO in formats else None
    refuse_existing([*paths, *([video] if video else [])])
    with _recording(arguments, video) as recording:
        motion = None
        if paths:
            motion = write_exports(recording, arguments.output, name, formats)
        losses = recording.losses
        frames = len(recording.stamps_ns)
    for path in [*paths, *([video] if video else [])]:
        print(path)
    if motion is not None:
        missing = int((~motion.present).sum())
        notes = [f"{missing} of {len(motion.times_s)} frames without a person"] if missing else []
        if not motion.floor_seen:
            notes.append("the floor was not seen: the camera is taken as level, heights are relative to it")
        print("; ".join([f"{frames} frames, {motion.rate_hz:.1f} a second", *notes]))
    if losses:
        print(losses)
    return EXIT_PARTLY if losses else 0


def _formats(text: str) -> list[str]:
    from rehab_pose.exports.formats import FORMATS  # noqa: PLC0415

    names = [name.strip().lower().removeprefix(".") for name in text.split(",") if name.strip()]
    for name in names:
        if name not in FORMATS:
            hint = did_you_mean(name, FORMATS)
            msg = f"--to: expected formats from {', '.join(FORMATS)}, got {name!r}{hint and f'; {hint}'}"
            raise SettingsError(msg)
    if not names:
        msg = f"--to: expected formats from {', '.join(FORMATS)}, got none"
        raise SettingsError(msg)
    return list(dict.fromkeys(names))


def _name(path: Path) -> str:
    """Return the name of the files: that of the recording, for results that of their folder."""
    resolved = path.resolve()
    own = resolved.parent if resolved.name == RESULT_FOLDER else resolved
    return own.stem if own.suffix in {".mcap", ".db3", ".bag"} else own.name


def _recording(arguments: argparse.Namespace, video: Path | None) -> Recording:
    """Open results, or process a camera's bag, drawing the video on the way.

    Raises:
        RecordingError: There is neither, or a video is wanted of results without images.
    """
    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415
    from rehab_pose.recording.recording import has_results, open_recording, process_recording  # noqa: PLC0415

    path: Path = arguments.recording
    if has_results(path):
        if video is not None:
            msg = f"export: expected the camera's recording for a video, {path} has results without the camera's images"
            raise RecordingError(msg)
        return open_recording(path)
    bag = BagReader(path, *camera_of(arguments))
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415

    pipeline = Pipeline(stage_settings(arguments.params_file))
    if video is None:
        return process_recording(bag, None, pipeline, progress=True)
    from rehab_pose.exports.video import OverlayVideo  # noqa: PLC0415

    with OverlayVideo(video, pipeline.model) as drawn:
        return process_recording(bag, None, pipeline, each=drawn.add, progress=True)
