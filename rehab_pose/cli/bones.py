"""`rehab-pose bones`: the skeleton inside a person, as meshes and tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import argparse

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import Body

__all__ = ["add_parser", "run"]

FIRST_FRAME = 60
"""By then the body's shape is learnt."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("bones", help="write the skeleton inside a person as PLY meshes and tables")
    parser.add_argument("recording", type=Path, nargs="?", help="bag with colour and depth; none: the simulated person")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write into")
    parser.add_argument(
        "--frame", type=int, default=FIRST_FRAME, metavar="N", help="frame of the recording (default: %(default)s)"
    )
    parser.add_argument("--exercise", default="arm_lifting", metavar="NAME", help="what the simulated person does")
    parser.add_argument("--phase", type=float, default=0.25, metavar="P", help="how far into a repetition, 0 to 1")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw bones and skin into this PNG too")
    parser.add_argument(
        "--skeleton", type=Path, metavar="PATH", help="bones of your own SKEL file or OSSO folder in place of ours"
    )
    parser.add_argument("--gender", default="female", choices=("female", "male"), help="which of OSSO's files")
    parser.add_argument("--star", type=Path, metavar="FILE", help="STAR's model.npz, which OSSO needs")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Infer and write.

    Raises:
        ModelFileError: A model file cannot be used.
        RecordingError: The recording cannot be read, or shows nobody in that frame.
    """
    from rehab_pose.anatomy.curvature import spinal_curves_rad  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.anatomy.skeleton import BoneInferrer  # noqa: PLC0415
    from rehab_pose.reports.bone_files import read_template, surfaces_of, write_bones  # noqa: PLC0415

    template = None
    if arguments.skeleton is not None:
        template = read_template(arguments.skeleton, gender=arguments.gender, star=arguments.star)
    if arguments.recording is None:
        model, body = _simulated(arguments.exercise, arguments.phase)
    else:
        model, body = _recorded(arguments.recording, arguments.frame)
    bones = BoneInferrer(surfaces=surfaces_of(model), template=template).infer_with_meshes(body)
    written = write_bones(arguments.output, bones)
    print(f"{len(bones.names)} bones ({bones.source}), {written} files: {arguments.output}")
    if template is None:
        for name, angle_rad in spinal_curves_rad(bones, body.joint_rotations[0]).items():
            print(f"{name.replace('_', ' ')}: {np.degrees(angle_rad):.0f} deg")
    if arguments.picture is not None:
        from rehab_pose.reports.bone_pictures import draw_bones  # noqa: PLC0415
        from rehab_pose.reports.overlay import write_picture  # noqa: PLC0415

        assert bones.mesh is not None  # noqa: S101  (asked for)
        skin = (body.vertices_m, model.faces) if len(body.vertices_m) else None
        write_picture([draw_bones(bones.mesh, skin, body.joint_rotations[0])], 1, arguments.picture)
        print(f"picture: {arguments.picture}")
    return 0


def _simulated(exercise: str, phase: float) -> tuple[BodyModel, Body]:
    """Return the simulated person in one moment of an exercise.

    Raises:
        SettingsError: There is no such exercise.
    """
    from rehab_pose.anatomy.skeleton import surface_body  # noqa: PLC0415
    from rehab_pose.body.loader import load_body_model  # noqa: PLC0415
    from rehab_pose.errors import SettingsError  # noqa: PLC0415
    from rehab_pose.reports.bone_files import posed_surface  # noqa: PLC0415
    from rehab_pose.simulation.exercises import EXERCISES  # noqa: PLC0415
    from rehab_pose.simulation.posture import Stance  # noqa: PLC0415

    if exercise not in EXERCISES:
        msg = f"--exercise: expected one of {', '.join(EXERCISES)}, got {exercise}"
        raise SettingsError(msg)
    model = load_body_model()
    stance = Stance(model, np.zeros(model.shape_count), place_m=(0.0, 0.0), heading_rad=0.0)
    parameters = stance.parameters(EXERCISES[exercise].posture(phase, 1.0, 0.0))
    return model, surface_body(posed_surface(model, parameters), model.model_id, parameters)


def _recorded(recording: Path, frame_number: int) -> tuple[BodyModel, Body]:
    from rehab_pose.errors import RecordingError  # noqa: PLC0415
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415
    from rehab_pose.recordings.bag_reader import BagReader  # noqa: PLC0415

    pipeline, count = Pipeline(), 0
    with BagReader(recording) as reader:
        for number, frame in enumerate(reader.frames()):
            count, result = number + 1, pipeline.process(frame)
            if number >= frame_number and result.body is not None:
                return pipeline.model, result.body
    msg = f"{recording}: expected somebody in frame {frame_number} or later, got {count} frames without"
    raise RecordingError(msg)
