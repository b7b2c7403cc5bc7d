"""`rehab-pose play`: publish a recording on its topics."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from rehab_pose.bags.camera_names import CAMERAS
from rehab_pose.cli.exit_codes import EXIT_PARTLY
from rehab_pose.cli.view import add_view_options, page_beside
from rehab_pose.launching.shared_memory import use_shared_memory

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `play`."""
    parser = subparsers.add_parser("play", help="publish a recording on its topics")
    parser.add_argument("bag", help="folder or file of a rosbag (MCAP or SQLite3)")
    parser.add_argument("--rate", type=float, default=1.0, help="speed; 2.0 plays twice as fast (default 1.0)")
    parser.add_argument("--loop", action="store_true", help="start again at the end, until stopped")
    parser.add_argument("--clock", action="store_true", help="also publish /clock, for nodes with use_sim_time")
    parser.add_argument(
        "--wait",
        type=float,
        default=5.0,
        metavar="S",
        help="longest wait for subscribers before starting, in seconds (default 5)",
    )
    names = parser.add_argument_group("names of the topics")
    names.add_argument("--namespace", default="", help="namespace of the robot, as of `rehab-pose run`")
    names.add_argument(
        "--remap",
        action="append",
        default=[],
        metavar="FROM:=TO",
        help="publish a topic under another name",
    )
    names.add_argument(
        "--camera",
        choices=CAMERAS,
        help="a known camera: its driver's topics are published under the names to which the nodes listen",
    )
    parser.add_argument(
        "--view", action="store_true", help="also serve a page for the browser that shows the results on the topics"
    )
    add_view_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play until the end, or until Ctrl-C; return 3 if parts of the bag could not be read."""
    problem = use_shared_memory(os.environ)
    if problem:
        print(f"play: {problem}", file=sys.stderr)
    from rehab_pose.bags.camera_topics import camera_preset  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.bags.played_names import PlayedNames, parse_remappings  # noqa: PLC0415
    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415
    from rehab_pose.ros.io.player import play_bag  # noqa: PLC0415

    names = PlayedNames(
        args.namespace, parse_remappings(args.remap), camera_preset(args.camera) if args.camera else None
    )
    with BagReader(args.bag) as bag, page_beside(args) if args.view else nullcontext():
        rounds = play_bag(bag, rate=args.rate, clock=args.clock, loop=args.loop, wait_s=args.wait, names=names)
        for count in rounds:
            print(f"played {count} messages of {args.bag}", flush=True)
        if bag.losses:
            print(bag.losses.sentence)
            return EXIT_PARTLY
    return 0
