"""`rehab-pose record`: record topics into a bag, by default the results without images."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from rehab_pose.launching.shared_memory import use_shared_memory
from rehab_pose.messages.topics import CAMERA_TOPICS, RESULT_TOPICS, SHAPE_TOPICS, SILHOUETTE, VERTICES

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `record`."""
    parser = subparsers.add_parser(
        "record",
        help="record topics into an MCAP bag",
        description="Records the results. Images of the person are recorded only with --images.",
    )
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help="record these instead of the results")
    parser.add_argument("-o", "--output", required=True, help="folder of the new bag")
    parser.add_argument("--mesh", action="store_true", help="also record the mesh (2.5 MB/s)")
    parser.add_argument(
        "--images",
        action="store_true",
        help="also record the camera's images, silhouettes, parts and keypoints (50 MB/s)",
    )
    parser.add_argument("--namespace", default="", help="namespace of the robot, as of `rehab-pose run`")
    parser.add_argument(
        "--duration", type=float, default=0.0, metavar="S", help="stop after S seconds (default: at Ctrl-C)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record until Ctrl-C, SIGTERM or the end of the duration, then finish the file."""
    problem = use_shared_memory(os.environ)
    if problem:
        print(f"record: {problem}", file=sys.stderr)
    from rehab_pose.bags.writer import BagWriter  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.ros.io.recorder import record  # noqa: PLC0415

    selected = list(RESULT_TOPICS)
    selected += [VERTICES] if args.mesh else []
    selected += [*CAMERA_TOPICS, SILHOUETTE, *SHAPE_TOPICS] if args.images else []
    names = args.topics or [topic.name for topic in selected]
    with BagWriter(args.output) as bag:
        print(f"recording into {args.output}; Ctrl-C stops", flush=True)
        missing = record(bag, names, namespace=args.namespace, duration_s=args.duration, quiet=args.quiet)
    for name, count in sorted(bag.counts.items()):
        print(f"{count:8d}  {name}")
    for name in missing:
        print(f"    none  {name}")
    return 0
