"""`rehab-pose evaluate`: measure a stage on a public data set."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehab_pose.cli.bench_biomechanics import ik_figures
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.recognizer import WindowClassifier
from rehab_pose.recordings.kimore import load_kimore
from rehab_pose.training.exercise_scores import labelled_windows, none_scores, score_recordings
from rehab_pose.training.exercise_streaming import score_streaming

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("evaluate", help="measure a stage on a public data set")
    stages = parser.add_subparsers(dest="stage", required=True)
    recognition = stages.add_parser("recognition", help="the exercise recogniser")
    recognition.add_argument("--dataset", choices=("kimore",), default="kimore", help="kind of data set")
    recognition.add_argument("--root", type=Path, required=True, help="folder of the data set")
    recognition.add_argument("--weights", type=Path, help="ONNX file (default: the shipped one)")
    recognition.add_argument("--subjects", help="comma-separated list; default: everybody")
    recognition.add_argument("--streaming", action="store_true", help="also frame by frame, as a live camera would")
    recognition.add_argument("--json", action="store_true", help="print one flat JSON object")
    recognition.set_defaults(run=run)
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


def run(args: argparse.Namespace) -> int:
    """Measure, and print the figures."""
    classifier = WindowClassifier(str(args.weights) if args.weights else "")
    clips = load_kimore(args.root)
    if args.subjects:
        wanted = set(args.subjects.split(","))
        clips = [clip for clip in clips if clip.subject in wanted]
    score = score_recordings(classifier.logits, clips)
    facts: dict[str, Any] = asdict(score) | {"labels": list(EXERCISES), "model_id": classifier.model_id}
    facts |= none_scores(*labelled_windows(classifier.logits, clips))
    if args.streaming:
        facts |= score_streaming(str(args.weights) if args.weights else "", clips)
    if args.json:
        print(json.dumps(facts))
        return 0
    print(f"model {classifier.model_id}, {score.n_subjects} subjects")
    print(f"recording_acc {score.recording_acc:.4f}  n_recordings {score.n_recordings}")
    print(f"window_acc    {score.window_acc:.4f}  n_windows    {score.n_windows}  (64 frames, half overlapping)")
    print("confusion of recordings (rows: truth, columns: answer)")
    for label, row in zip(EXERCISES, score.confusion, strict=True):
        print(f"  {label:20s}" + "".join(f"{count:6d}" for count in row))
    for name in ("six_way_acc", "none_recall", "none_false", "streaming_acc", "label_within_3s", "frame_ms_mean"):
        if name in facts:
            print(f"{name} {facts[name]:.4f}")
    for line in score.wrong:
        print(f"  wrong: {line}")
    return 0
