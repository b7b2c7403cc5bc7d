"""`rehab-pose-sim bones`: write the bones inside the simulated person's body as meshes and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.cli.bones import add_output_arguments, write_bones_of

if TYPE_CHECKING:
    import argparse

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import Body

__all__ = ["add_parser", "run"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("bones", help="write the bones of the simulated person")
    parser.add_argument("--exercise", default="arm_lifting", metavar="NAME", help="exercise (default: %(default)s)")
    parser.add_argument(
        "--phase", type=float, default=0.25, metavar="P", help="fraction of a repetition, 0 to 1 (default: %(default)s)"
    )
    add_output_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Infer and write the bones of the simulated person at one phase of an exercise.

    Raises:
        ModelFileError: A model file cannot be used.
        SettingsError: The exercise is unknown.
    """
    model, body = _simulated(arguments.exercise, arguments.phase)
    write_bones_of(arguments, model, body)
    return 0


def _simulated(exercise: str, phase: float) -> tuple[BodyModel, Body]:
    from rehab_pose.body.loader import load_body_model  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.bones.inferrer import surface_body  # noqa: PLC0415
    from rehab_pose.errors import SettingsError  # noqa: PLC0415
    from rehab_pose.results.body_surfaces import posed_surface  # noqa: PLC0415
    from rehab_pose_sim.exercises import EXERCISES  # noqa: PLC0415
    from rehab_pose_sim.pose import Stance  # noqa: PLC0415

    if exercise not in EXERCISES:
        msg = f"--exercise: expected one of {', '.join(EXERCISES)}, got {exercise}"
        raise SettingsError(msg)
    model = load_body_model()
    stance = Stance(model, np.zeros(model.shape_count), place_m=(0.0, 0.0), heading_rad=0.0)
    parameters = stance.parameters(EXERCISES[exercise].pose(phase, 1.0, 0.0))
    return model, surface_body(posed_surface(model, parameters), model.model_id, parameters)
