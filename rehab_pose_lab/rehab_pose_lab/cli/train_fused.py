"""`rehab-pose-lab train fused`: the correction of the recogniser by keypoints, contours, body and vertices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

SEED, STEPS, EXERCISES, OTHERS = 7, 600, 110, 60
"""Seed and sizes of the last training of the shipped weights."""


def add_parser(stages: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the stage."""
    parser = stages.add_parser(
        "fused", help="the correction of the exercise recogniser by all streams, on recordings rendered as RGB-D"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder per data set")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        help="folder for rendered recordings, checkpoints, metrics and weights; an interrupted run resumes from it",
    )
    parser.add_argument(
        "--exercises", type=int, default=EXERCISES, help="recordings of exercises to render (default: %(default)s)"
    )
    parser.add_argument(
        "--others", type=int, default=OTHERS, help="recordings of other movements to render (default: %(default)s)"
    )
    parser.add_argument("--steps", type=int, default=STEPS, help="steps of each training (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of all choices (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Render, train, print what each stream adds for people not trained on, and return the exit code.

    Raises:
        RecordingError: Recordings are missing or unusable.
    """
    from rehab_pose_lab.training.fusion_correction import CorrectionPlan  # noqa: PLC0415  (torch takes seconds to load)
    from rehab_pose_lab.training.fusion_training import FusionPlan, fused_table, train_fused  # noqa: PLC0415

    correction = CorrectionPlan(steps=args.steps, seed=args.seed, threads=args.threads)
    plan = FusionPlan(exercises=args.exercises, others=args.others, correction=correction)
    metrics = train_fused(args.data, args.output, plan)
    print(f"weights: {args.output / 'exercise_fused.onnx'}")
    print("\n".join(fused_table(metrics)))
    return 0
