"""`rehab-pose warm-up`: compile every kernel once, so that no node waits for a compiler at its first frame."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

FRAMES = 3
"""The first frame starts cold, the later ones from the last: both ways get compiled."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("warm-up", help="compile and cache all kernels (part of scripts/setup)")
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace) -> int:
    """Run the whole pipeline on a few simulated frames."""
    from rehab_pose.anatomy.fit import warm_up as warm_up_anatomy  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.capture.cleaning import DepthCleaner  # noqa: PLC0415
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415
    from rehab_pose.simulation.camera import SimulatedCamera  # noqa: PLC0415

    start = time.perf_counter()
    camera, pipeline, cleaner = SimulatedCamera(), Pipeline(), DepthCleaner()
    for index in range(FRAMES):
        frame = camera.frame(index).frame
        cleaner.clean(frame.depth_m.copy())
        pipeline.process(frame)
    warm_up_anatomy()
    print(f"kernels compiled and cached in {time.perf_counter() - start:.1f} s")
    return 0
