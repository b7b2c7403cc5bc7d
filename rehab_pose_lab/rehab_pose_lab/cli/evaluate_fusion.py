"""`rehab-pose evaluate fusion`: what recognition loses when a stream of the fused vector is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]


def add_parser(stages: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the stage."""
    parser = stages.add_parser(
        "fusion", help="streams of the fused vector left out one at a time, on recordings rendered as RGB-D"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder a data set; kimore is used")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="rendered recordings and results; goes on where it stopped"
    )
    parser.add_argument("--seed", type=int, default=7, help="of bodies, rooms and cameras")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Render what is not rendered yet, train and judge every variant, and print the table.

    Raises:
        RecordingError: The recordings cannot be used.
    """
    # Loaded only when this command runs.
    from rehab_pose_lab.training.fusion_ablation import ablation, ablation_table  # noqa: PLC0415
    from rehab_pose_lab.training.fusion_clips import fusion_clips  # noqa: PLC0415

    clips = fusion_clips(args.data, args.output / "clips", seed=args.seed)
    results = ablation(clips, args.output / "fusion.json")
    print(json.dumps(results) if args.json else "\n".join(ablation_table(results)))
    return 0
