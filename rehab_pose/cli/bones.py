"""`rehab-pose bones`: write the bones inferred for a person in a recording, as meshes and tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.cli.camera_options import add_camera_options, camera_of
from rehab_pose.cli.exit_codes import EXIT_PARTLY
from rehab_pose.cli.params_file import stage_settings

if TYPE_CHECKING:
    import argparse

    from rehab_pose.bags.losses import BagLosses
    from rehab_pose.bags.reader import BagReader
    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import Body
    from rehab_pose.pipeline import Pipeline

__all__ = ["add_output_arguments", "add_parser", "run", "write_bones_of"]

FIRST_FRAME = 60
"""Default frame [index]; by then the shape of the body is estimated from enough frames."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `bones`."""
    parser = subparsers.add_parser("bones", help="write the skeleton inside a person as PLY meshes and tables")
    parser.add_argument("recording", type=Path, help="bag with colour and depth")
    parser.add_argument(
        "--frame", type=int, default=FIRST_FRAME, metavar="N", help="frame of the recording (default: %(default)s)"
    )
    add_output_arguments(parser)
    add_camera_options(parser)
    parser.set_defaults(run=run)


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments about the output and the source of the bones."""
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write into")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw bones and skin into this PNG file")
    parser.add_argument(
        "--skeleton",
        type=Path,
        metavar="PATH",
        help="use the bones of a SKEL file or an OSSO folder instead of the built-in ones",
    )
    parser.add_argument(
        "--gender", default="female", choices=("female", "male"), help="selects the OSSO files (default: %(default)s)"
    )
    parser.add_argument("--star", type=Path, metavar="FILE", help="the model.npz of STAR, required with OSSO")


def run(arguments: argparse.Namespace) -> int:
    """Infer and write the bones of the person in a recording; return 3 if parts of the recording could not be used.

    Raises:
        ModelFileError: A model file cannot be used.
        RecordingError: The recording cannot be read, or shows no person in that frame.
    """
    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415

    _check_outputs(arguments)
    pipeline = Pipeline(stage_settings(arguments.params_file))
    recording = BagReader(arguments.recording, *camera_of(arguments))
    body, losses = _body_in_recording(pipeline, recording, arguments.frame)
    write_bones_of(arguments, pipeline.model, body)
    if losses:
        print(losses.sentence)
    return EXIT_PARTLY if losses else 0


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Check that the outputs are new, before the recording is processed.

    Raises:
        RecordingError: One exists, or its place cannot be written.
    """
    from rehab_pose.drawing.overlay import check_picture_name  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.output_file import refuse_existing  # noqa: PLC0415
    from rehab_pose.results.bone_files import bone_paths  # noqa: PLC0415

    refuse_existing(bone_paths(arguments.output))
    if arguments.picture is not None:
        check_picture_name(arguments.picture)
        refuse_existing([arguments.picture])


def write_bones_of(arguments: argparse.Namespace, model: BodyModel, body: Body) -> None:
    """Infer the bones of a body, write them, and print their number and the curves of the spine.

    Args:
        arguments: As `add_output_arguments` defines them.
        model: The body's model.
        body: The fitted body; its vertices are needed only for a picture with the skin.

    Raises:
        ModelFileError: A model file cannot be used.
        RecordingError: The output cannot be written.
    """
    from rehab_pose.bones.curvature import spinal_curves_rad  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.bones.inferrer import BoneInferrer  # noqa: PLC0415
    from rehab_pose.bones.licensed_files import read_template  # noqa: PLC0415
    from rehab_pose.results.body_surfaces import surfaces_of  # noqa: PLC0415
    from rehab_pose.results.bone_files import write_bones  # noqa: PLC0415

    template = None
    if arguments.skeleton is not None:
        template = read_template(arguments.skeleton, gender=arguments.gender, star=arguments.star)
    bones = BoneInferrer(surfaces=surfaces_of(model), template=template).infer_with_meshes(body)
    written = write_bones(arguments.output, bones)
    print(f"{len(bones.names)} bones ({bones.source}), {written} files: {arguments.output}")
    if template is None:
        for name, angle_rad in spinal_curves_rad(bones, body.joint_rotations[0]).items():
            print(f"{name.replace('_', ' ')}: {np.degrees(angle_rad):.0f} deg")
    if arguments.picture is not None:
        from rehab_pose.drawing.bone_pictures import draw_bones  # noqa: PLC0415
        from rehab_pose.drawing.overlay import write_picture  # noqa: PLC0415

        assert bones.mesh is not None  # noqa: S101  (`infer_with_meshes` sets it)
        skin = (body.vertices_m, model.faces) if len(body.vertices_m) else None
        write_picture([draw_bones(bones.mesh, skin, body.joint_rotations[0])], 1, arguments.picture)
        print(f"picture: {arguments.picture}")


def _body_in_recording(pipeline: Pipeline, recording: BagReader, frame_number: int) -> tuple[Body, BagLosses]:
    """Return the first body from a frame on, and what was left out of the recording up to it."""
    from rehab_pose.errors import RecordingError  # noqa: PLC0415

    count = 0
    with recording as reader:
        for number, frame in enumerate(reader.frames()):
            count, result = number + 1, pipeline.process(frame)
            if number >= frame_number and result.body is not None:
                return result.body, reader.losses
    msg = f"{recording.path}: expected a person in frame {frame_number} or later, got {count} frames without"
    raise RecordingError(msg)
