"""`rehab-pose bag`: convert image folders to a bag, and list the topics of a bag."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `bag`."""
    parser = subparsers.add_parser("bag", help="make a bag from images, or list the topics of a bag")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    images = actions.add_parser("from-images", help="convert folders of colour and depth images to an MCAP bag")
    images.add_argument("--color", type=Path, required=True, help="folder of JPEG or PNG colour images")
    images.add_argument("--depth", type=Path, required=True, help="folder of 16-bit PNG depth images [mm], same names")
    images.add_argument(
        "--intrinsics", type=Path, required=True, help="JSON: width, height, fx, fy, cx, cy, or Open3D's"
    )
    images.add_argument("--rate", type=float, default=30.0, help="frames per second (default 30)")
    images.add_argument("-o", "--output", type=Path, required=True, help="folder of the new bag")
    info = actions.add_parser("info", help="list the topics of a bag")
    info.add_argument("bag", type=Path)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the action that the arguments name."""
    if args.action == "info":
        return _info(args.bag)
    from rehab_pose.bags.image_folders import bag_from_images, intrinsics_from_file  # noqa: PLC0415

    camera = intrinsics_from_file(args.intrinsics)
    count = bag_from_images(args.color, args.depth, camera, args.rate, args.output)
    print(f"wrote {count} frames of {camera.width_px}x{camera.height_px} to {args.output}")
    return 0


def _info(path: Path) -> int:
    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415

    with BagReader(path) as bag:
        print(f"{path}: {bag.duration_s:.2f} s")
        for topic in bag.topics.values():
            print(f"{topic.count:8d}  {topic.name}  {topic.type_name}{'  latched' if topic.latched else ''}")
    return 0
