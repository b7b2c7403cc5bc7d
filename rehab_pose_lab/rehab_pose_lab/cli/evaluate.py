"""`rehab-pose evaluate`: measure a stage on a public data set."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import ModelFileError, RecordingError
from rehab_pose_lab.benchmarks.biomechanics import ik_figures
from rehab_pose_lab.cli import evaluate_fusion, evaluate_quality

if TYPE_CHECKING:
    import argparse

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["add_parser", "run"]

DATASETS = ("kimore", "utkinect", "ui_prmd", "mars")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("evaluate", help="measure a stage on a public data set")
    stages = parser.add_subparsers(dest="stage", required=True)
    recognition = stages.add_parser("recognition", help="the exercise recogniser")
    recognition.add_argument("--dataset", choices=DATASETS, default="kimore", help="kind of data set")
    recognition.add_argument("--root", type=Path, required=True, help="folder of the data set")
    recognition.add_argument(
        "--weights", type=Path, help="ONNX file (default: the shipped one, which knows kimore's exercises only)"
    )
    recognition.add_argument("--subjects", help="comma-separated list; default: everybody")
    recognition.add_argument(
        "--leave-out-damaged", action="store_true", help="go on without recordings that cannot be used, and name them"
    )
    recognition.add_argument("--incorrect", action="store_true", help="ui_prmd: also the incorrect repetitions")
    recognition.add_argument("--streaming", action="store_true", help="also the live recogniser, frame by frame")
    recognition.add_argument("--output", type=Path, metavar="DIR", help="write JSON, CSV and figures into this folder")
    recognition.add_argument("--json", action="store_true", help="print one flat JSON object")
    recognition.set_defaults(run=run)
    evaluate_fusion.add_parser(stages)
    evaluate_quality.add_parser(stages)
    angles = stages.add_parser("ik", help="joint rotations from keypoints, on a file with known ones")
    angles.add_argument("file", type=Path, help=".npz with keypoints16 (T, 16, 3) [m] and ori_gt (T, 19, 3, 3)")
    angles.add_argument("--json", action="store_true", help="print one flat JSON object")
    angles.set_defaults(run=run_ik)


def run_ik(args: argparse.Namespace) -> int:
    """Score the joint-angle solvers on one file, and print the figures.

    Raises:
        RecordingError: The file cannot be used.
    """
    figures = ik_figures(args.file)
    if args.json:
        print(json.dumps({name: round(value, 4) for name, value in figures.items()}))
        return 0
    for name, value in figures.items():
        print(f"{name:32s} {value:10.3f}")
    return 0


def _clips(args: argparse.Namespace) -> list[Clip]:
    """Return the recordings that were asked for.

    Raises:
        RecordingError: There are none.
    """
    from rehab_pose_lab.training.exercise_clips import LOADERS  # noqa: PLC0415  (loaded only when it runs)

    left_out: list[str] | None = [] if args.leave_out_damaged else None
    clips = LOADERS[args.dataset](args.root, skipped=left_out)
    for sentence in left_out or []:
        print(f"left out: {sentence}", file=sys.stderr)
    if args.dataset == "ui_prmd" and not args.incorrect:
        clips = [clip for clip in clips if clip.group == "correct"]
    if args.subjects:
        wanted = set(args.subjects.split(","))
        clips = [clip for clip in clips if clip.subject in wanted]
    if not clips:
        msg = f"{args.dataset}: expected recordings in {args.root}, found none of the subjects that were asked for"
        raise RecordingError(msg)
    return clips


def run(args: argparse.Namespace) -> int:
    """Measure, and print the figures.

    Raises:
        ModelFileError: The weights are for other movements than the data set's.
        RecordingError: The recordings cannot be used.
    """
    # Loaded only when this command runs.
    from rehab_pose.exercise.catalogue import LABELS  # noqa: PLC0415
    from rehab_pose.exercise.classifier import WindowClassifier  # noqa: PLC0415
    from rehab_pose_lab.training.exercise_scores import judge_recordings, labelled_windows  # noqa: PLC0415
    from rehab_pose_lab.training.exercise_streaming import live_figures  # noqa: PLC0415
    from rehab_pose_lab.training.recognition_scores import none_figures, score_of  # noqa: PLC0415

    if args.dataset != "kimore" and args.weights is None:
        msg = (
            f"the shipped weights know kimore's exercises, not {args.dataset}'s movements: give --weights, made by "
            f"`rehab-pose train recognition --dataset {args.dataset} --data DIR -o OUT`"
        )
        raise ModelFileError(msg)
    clips = _clips(args)
    weights = str(args.weights) if args.weights else ""
    classifier = WindowClassifier(weights, LABELS if args.dataset == "kimore" else None)
    labels = classifier.labels[1:]
    live = classifier.logits if args.dataset == "kimore" else None
    found = judge_recordings(classifier.exercise_logits, clips, labels, live=live)
    facts: dict[str, Any] = {"dataset": args.dataset, "model_id": classifier.model_id} | score_of(found, labels)
    if args.dataset == "kimore":
        facts |= none_figures(*labelled_windows(classifier.logits, clips)[:2])
        if args.streaming:
            facts |= live_figures(weights, clips)
    facts = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in facts.items()
    }
    if args.output is not None:
        from rehab_pose_lab.benchmarks.recognition_files import write_recognition  # noqa: PLC0415

        write_recognition(args.output, facts, found, labels)
    print(json.dumps(facts) if args.json else "\n".join(_table(facts)))
    return 0


def _table(facts: dict[str, Any]) -> list[str]:
    """Return the figures as lines for a person."""
    lines = [
        f"model {facts['model_id']}, {facts['dataset']}, {facts['n_subjects']} subjects",
        f"recording_acc {facts['recording_acc']:.4f}  n_recordings {facts['n_recordings']}",
        f"window_acc    {facts['window_acc']:.4f}  n_windows    {facts['n_windows']}  (half overlapping)",
        "confusion of recordings (rows: truth, columns: answer), and of windows precision, recall, F1, ROC AUC",
    ]
    columns = zip(*(facts[name] for name in ("precision", "recall", "f1", "roc_auc")), strict=True)
    for label, row, values in zip(facts["labels"], facts["confusion"], columns, strict=True):
        numbers = "".join(f"{'-' if value is None else format(value, '.3f'):>8s}" for value in values)
        lines.append(f"  {label:26s}" + "".join(f"{count:5d}" for count in row) + numbers)
    single = ("ece", "streaming_acc", "six_way_acc", "none_false_pct", "none_recall_pct", "time_to_label_s", "frame_ms")
    lines += [f"{name} {facts[name]:.4f}" for name in single if facts.get(name) is not None]
    lines += [f"  wrong: {line}" for line in facts["wrong"]]
    lines += [f"  not judged (nobody seen long enough): {name}" for name in facts["skipped"]]
    return lines
