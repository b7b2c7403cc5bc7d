"""`rehab-pose-lab evaluate quality`: KIMORE's clinical scores of recorded exercises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import RecordingError
from rehab_pose_lab.benchmarks.output import metrics_json, rounded_metrics

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

RATERS_FILE = "subjects_scores.csv"
TABLE_FILE = "scores.csv"


def add_parser(stages: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the stage."""
    parser = stages.add_parser(
        "quality",
        help="clinical scores of recorded exercises, and their agreement with the raters where ratings exist",
    )
    parser.add_argument("--dataset", choices=("kimore", "bags"), default="kimore", help="kind of data set")
    parser.add_argument("--root", type=Path, required=True, help="folder of the data set")
    parser.add_argument(
        "--weights", type=Path, help="file of `rehab-pose-lab train quality` (default: the shipped one)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help=f"write {TABLE_FILE} into this folder")
    parser.add_argument("--json", action="store_true", help="print one flat JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict the scores, print them and their agreement with the raters, and return the exit code.

    Raises:
        ModelFileError: The weights are unusable.
        RecordingError: The recordings are unusable.
    """
    # Loaded only when this command runs.
    from rehab_pose_lab.methods.exercise.clinical_scores import (  # noqa: PLC0415
        SHIPPED_SCORES,
        load_score_model,
        subjects_of_scores,
    )
    from rehab_pose_lab.training.clinical_evaluation import agreement, score_recordings, write_scores  # noqa: PLC0415
    from rehab_pose_lab.training.clinical_scores import load_scores  # noqa: PLC0415
    from rehab_pose_lab.training.exercise_clips import LOADERS  # noqa: PLC0415

    model = load_score_model(args.weights or SHIPPED_SCORES)
    rated = args.dataset == "kimore" and (args.root / RATERS_FILE).is_file()
    raters = load_scores(args.root) if rated else {}
    scored = score_recordings(LOADERS[args.dataset](args.root), model, raters)
    if not scored:
        msg = f"{args.dataset}: expected recordings of the five exercises in {args.root}, longer than 3 s, found none"
        raise RecordingError(msg)
    if args.output is not None:
        args.output.mkdir(parents=True, exist_ok=True)
        write_scores(args.output / TABLE_FILE, scored)
    known = subjects_of_scores(args.weights or SHIPPED_SCORES) if args.dataset == "kimore" else frozenset()
    seen = sorted({entry.subject for entry in scored} & known)
    metrics = rounded_metrics(agreement([entry for entry in scored if entry.subject not in known]))
    metrics["n_seen_in_training"] = len(seen)
    if args.json:
        print(metrics_json(metrics))
        return 0
    if seen:
        print(
            f"{len(seen)} people were seen in training and are no part of the agreement; for figures of all, "
            "cross-validated: rehab-pose-lab train quality"
        )
    for entry in scored:
        scores, sigma = entry.predicted.values, entry.predicted.deviations
        print(
            f"{entry.subject:16s} {entry.label:20s} total {scores[0]:4.1f} +- {sigma[0]:.1f} of 50, "
            f"primary outcome {scores[1]:4.1f} +- {sigma[1]:.1f} of 15, control factors {scores[2]:4.1f} +- "
            f"{sigma[2]:.1f} of 35, {'' if entry.predicted.correct else 'not '}correct (total of 30 or more with "
            f"{100 * entry.predicted.correct_probability:.0f} %)"
            f"{', seen in training' if entry.subject in known else ''}"
        )
    for name, value in metrics.items():
        print(f"{name:16s} {'unknown' if value is None else value}")
    return 0
