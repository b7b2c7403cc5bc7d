"""`rehab-pose evaluate quality`: KIMORE's clinical scores of recorded exercises."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

RATERS_FILE = "subjects_scores.csv"
TABLE_FILE = "scores.csv"


def add_parser(stages: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the stage."""
    parser = stages.add_parser(
        "quality",
        help="clinical scores of recorded exercises, and how they agree with the raters where these are known",
    )
    parser.add_argument("--dataset", choices=("kimore", "bags"), default="kimore", help="kind of data set")
    parser.add_argument("--root", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--weights", type=Path, help="file of `rehab-pose train quality` (default: the shipped one)")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help=f"write {TABLE_FILE} into this folder")
    parser.add_argument("--json", action="store_true", help="print one flat JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score, and print the scores or how they agree.

    Raises:
        ModelFileError: The weights cannot be used.
        RecordingError: The recordings cannot be used.
    """
    # Loaded only when this command runs.
    from rehab_pose_lab.methods.exercise.clinical_scores import SHIPPED_SCORES, load_score_model  # noqa: PLC0415
    from rehab_pose_lab.training.clinical_evaluation import agreement, score_recordings, write_scores  # noqa: PLC0415
    from rehab_pose_lab.training.clinical_scores import load_scores  # noqa: PLC0415
    from rehab_pose_lab.training.exercise_clips import LOADERS  # noqa: PLC0415

    model = load_score_model(args.weights or SHIPPED_SCORES)
    rated = args.dataset == "kimore" and (args.root / RATERS_FILE).is_file()
    raters = load_scores(args.root) if rated else {}
    scored = score_recordings(LOADERS[args.dataset](args.root), model, raters)
    if not scored:
        msg = f"{args.dataset}: expected recordings of the five exercises in {args.root}, longer than 3 s; found none"
        raise RecordingError(msg)
    if args.output is not None:
        args.output.mkdir(parents=True, exist_ok=True)
        write_scores(args.output / TABLE_FILE, scored)
    figures = {name: round(value, 4) if math.isfinite(value) else None for name, value in agreement(scored).items()}
    if args.json:
        print(json.dumps(figures))
        return 0
    for entry in scored:
        said, sigma = entry.said.values, entry.said.deviations
        print(
            f"{entry.subject:16s} {entry.label:20s} total {said[0]:4.1f} +- {sigma[0]:.1f} of 50, "
            f"primary outcome {said[1]:4.1f} +- {sigma[1]:.1f} of 15, control factors {said[2]:4.1f} +- {sigma[2]:.1f} "
            f"of 35, correct with {100 * entry.said.correct_probability:.0f} %"
        )
    for name, value in figures.items():
        print(f"{name:16s} {'not known' if value is None else value}")
    return 0
