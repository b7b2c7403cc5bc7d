"""`rehab-pose-lab train`: train the weights of a stage."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import MissingDependencyError, SettingsError
from rehab_pose_lab.cli import train_fused

if TYPE_CHECKING:
    import argparse

    import numpy as np
    from numpy.typing import NDArray

    from rehab_pose_lab.training.loop import LoopSettings
    from rehab_pose_lab.training.person_frames import PersonFrames

__all__ = ["add_parser", "run"]

SAMPLES = {"silhouette": 81_000, "joints": 224_000}
STEPS = {"silhouette": 23_000, "joints": 19_000}
BATCH_SIZES = {"silhouette": 96, "joints": 384}
SAMPLE_SEEDS = {"silhouette": 25, "joints": 15}
REAL_SAMPLES, REAL_SEED = 16_000, 31
SEEDS = {"silhouette": 5, "joints": 11}
LEARNING_RATES = {"silhouette": 1.2e-3, "joints": 2e-3}
WEIGHT_DECAYS = {"silhouette": 1e-4, "joints": 3e-3}
LIBRARY_SEED = 3
POSE_SEED = 1
QUALITY_SEED = 7
EPOCHS = 12
HELD_OUT_SEED = 99
"""Sizes, seeds and rates of the last training of the shipped weights; held-out samples have a seed of their own."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("train", help="train the weights of a stage")
    stages = parser.add_subparsers(dest="stage", required=True)
    exercise = stages.add_parser("recognition", help="the exercise recogniser, from public recordings of joints")
    exercise.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder with one folder per data set (kimore, ...), or of labelled bags",
    )
    exercise.add_argument(
        "--dataset",
        choices=("kimore", "bags", "utkinect", "ui_prmd", "mars"),
        default="kimore",
        help="data set of the movements; with kimore or bags the other sets are trained as `none` (default: kimore)",
    )
    exercise.add_argument(
        "--sets", nargs="+", default=[], metavar="SET", help="read only these sets, for kimore and bags (default: all)"
    )
    exercise.add_argument("-o", "--output", type=Path, required=True, help="folder for weights, metrics and checkpoint")
    exercise.add_argument("--epochs", type=int, default=EPOCHS, help="epochs of 100 batches (default: %(default)s)")
    exercise.add_argument(
        "--seed", type=int, default=7, help="seed of the split, the weights and the windows (default: %(default)s)"
    )
    exercise.add_argument("--threads", type=int, default=1, help="threads of torch (default: %(default)s)")
    exercise.add_argument(
        "--held-out",
        type=float,
        default=0.2,
        help="fraction of the subjects that are held out for the metrics (default: 0.2)",
    )
    exercise.add_argument(
        "--calibration", type=Path, help="metrics.json of a run with held-out subjects; for --held-out 0"
    )
    few_shot = stages.add_parser("few-shot", help="the space in which exercises that a user adds are compared")
    few_shot.add_argument("--data", type=Path, required=True, help="folder with one folder per data set")
    few_shot.add_argument("--sets", nargs="+", default=[], metavar="SET", help="read only these sets (default: all)")
    few_shot.add_argument("--weights", type=Path, help="recogniser that it belongs to (default: the shipped one)")
    few_shot.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the file, few_shot.npz")
    library = stages.add_parser("library", help="the library's further exercises as classes, from simulated people")
    library.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the file, library.npz")
    train_fused.add_parser(stages)
    quality = stages.add_parser("quality", help="norms of healthy repetitions, and clinical scores, from KIMORE")
    quality.add_argument("--data", type=Path, required=True, help="folder with a folder kimore")
    quality.add_argument("-o", "--output", type=Path, required=True, help="folder for the norms and the weights")
    quality.add_argument("--seed", type=int, default=QUALITY_SEED, help="seed of the folds (default: %(default)s)")
    pose = stages.add_parser("pose-prior", help="the mixture pose prior, from public recordings of joints")
    pose.add_argument("--data", type=Path, required=True, help="folder with kimore, ui_prmd, utkinect")
    pose.add_argument("-o", "--output", type=Path, required=True, help="folder for the mixture and the fitted poses")
    pose.add_argument("--seed", type=int, default=POSE_SEED, help="seed of the starts (default: %(default)s)")
    for stage, network in (("silhouette", "the silhouette network"), ("joints", "the joint network")):
        rendered = stages.add_parser(stage, help=f"{network}, from rendered people")
        rendered.add_argument(
            "-o", "--output", type=Path, required=True, help="folder for samples, weights and checkpoint"
        )
        rendered.add_argument(
            "--samples", type=int, default=SAMPLES[stage], help="number of rendered samples (default: %(default)s)"
        )
        rendered.add_argument(
            "--held-out-samples",
            type=int,
            default=1000,
            help="number of rendered samples for the metrics (default: %(default)s)",
        )
        rendered.add_argument(
            "--steps", type=int, default=STEPS[stage], help="steps of training (default: %(default)s)"
        )
        rendered.add_argument("--batch-size", type=int, default=BATCH_SIZES[stage], help="(default: %(default)s)")
        rendered.add_argument(
            "--learning-rate", type=float, default=LEARNING_RATES[stage], help="(default: %(default)s)"
        )
        rendered.add_argument(
            "--seed", type=int, default=SEEDS[stage], help="seed of weights and batches (default: %(default)s)"
        )
        rendered.add_argument(
            "--data",
            type=Path,
            help="folder with kimore, ui_prmd, utkinect, whose poses are rendered; for joints also utd_mhad, whose "
            "people are trained on except two",
        )
        rendered.add_argument(
            "--workers", type=int, default=1, help="processes that render; they do not change the samples (default: 1)"
        )
        rendered.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to train (default: cpu)")
        rendered.add_argument(
            "--start", type=Path, metavar="WEIGHTS", help="start from a checkpoint or from exported .onnx weights"
        )
        rendered.add_argument("--threads", type=int, default=1, help="threads of torch (default: %(default)s)")
        if stage == "joints":
            rendered.add_argument(
                "--teacher",
                type=Path,
                nargs="+",
                default=[],
                metavar="BAG",
                help="own recordings with colour and depth, from which the network learns what the full pipeline finds "
                "there; instead of utd_mhad; with --start, --steps 2000 and --learning-rate 3e-4",
            )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, print the metrics, and return the exit code.

    Raises:
        MissingDependencyError: torch is not installed.
        RecordingError: Recordings are missing or unusable.
        SettingsError: A number is out of range.
    """
    if args.stage == "pose-prior":
        return _train_pose_prior(args)
    if args.stage == "quality":
        return _train_quality(args)
    if args.stage == "few-shot":
        return _train_few_shot(args)
    if args.stage == "library":
        return _train_library(args)
    if importlib.util.find_spec("torch") is None:
        msg = "training needs torch, which is not installed; pip install torch, then try again"
        raise MissingDependencyError(msg)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if args.stage == "fused":
        return train_fused.run(args)
    return _train_exercise(args) if args.stage == "recognition" else _train_rendered(args)


def _train_pose_prior(args: argparse.Namespace) -> int:
    """Fit poses to recordings, learn their mixture with numpy, and print its metrics."""
    from rehab_pose_lab.training.pose_prior import train_pose_prior  # noqa: PLC0415  (only when it is asked for)

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for name, value in train_pose_prior(args.data, args.output, args.seed).items():
        print(f"{name:24s} {value:10.3f}")
    return 0


def _train_quality(args: argparse.Namespace) -> int:
    """Learn norms and clinical scores with numpy, and print the cross-validated metrics."""
    from rehab_pose_lab.training.quality import train_quality  # noqa: PLC0415  (only when it is asked for)

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for name, value in train_quality(args.data, args.output, args.seed).items():
        print(f"{name:48s} {value:10.3f}")
    return 0


def _train_few_shot(args: argparse.Namespace) -> int:
    """Fit the space of added exercises to the embeddings of a network, with numpy, and print its size."""
    from rehab_pose_lab.training.exercise_clips import load_clips  # noqa: PLC0415  (only when it is asked for)
    from rehab_pose_lab.training.few_shot_space import space_of_weights, write_space  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    space, model_id = space_of_weights(args.weights, load_clips(args.data, args.sets))
    write_space(args.output, space, model_id)
    print(f"{len(space['background'])} prototypes of {len(set(space['movements']))} movements: {args.output}")
    return 0


def _train_library(args: argparse.Namespace) -> int:
    """Simulate people who do the library's exercises, write their classes, and print figures of held-out people."""
    from rehab_pose.exercise.window_classifier import WindowClassifier  # noqa: PLC0415  (only when it is asked for)
    from rehab_pose_lab.training.library_classes import (  # noqa: PLC0415
        LibraryPlan,
        library_classes,
        library_figures,
        windows_of_library,
    )

    plan, classifier = LibraryPlan(), WindowClassifier()
    windows = windows_of_library(plan)
    classes = library_classes(windows, classifier, plan)
    classes.save(args.output)
    for name, value in library_figures(windows, classifier, classes).items():
        print(f"{name:24s} {value:10.2f}")
    return 0


