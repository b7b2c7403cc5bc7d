"""`rehab-pose-sim bag`: the simulated camera's images as a bag."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose_sim.settings import EXERCISE_CHOICES

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

DEFAULT_FRAMES = 300


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("bag", help="write colour, depth and camera_info of the simulated person into a bag")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the bag")
    parser.add_argument("--exercise", default="all", choices=EXERCISE_CHOICES, help="exercise (default: %(default)s)")
    parser.add_argument(
        "--frames", type=int, default=DEFAULT_FRAMES, metavar="N", help="number of frames (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the bag.

    Raises:
        RecordingError: The folder exists, or cannot be written.
        SettingsError: The number of frames is below 1.
    """
    from tqdm import tqdm  # noqa: PLC0415  (loaded only when this command runs)

    from rehab_pose.errors import SettingsError  # noqa: PLC0415
    from rehab_pose_sim.recording import write_bag  # noqa: PLC0415
    from rehab_pose_sim.settings import SimulationSettings  # noqa: PLC0415

    if arguments.frames < 1:
        msg = f"--frames: expected at least 1, got {arguments.frames}"
        raise SettingsError(msg)
    settings = SimulationSettings(exercise=arguments.exercise)
    write_bag(arguments.output, settings, tqdm(range(arguments.frames), unit="frame", disable=None))
    print(f"{arguments.frames} frames: {arguments.output}")
    return 0
