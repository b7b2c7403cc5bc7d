"""`rehab-pose-lab evaluate fusion`: loss of accuracy when a stream of the fused features is left out."""

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
        "fusion", help="ablation of the streams of the fused features, on recordings rendered as RGB-D"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder per data set; kimore is used")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        help="folder for rendered recordings and results; an interrupted run resumes from it",
    )
    parser.add_argument("--seed", type=int, default=7, help="seed of bodies, rooms and cameras")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Render recordings, train and evaluate every variant, print the table, and return the exit code.

    Raises:
        RecordingError: The recordings are unusable.
    """
    # Loaded only when this command runs.
    from rehab_pose_lab.datasets.kimore import load_kimore  # noqa: PLC0415
    from rehab_pose_lab.training.fusion_ablation import ablation, ablation_table  # noqa: PLC0415
    from rehab_pose_lab.training.fusion_clips import chosen_recordings, fusion_clips  # noqa: PLC0415

    recordings = load_kimore(args.data / "kimore")
    chosen = chosen_recordings(recordings, len(recordings), 0, args.seed)
    clips = fusion_clips(chosen, args.output / "clips", seed=args.seed)
    results = ablation(clips, args.output / "fusion.json")
    print(json.dumps(results) if args.json else "\n".join(ablation_table(results)))
    return 0
