"""`rehab-pose-lab evaluate own`: cross-validation on a user's own labelled recordings."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import SettingsError
from rehab_pose_lab.benchmarks.output import metrics_json, metrics_table, rounded_metrics

if TYPE_CHECKING:
    import argparse

    from rehab_pose_lab.training.own_recordings import JudgedRecording

__all__ = ["add_parser", "run"]

TABLE_FILE = "recordings.csv"
DATASETS = ("bags", "kimore", "utkinect", "ui_prmd", "mars", "utd_mhad")


def add_parser(stages: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the stage."""
    parser = stages.add_parser(
        "own",
        help="cross-validation by person on own labelled recordings; labels that the network does not know are learnt "
        "from the other people, as `rehab-pose exercise add` does",
    )
    parser.add_argument("--root", type=Path, required=True, help="folder of result bags with labels.csv, or a data set")
    parser.add_argument("--dataset", choices=DATASETS, default="bags", help="kind of folder (default: bags)")
    parser.add_argument("--weights", type=Path, help="ONNX file of the recogniser (default: the shipped one)")
    parser.add_argument("--folds", type=int, default=5, help="folds by person (default: 5)")
    parser.add_argument("--seed", type=int, default=7, help="seed of the folds and intervals (default: 7)")
    parser.add_argument("--leave-out-damaged", action="store_true", help="leave out unusable recordings and list them")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help=f"write {TABLE_FILE} into this folder")
    parser.add_argument("--json", action="store_true", help="print one flat JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge every recording, print the metrics of people not seen in training, and return the exit code.

    Raises:
        ModelFileError: The weights are unusable.
        RecordingError: The recordings are unusable, or all people were seen in training.
        SettingsError: There are too few folds.
    """
    # Loaded only when this command runs.
    from rehab_pose_lab.training.evaluation_classifier import EvaluationClassifier  # noqa: PLC0415
    from rehab_pose_lab.training.exercise_clips import LOADERS  # noqa: PLC0415
    from rehab_pose_lab.training.own_recordings import cross_validate, own_metrics  # noqa: PLC0415

    if args.folds < 2:
        msg = f"--folds: expected at least 2, got {args.folds}"
        raise SettingsError(msg)
    left_out: list[str] | None = [] if args.leave_out_damaged else None
    clips = LOADERS[args.dataset](args.root, skipped=left_out)
    for message in left_out or []:
        print(f"left out: {message}", file=sys.stderr)
    classifier = EvaluationClassifier(str(args.weights) if args.weights else "")
    judged = cross_validate(clips, classifier, args.folds, args.seed)
    if args.output is not None:
        args.output.mkdir(parents=True, exist_ok=True)
        _write(args.output / TABLE_FILE, judged)
    seen = sorted({entry.subject for entry in judged if entry.seen})
    if seen:
        print(f"seen in training and no part of the averages: {', '.join(seen)}", file=sys.stderr)
    metrics = rounded_metrics(own_metrics(judged, args.seed))
    if args.json:
        print(metrics_json(metrics))
        return 0
    for entry in judged:
        if entry.predicted != entry.label:
            said = entry.predicted or "not learnt: too few recordings of other people"
            print(f"{entry.subject}: {entry.name}: {entry.label} -> {said}{', seen in training' * entry.seen}")
    print("\n".join(metrics_table(metrics)))
    return 0


def _write(path: Path, judged: list[JudgedRecording]) -> None:
    """Write one line for each recording; people seen in training are marked."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.DictWriter(file, fieldnames=list(asdict(judged[0])))
        lines.writeheader()
        lines.writerows(asdict(entry) for entry in judged)