def _train_rendered(args: argparse.Namespace) -> int:
    """Render samples, train, and print metrics on held-out samples; an interrupted run resumes."""
    import torch  # noqa: PLC0415  (torch takes seconds to load)

    from rehab_pose_lab.training.loop import LoopSettings  # noqa: PLC0415
    from rehab_pose_lab.training.pose_library import make_pose_library  # noqa: PLC0415

    if args.start is not None and not args.start.is_file():
        msg = f"--start: expected a file of weights, found none at {args.start}"
        raise SettingsError(msg)
    if args.device == "cuda" and not torch.cuda.is_available():
        msg = "--device cuda: torch finds no usable GPU; use --device cpu, or install torch for this GPU"
        raise SettingsError(msg)
    if args.workers < 1:
        msg = f"--workers: expected at least 1, got {args.workers}"
        raise SettingsError(msg)
    settings = LoopSettings(
        args.steps,
        args.batch_size,
        args.learning_rate,
        weight_decay=WEIGHT_DECAYS[args.stage],
        threads=args.threads,
        device=args.device,
        start=args.start,
    )
    library = None
    if args.data is not None:
        library = make_pose_library(args.data, args.output / "poses.npz", LIBRARY_SEED)
    train = _train_joints if args.stage == "joints" else _train_silhouette
    for name, value in train(args, settings, library).items():
        print(f"{name:24s} {value:8.3f}")
    return 0


