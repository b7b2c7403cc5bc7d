"""`rehab-pose-lab compare`: whether two versions of the code give the same results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

TOLERANCE = 1e-6
"""In each field's own unit: metres, radians."""
EXIT_DIFFERENT = 1


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("compare", help="compare two files of `summarise`, made by two versions of the code")
    parser.add_argument("first", type=Path, help="file of one version")
    parser.add_argument("second", type=Path, help="file of the other version")
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help="largest difference of two numbers (default: %(default)g)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the largest difference of each field; return 0 where all are within the tolerance, else 1.

    Raises:
        RecordingError: A file cannot be read.
    """
    from rehab_pose_lab.benchmarks.result_summary import (  # noqa: PLC0415  (loaded only when this command runs)
        compare_summaries,
        read_summary,
    )

    first, second = read_summary(arguments.first), read_summary(arguments.second)
    largest, sentences = compare_summaries(first, second, arguments.tolerance)
    for field, difference in sorted(largest.items()):
        print(f"{field:20s} {difference:.3g}")
    print("\n".join(sentences) if sentences else f"{len(first)} frames agree within {arguments.tolerance:g}")
    return EXIT_DIFFERENT if sentences else 0
