"""`rehab-pose-lab evaluate`: evaluate a stage on a public data set."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import ModelFileError, RecordingError
from rehab_pose_lab.benchmarks.output import metrics_json, metrics_table, rounded_metrics
from rehab_pose_lab.cli import evaluate_fusion, evaluate_own, evaluate_quality

if TYPE_CHECKING:
    import argparse

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["add_parser", "run"]

DATASETS = ("kimore", "utkinect", "ui_prmd", "mars")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("evaluate", help="evaluate a stage on a public data set")
    stages = parser.add_subparsers(dest="stage", required=True)
    recognition = stages.add_parser("recognition", help="the exercise recogniser")
    recognition.add_argument("--dataset", choices=DATASETS, default="kimore", help="kind of data set")
    recognition.add_argument("--root", type=Path, required=True, help="folder of the data set")
    recognition.add_argument(
        "--weights", type=Path, help="ONNX file (default: the shipped one, which classifies only kimore's exercises)"
    )
    recognition.add_argument("--subjects", help="comma-separated list (default: all)")
    recognition.add_argument(
        "--leave-out-damaged", action="store_true", help="leave out unusable recordings and list them"
    )
    recognition.add_argument(
        "--incorrect", action="store_true", help="ui_prmd: also evaluate the incorrect repetitions"
    )
    recognition.add_argument(
        "--streaming", action="store_true", help="also evaluate the live recogniser frame by frame"
    )
    recognition.add_argument(
        "--seen",
        action="store_true",
        help="evaluate people that the weights were trained on, too, and mark the figures",
    )
    recognition.add_argument("--output", type=Path, metavar="DIR", help="write JSON, CSV and metrics into this folder")
    recognition.add_argument("--json", action="store_true", help="print one flat JSON object")
    recognition.set_defaults(run=run)
    evaluate_fusion.add_parser(stages)
    evaluate_own.add_parser(stages)
    evaluate_quality.add_parser(stages)
    angles = stages.add_parser("ik", help="joint rotations from keypoints, on a file with known rotations")
    angles.add_argument("file", type=Path, help=".npz with keypoints16 (T, 16, 3) [m] and ori_gt (T, 19, 3, 3)")
    angles.add_argument("--json", action="store_true", help="print one flat JSON object")
    angles.set_defaults(run=run_ik)


def run_ik(args: argparse.Namespace) -> int:
    """Evaluate the joint-angle solvers on one file, print the metrics, and return the exit code.

    Raises:
        RecordingError: The file is unusable.
    """
    from rehab_pose_lab.benchmarks.biomechanics import ik_metrics  # noqa: PLC0415  (loaded only when it runs)

    metrics = ik_metrics(args.file)
    print(metrics_json(rounded_metrics(metrics)) if args.json else "\n".join(metrics_table(metrics)))
    return 0


def _clips(args: argparse.Namespace) -> list[Clip]:
    """Return the requested recordings.

    Raises:
        RecordingError: There are none, or one is unusable.
    """
    from rehab_pose_lab.training.exercise_clips import LOADERS  # noqa: PLC0415  (loaded only when it runs)

    left_out: list[str] | None = [] if args.leave_out_damaged else None
    clips = LOADERS[args.dataset](args.root, skipped=left_out)
    for message in left_out or []:
        print(f"left out: {message}", file=sys.stderr)
    if args.dataset == "ui_prmd" and not args.incorrect:
        clips = [clip for clip in clips if clip.group == "correct"]
    if args.subjects:
        wanted = set(args.subjects.split(","))
        clips = [clip for clip in clips if clip.subject in wanted]
    if not clips:
        msg = f"{args.dataset}: expected recordings in {args.root}, found none of the requested subjects"
        raise RecordingError(msg)
    return clips


def run(args: argparse.Namespace) -> int:
    """Evaluate, print the metrics, and return the exit code.

    Raises:
        ModelFileError: The weights are for the movements of another data set.
        RecordingError: The recordings are unusable.
    """
    # Loaded only when this command runs.
    from rehab_pose.exercise.catalogue import LABELS  # noqa: PLC0415
    from rehab_pose_lab.training.evaluation_classifier import EvaluationClassifier  # noqa: PLC0415
    from rehab_pose_lab.training.exercise_metrics import none_metrics, recognition_metrics  # noqa: PLC0415
    from rehab_pose_lab.training.exercise_predictions import labelled_windows, predict_recordings  # noqa: PLC0415
    from rehab_pose_lab.training.exercise_streaming import live_metrics  # noqa: PLC0415

    if args.dataset != "kimore" and args.weights is None:
        msg = (
            f"the shipped weights are for kimore's exercises, not for the movements of {args.dataset}: use --weights "
            f"with a file of `rehab-pose-lab train recognition --dataset {args.dataset} --data DIR -o OUT`"
        )
        raise ModelFileError(msg)
    clips = _clips(args)
    weights = str(args.weights) if args.weights else ""
    classifier = EvaluationClassifier(weights, LABELS if args.dataset == "kimore" else None)
    seen = sorted({f"{clip.dataset}/{clip.subject}" for clip in clips} & classifier.seen)
    if seen and not args.seen:
        print(f"seen in training and left out: {', '.join(seen)}", file=sys.stderr)
        clips = [clip for clip in clips if f"{clip.dataset}/{clip.subject}" not in classifier.seen]
        if not clips:
            msg = (
                f"{args.dataset}: expected people that the weights were not trained on, all {len(seen)} were; their "
                "figures say nothing about others. Use a fold's weights (scripts/bench recognition), or --seen to have "
                "them marked"
            )
            raise RecordingError(msg)
    labels = classifier.labels[1:]
    live = classifier.logits if args.dataset == "kimore" else None
    predictions = predict_recordings(classifier.exercise_logits, clips, labels, live=live)
    metrics: dict[str, Any] = {"dataset": args.dataset, "model_id": classifier.model_id, "seen_in_training": len(seen)}
    metrics |= recognition_metrics(predictions, labels)
    if args.dataset == "kimore":
        metrics |= none_metrics(*labelled_windows(classifier.logits, clips)[:2])
        if args.streaming:
            metrics |= live_metrics(weights, clips)
    if args.output is not None:
        from rehab_pose_lab.benchmarks.recognition_files import write_recognition  # noqa: PLC0415

        write_recognition(args.output, json.loads(metrics_json(metrics)), predictions, labels)
    print(metrics_json(metrics) if args.json else "\n".join(_table(metrics)))
    return 0


def _table(metrics: dict[str, Any]) -> list[str]:
    """Return the metrics as lines of text."""
    lines = [
        f"model {metrics['model_id']}, {metrics['dataset']}, {metrics['n_subjects']} subjects"
        + (f", of them {metrics['seen_in_training']} SEEN IN TRAINING" if metrics["seen_in_training"] else ""),
        f"recording_acc {metrics['recording_acc']:.4f}  n_recordings {metrics['n_recordings']}",
        f"window_acc    {metrics['window_acc']:.4f}  n_windows    {metrics['n_windows']}  (half overlapping)",
        "confusion of recordings (rows: true, columns: predicted), and of windows precision, recall, F1, ROC AUC",
    ]
    columns = zip(*(metrics[name] for name in ("precision", "recall", "f1", "roc_auc")), strict=True)
    for label, row, values in zip(metrics["labels"], metrics["confusion"], columns, strict=True):
        numbers = "".join(f"{'-' if value is None else format(value, '.3f'):>8s}" for value in values)
        lines.append(f"  {label:26s}" + "".join(f"{count:5d}" for count in row) + numbers)
    single = ("ece", "streaming_acc", "six_way_acc", "none_false_pct", "none_recall_pct", "time_to_label_s", "frame_ms")
    lines += [f"{name} {metrics[name]:.4f}" for name in single if math.isfinite(metrics.get(name, math.nan))]
    lines += [f"  wrong: {line}" for line in metrics["wrong"]]
    lines += [f"  not classified (person visible too briefly): {name}" for name in metrics["skipped"]]
    return lines
