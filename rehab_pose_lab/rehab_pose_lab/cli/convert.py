"""`rehab-pose-lab convert`: make weights of a stage from a published network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("convert", help="make weights of a stage from a published network")
    stages = parser.add_subparsers(dest="stage", required=True)
    image_joints = stages.add_parser("image-joints", help="landmarks and mask, from MediaPipe's pose_landmark_full")
    image_joints.add_argument("source", type=Path, help="pose_landmark_full.tflite converted by tf2onnx (.onnx)")
    image_joints.add_argument(
        "-o", "--output", type=Path, required=True, help="folder for landmarks.onnx and mask.onnx"
    )
    stages.add_parser(
        "image-joint-offsets", help="print the offsets of the landmarks from SMPL's joints, from simulated people"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the weights, print their sizes, and return the exit code.

    Raises:
        ModelFileError: The source is another network, or a file exists already.
    """
    if args.stage == "image-joint-offsets":
        return _print_offsets()
    from rehab_pose_lab.training.image_joint_weights import convert_image_joints  # noqa: PLC0415  (loads onnx)

    for name, size in convert_image_joints(args.source, args.output).items():
        print(f"{name:16s} {size:10d} bytes")
    return 0


def _print_offsets() -> int:
    from rehab_pose_lab.training.image_joint_offsets import fit_offsets, observe_people  # noqa: PLC0415  (slow to load)

    print(f"{'joint':10s} {'x, y, z [mm]':>24s} {'before':>8s} {'after':>8s} [mm, median] {'number':>8s}")
    for joint, entry in fit_offsets(observe_people()).items():
        x, y, z = 1e3 * entry.offset_m
        errors_mm = f"{1e3 * entry.before_m:8.1f} {1e3 * entry.after_m:8.1f}"
        print(f"{joint:10s} {x:8.1f}{y:8.1f}{z:8.1f} {errors_mm} {entry.count:21d}")
    return 0
