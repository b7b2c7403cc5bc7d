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
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the weights, print their sizes, and return the exit code.

    Raises:
        ModelFileError: The source is another network, or a file exists already.
    """
    from rehab_pose_lab.training.image_joint_weights import convert_image_joints  # noqa: PLC0415  (loads onnx)

    for name, size in convert_image_joints(args.source, args.output).items():
        print(f"{name:16s} {size:10d} bytes")
    return 0