def _train_joints(
    args: argparse.Namespace, settings: LoopSettings, library: NDArray[np.float64] | None
) -> dict[str, float]:
    """Train the joint network; return the metrics of postures, of standing people, and of real ones."""
    from rehab_pose_lab.training import joints, kinect_frames  # noqa: PLC0415
    from rehab_pose_lab.training.joint_samples import RealSampler, RenderedSampler  # noqa: PLC0415
    from rehab_pose_lab.training.shards import make_shards  # noqa: PLC0415

    output, held_out = args.output, args.held_out_samples
    make_shards(
        output / "samples", args.samples, SAMPLE_SEEDS["joints"], RenderedSampler(library), workers=args.workers
    )
    for name, fraction in (("standing", 0.0), ("postures", 1.0)):
        sampler = RenderedSampler(library, fraction)
        make_shards(output / name, held_out, HELD_OUT_SEED, sampler, workers=args.workers)
    root = None if args.data is None else args.data / "utd_mhad"
    load = kinect_frames.load_or_make_kinect_frames
    people = (
        _taught_frames(output / "teacher.npz", args.teacher)
        if args.teacher
        else load(output / "kinect_train.npz", root, kinect_frames.TRAINED_SUBJECTS)
    )
    others = load(output / "kinect_test.npz", root, kinect_frames.HELD_OUT_SUBJECTS)
    real = None
    if people is not None:
        real = (output / "real", REAL_SAMPLES)
        make_shards(*real, REAL_SEED, RealSampler(people), workers=args.workers)
    joints.train_joints(
        output / "samples", args.samples, output, settings, args.seed, real=real, with_offsets=not args.teacher
    )
    weights, metrics = output / "joints.onnx", {}
    for name in ("standing", "postures"):
        found = joints.evaluate_joints(output / name, held_out, weights)
        metrics.update({f"{name}_{key}": value for key, value in found.items()})
    if others is not None:
        metrics.update(joints.evaluate_real_joints(others, weights))
    return metrics


def _taught_frames(path: Path, bags: list[Path]) -> PersonFrames:
    """Return the frames of own recordings, from a file where they were processed before."""
    from rehab_pose_lab.training.person_frames import PersonFrames  # noqa: PLC0415
    from rehab_pose_lab.training.teacher_frames import teacher_frames  # noqa: PLC0415

    if path.is_file():
        return PersonFrames.load(path)
    frames = teacher_frames(bags)
    frames.save(path)
    return frames


def _train_silhouette(
    args: argparse.Namespace, settings: LoopSettings, library: NDArray[np.float64] | None
) -> dict[str, float]:
    """Train the silhouette network and return its metrics."""
    from rehab_pose_lab.training import silhouette  # noqa: PLC0415
    from rehab_pose_lab.training.shards import make_shards  # noqa: PLC0415
    from rehab_pose_lab.training.silhouette_samples import RoomSampler  # noqa: PLC0415

    samples, held_out = args.output / "samples", args.output / "held_out"
    sampler = RoomSampler(library)
    make_shards(samples, args.samples, SAMPLE_SEEDS["silhouette"], sampler, workers=args.workers)
    make_shards(held_out, args.held_out_samples, HELD_OUT_SEED, sampler, workers=args.workers)
    silhouette.train_silhouette(samples, args.samples, args.output, settings, args.seed)
    return silhouette.evaluate_silhouette(held_out, args.held_out_samples, args.output / "silhouette.onnx")


def _train_exercise(args: argparse.Namespace) -> int:
    if args.epochs < 1 or not 0.0 <= args.held_out < 1.0:
        msg = f"expected at least one epoch and a held-out fraction from 0 to 1, got {args.epochs} and {args.held_out}"
        raise SettingsError(msg)
    # torch takes seconds to load: only when something is trained.
    from rehab_pose_lab.training.exercise import TrainingPlan, train  # noqa: PLC0415

    plan = TrainingPlan(epochs=args.epochs, seed=args.seed, threads=args.threads)
    content = train(
        args.data,
        args.output,
        plan,
        dataset=args.dataset,
        sets=args.sets,
        held_out_fraction=args.held_out,
        calibration=args.calibration,
    )
    metrics = content.get("recognition")
    print(f"weights: {args.output / 'exercise.onnx'}")
    if metrics is None:
        print("no subject was held out: no metrics")
    else:
        print(
            f"{metrics['n_subjects']} held-out subjects: {metrics['recording_acc']:.3f} of {metrics['n_recordings']} "
            f"recordings, {metrics['window_acc']:.3f} of {metrics['n_windows']} windows right"
        )
    return 0
