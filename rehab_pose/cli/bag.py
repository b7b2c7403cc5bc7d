"""`rehab-pose bag`: make a bag from folders of images, list the topics of a bag, or recover a damaged one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.cli.exit_codes import EXIT_PARTLY

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `bag`."""
    parser = subparsers.add_parser("bag", help="make a bag from images, list the topics of a bag, or recover one")
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
    recover = actions.add_parser(
        "recover",
        help="write the whole messages of a damaged or cut bag into a new one",
        description="Write the whole messages of a damaged or cut bag (MCAP or SQLite3) into a new MCAP bag. The bag "
        "itself is not changed. Exit code 0: nothing was left out, 3: the last line says what was.",
    )
    recover.add_argument("bag", type=Path)
    recover.add_argument("-o", "--output", type=Path, required=True, help="folder of the new bag")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the action that the arguments name; return 3 if parts of a bag could not be read."""
    if args.action == "info":
        return _info(args.bag)
    if args.action == "recover":
        return _recover(args.bag, args.output)
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
        for note in bag.losses.notes:
            print(note)
        if bag.losses:
            print(f"{bag.losses.sentence}; `rehab-pose bag recover` writes a whole bag")
            return EXIT_PARTLY
    return 0


def _recover(path: Path, output: Path) -> int:
    from rehab_pose.bags.recovery import recover_bag  # noqa: PLC0415

    count, losses = recover_bag(path, output)
    for note in losses.notes:
        print(note)
    print(f"wrote {count} messages to {output}" + (f"; {losses.sentence}" if losses else ""))
    return EXIT_PARTLY if losses else 0
