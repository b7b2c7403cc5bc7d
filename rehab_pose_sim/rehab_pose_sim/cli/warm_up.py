"""`rehab-pose-sim warm-up`: compile the kernels of the simulated camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose_sim.camera import SimulatedCamera

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("warm-up", help="compile and cache the kernels (part of scripts/setup)")
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace) -> int:
    """Render one image."""
    SimulatedCamera().frame(0)
    return 0
