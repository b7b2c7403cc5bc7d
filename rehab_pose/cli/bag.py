"""`rehab-pose bag`: make bags from other recordings, and look into them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("bag", help="make or inspect a bag")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    images = actions.add_parser("from-images", help="folders of colour and depth images -> an MCAP bag")
    images.add_argument("--color", type=Path, required=True, help="folder of JPEG or PNG colour images")
    images.add_argument("--depth", type=Path, required=True, help="folder of 16-bit PNG depth images [mm], same names")
    images.add_argument(
        "--intrinsics", type=Path, required=True, help="JSON: width, height, fx, fy, cx, cy, or Open3D's"
    )
    images.add_argument("--rate", type=float, default=30.0, help="frames a second (default 30)")
    images.add_argument("-o", "--output", type=Path, required=True, help="folder of the new bag")
    info = actions.add_parser("info", help="what is in a bag")
    info.add_argument("bag", type=Path)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do the action."""
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
