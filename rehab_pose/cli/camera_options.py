"""Options of commands that process a camera's bag: parameters, topics of the camera, pairing of its images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehab_pose.bags.camera_names import CAMERAS

if TYPE_CHECKING:
    import argparse

    from rehab_pose.bags.camera_topics import CameraTopics
    from rehab_pose.capture.settings import CaptureSettings

__all__ = ["add_camera_options", "camera_of"]


def add_camera_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose parameters and the camera's topics in a bag."""
    parser.add_argument(
        "--params-file", type=Path, metavar="FILE", help="YAML file of parameters, as of `run` (default: the defaults)"
    )
    group = parser.add_argument_group("camera's topics in a bag (default: found by name and type)")
    group.add_argument("--camera", choices=CAMERAS, help="a known camera, whose driver's topics are used")
    group.add_argument("--color-topic", default="", metavar="TOPIC", help="topic of the colour images")
    group.add_argument("--depth-topic", default="", metavar="TOPIC", help="topic of depth registered to colour")
    group.add_argument("--info-topic", default="", metavar="TOPIC", help="topic of the colour camera's camera_info")
    group.add_argument(
        "--slop-s", type=float, metavar="S", help="largest difference of the stamps of colour and depth (default 0.016)"
    )


def camera_of(arguments: argparse.Namespace) -> tuple[CameraTopics, CaptureSettings | None]:
    """Return the chosen topics and the settings of pairing, as `BagReader` takes them.

    Raises:
        SettingsError: The slop is out of its range, or the parameters cannot be used.
    """
    from dataclasses import replace  # noqa: PLC0415

    from rehab_pose.bags.camera_topics import CameraTopics, camera_preset  # noqa: PLC0415  (loaded when a command runs)
    from rehab_pose.capture.settings import CaptureSettings  # noqa: PLC0415
    from rehab_pose.cli.params_file import read_parameters  # noqa: PLC0415

    known = camera_preset(arguments.camera) if arguments.camera else CameraTopics()
    given: dict[str, Any] = {
        "color": arguments.color_topic,
        "camera_info": arguments.info_topic,
        "depth": arguments.depth_topic,
    }
    topics = replace(known, **{name: topic for name, topic in given.items() if topic})
    capture = {} if arguments.params_file is None else read_parameters(arguments.params_file).get("capture", {})
    if arguments.slop_s is not None:
        capture = {**capture, "pairing_slop_s": arguments.slop_s}
    return topics, CaptureSettings.from_mapping(capture) if capture else None
