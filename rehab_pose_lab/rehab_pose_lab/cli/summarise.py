"""`rehab-pose-lab summarise`: results of the whole pipeline in full precision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rehab_pose.datatypes import RgbdFrame

__all__ = ["add_parser", "run"]

SECONDS_PER_EXERCISE = 9.0


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "summarise", help="write joints, angles, labels and repetitions of recordings in full precision, for `compare`"
    )
    parser.add_argument(
        "recordings", type=Path, nargs="*", metavar="BAG", help="bags with colour and depth; none: only the simulation"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="JSON file to write")
    parser.add_argument("--no-simulation", action="store_true", help="leave out the simulated five exercises")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the pipeline and write the summary.

    Raises:
        RecordingError: A recording cannot be read, or the file exists already.
    """
    from tqdm import tqdm  # noqa: PLC0415  (loaded only when this command runs)

    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415
    from rehab_pose_lab.benchmarks.result_summary import summarise, write_summary  # noqa: PLC0415

    entries = []
    if not arguments.no_simulation:
        entries += summarise(Pipeline(), tqdm(_simulated_frames(), unit="frame", disable=None), "simulation")
    for recording in arguments.recordings:
        with BagReader(recording) as reader:
            frames = tqdm(reader.frames(), unit="frame", disable=None)
            entries += summarise(Pipeline(), frames, recording.name)
    write_summary(arguments.output, entries)
    print(f"{len(entries)} frames: {arguments.output}")
    return 0


def _simulated_frames() -> Iterator[RgbdFrame]:
    from rehab_pose_sim.camera import SimulatedCamera  # noqa: PLC0415
    from rehab_pose_sim.settings import SimulationSettings  # noqa: PLC0415

    camera = SimulatedCamera(SimulationSettings(seconds_per_exercise=SECONDS_PER_EXERCISE))
    for index in range(camera.length_frames):
        yield camera.frame(index).frame
