"""`rehab-pose train`: learn the weights of a stage."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import MissingDependencyError, SettingsError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

SAMPLES = {"silhouette": 40_000, "joints": 80_000}
STEPS = {"silhouette": 9000, "joints": 12_000}
BATCH_SIZES = {"silhouette": 24, "joints": 32}
SAMPLE_SEEDS = {"silhouette": 21, "joints": 11}
SEEDS = {"silhouette": 5, "joints": 11}
LEARNING_RATE = 1.5e-3
LIBRARY_SEED = 3
POSTURE_SEED = 1
QUALITY_SEED = 7
EPOCHS = 12
HELD_OUT_SEED = 99
"""What the shipped weights' last round was made with; samples of another seed are for the figures."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("train", help="learn the weights of a stage")
    stages = parser.add_subparsers(dest="stage", required=True)
    exercise = stages.add_parser("recognition", help="the exercise recogniser, from public recordings of joints")
    exercise.add_argument("--data", type=Path, required=True, help="folder with one folder a data set (kimore, ...)")
    exercise.add_argument(
        "--dataset",
        choices=("kimore", "utkinect", "ui_prmd", "mars"),
        default="kimore",
        help="whose movements; kimore learns from all sets, the others' movements as `none` (default: kimore)",
    )
    exercise.add_argument("-o", "--output", type=Path, required=True, help="folder for weights, figures, checkpoint")
    exercise.add_argument("--epochs", type=int, default=EPOCHS, help="epochs of 100 batches (default: %(default)s)")
    exercise.add_argument("--seed", type=int, default=7, help="of the split, the start and the windows")
    exercise.add_argument("--threads", type=int, default=1, help="threads that torch may use")
    exercise.add_argument(
        "--held-out", type=float, default=0.2, help="part of the subjects kept back for the figures (default: 0.2)"
    )
    exercise.add_argument(
        "--calibration", type=Path, help="metrics.json of a run that kept subjects back; for --held-out 0"
    )
    quality = stages.add_parser("quality", help="norms of healthy repetitions, and clinical scores, from KIMORE")
    quality.add_argument("--data", type=Path, required=True, help="folder with a folder kimore")
    quality.add_argument("-o", "--output", type=Path, required=True, help="folder for the norms and the weights")
    quality.add_argument("--seed", type=int, default=QUALITY_SEED, help="of the folds (default: %(default)s)")
    posture = stages.add_parser("posture-prior", help="the mixture of postures, from public recordings of joints")
    posture.add_argument("--data", type=Path, required=True, help="folder with kimore, ui_prmd, utkinect")
    posture.add_argument("-o", "--output", type=Path, required=True, help="folder for the mixture and the postures")
    posture.add_argument("--seed", type=int, default=POSTURE_SEED, help="of the starts (default: %(default)s)")
    for stage, what in (("silhouette", "the silhouette network"), ("joints", "the joint network")):
        rendered = stages.add_parser(stage, help=f"{what}, from rendered people")
        rendered.add_argument("-o", "--output", type=Path, required=True, help="for samples, weights, checkpoint")
        rendered.add_argument("--samples", type=int, default=SAMPLES[stage], help="rendered (default: %(default)s)")
        rendered.add_argument("--held-out-samples", type=int, default=1000, help="more, for the figures")
        rendered.add_argument("--steps", type=int, default=STEPS[stage], help="of training (default: %(default)s)")
        rendered.add_argument("--batch-size", type=int, default=BATCH_SIZES[stage], help="(default: %(default)s)")
        rendered.add_argument("--learning-rate", type=float, default=LEARNING_RATE, help="(default: %(default)s)")
        rendered.add_argument("--seed", type=int, default=SEEDS[stage], help="of the start and the batches")
        rendered.add_argument(
            "--data", type=Path, help="folder with kimore, ui_prmd, utkinect: postures of recorded people, fitted"
        )
        rendered.add_argument(
            "--start", type=Path, metavar="WEIGHTS", help="train on from a checkpoint or from exported .onnx weights"
        )
        rendered.add_argument("--threads", type=int, default=1, help="threads that torch may use")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, and print the figures.

    Raises:
        MissingDependencyError: torch is not installed.
        SettingsError: A number is out of range.
    """
    if args.stage == "posture-prior":
        return _train_posture_prior(args)
    if args.stage == "quality":
        return _train_quality(args)
    if importlib.util.find_spec("torch") is None:
        msg = "training needs torch, which is not installed; pip install torch, then try again"
        raise MissingDependencyError(msg)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return _train_exercise(args) if args.stage == "recognition" else _train_rendered(args)


def _train_posture_prior(args: argparse.Namespace) -> int:
    """Fit postures to recordings, learn their mixture (numpy only), print its figures."""
    from rehab_pose_lab.training.posture_prior import train_posture_prior  # noqa: PLC0415  (only when it is asked for)

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for name, value in train_posture_prior(args.data, args.output, args.seed).items():
        print(f"{name:24s} {value:10.3f}")
    return 0


def _train_quality(args: argparse.Namespace) -> int:
    """Learn norms and clinical scores (numpy only), print the cross-validated figures."""
    from rehab_pose_lab.training.quality import train_quality  # noqa: PLC0415  (only when it is asked for)

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for name, value in train_quality(args.data, args.output, args.seed).items():
        print(f"{name:48s} {value:10.3f}")
    return 0


def _train_rendered(args: argparse.Namespace) -> int:
    """Render samples, train, print figures on samples that were not trained on; may be stopped and started again."""
    from rehab_pose_lab.training import joints, silhouette  # noqa: PLC0415  (torch takes seconds to load)
    from rehab_pose_lab.training.loop import LoopSettings  # noqa: PLC0415
    from rehab_pose_lab.training.posture_library import make_posture_library  # noqa: PLC0415

    if args.start is not None and not args.start.is_file():
        msg = f"--start: expected the weights of an earlier round, there are none at {args.start}"
        raise SettingsError(msg)
    settings = LoopSettings(args.steps, args.batch_size, args.learning_rate, threads=args.threads, start=args.start)
    samples, held_out = args.output / "samples", args.output / "held_out"
    library = None
    if args.data is not None:
        library = make_posture_library(args.data, args.output / "postures.npz", LIBRARY_SEED)
    if args.stage == "joints":
        joints.make_joint_samples(samples, args.samples, SAMPLE_SEEDS["joints"], library)
        joints.make_joint_samples(held_out, args.held_out_samples, HELD_OUT_SEED, library)
        joints.train_joints(samples, args.samples, args.output, settings, args.seed)
        figures = joints.evaluate_joints(held_out, args.held_out_samples, args.output / "joints.onnx")
    else:
        silhouette.make_silhouette_samples(samples, args.samples, SAMPLE_SEEDS["silhouette"], library)
        silhouette.make_silhouette_samples(held_out, args.held_out_samples, HELD_OUT_SEED, library)
        silhouette.train_silhouette(samples, args.samples, args.output, settings, args.seed)
        figures = silhouette.evaluate_silhouette(held_out, args.held_out_samples, args.output / "silhouette.onnx")
    for name, value in figures.items():
        print(f"{name:24s} {value:8.3f}")
    return 0


def _train_exercise(args: argparse.Namespace) -> int:
    if args.epochs < 1 or not 0.0 <= args.held_out < 1.0:
        msg = f"expected at least one epoch and a held-out part from 0 to 1, got {args.epochs} and {args.held_out}"
        raise SettingsError(msg)
    # torch takes seconds to load: only when something is trained.
    from rehab_pose_lab.training.exercise import TrainingPlan, train  # noqa: PLC0415

    plan = TrainingPlan(epochs=args.epochs, seed=args.seed, threads=args.threads)
    facts = train(
        args.data,
        args.output,
        plan,
        dataset=args.dataset,
        held_out_fraction=args.held_out,
        calibration=args.calibration,
    )
    score = facts.get("recognition")
    print(f"weights: {args.output / 'exercise.onnx'}")
    if score is None:
        print("nobody was kept back: no figures")
    else:
        print(
            f"{score['n_subjects']} subjects kept back: {score['recording_acc']:.3f} of {score['n_recordings']} "
            f"recordings, {score['window_acc']:.3f} of {score['n_windows']} windows right"
        )
    return 0
