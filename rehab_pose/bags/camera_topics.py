"""The camera's topics in a bag: given ones, the default names, those of a known camera, or the only ones that fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from rehab_pose.bags.camera_names import CAMERAS
from rehab_pose.errors import RecordingError, SettingsError
from rehab_pose.launching.shared_files import shared_file
from rehab_pose.messages.images import COLOR_ENCODINGS, DEPTH_ENCODINGS
from rehab_pose.messages.topics import CAMERA_INFO, COLOR, DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["CAMERA_INFO_TYPE", "COMPRESSED_IMAGE", "CameraTopics", "camera_preset", "find_camera_topics"]

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO_TYPE = "sensor_msgs/msg/CameraInfo"
TRANSPORTS = ("", "/compressed", "/compressedDepth")
"""Endings that image_transport adds to the name of an image's topic; the raw image comes first."""
OPTIONS = "--color-topic, --depth-topic and --info-topic, or a known camera with --camera"


@dataclass(frozen=True)
class CameraTopics:
    """Topics of the camera; empty = found by name and type."""

    color: str = ""
    camera_info: str = ""
    depth: str = ""


def camera_preset(name: str) -> CameraTopics:
    """Return the topics of a known camera.

    Raises:
        SettingsError: The camera is unknown.
    """
    if name not in CAMERAS:
        msg = f"--camera: expected one of {', '.join(CAMERAS)}, got {name!r}"
        raise SettingsError(msg)
    return CameraTopics(**yaml.safe_load(shared_file(f"config/cameras/{name}.yaml").read_text(encoding="utf-8")))


def find_camera_topics(
    types: Mapping[str, str], encoding: Callable[[str], str], given: CameraTopics, where: str
) -> CameraTopics:
    """Return the topics of the camera in a bag.

    Args:
        types: Message type of each topic that has messages.
        encoding: Returns the encoding of the first message of an image topic.
        given: Topics that were chosen; the others are found.
        where: Path of the bag, for messages.

    Raises:
        RecordingError: A chosen topic has no messages, or none or several topics fit.
    """
    for name in (given.color, given.camera_info, given.depth):
        if name and _transported(name, types) is None:
            msg = f"bag: expected the topic {name} with messages, {where} has {', '.join(types) or 'none'}"
            raise RecordingError(msg)
    if given == CameraTopics():
        for camera in CAMERAS:
            known = camera_preset(camera)
            found = [_transported(name, types) for name in (known.color, known.camera_info, known.depth)]
            if None not in found and not _has_default_names(types):
                return CameraTopics(*(name for name in found if name))
    images = [name for name, type_name in types.items() if type_name in {IMAGE, COMPRESSED_IMAGE}]
    kinds = {name: _kind(encoding(name), compressed=types[name] == COMPRESSED_IMAGE) for name in images}

    def chosen(name: str, kind: str, default: str) -> str:
        if name:
            return _transported(name, types) or name
        return _only(f"{kind} image", default, [image for image in images if kinds[image] == kind], types, where)

    color, depth = chosen(given.color, "colour", COLOR.name), chosen(given.depth, "depth", DEPTH.name)
    infos = [name for name, type_name in types.items() if type_name == CAMERA_INFO_TYPE]
    beside = [name for name in infos if name.rpartition("/")[0] == _plain(color).rpartition("/")[0]]
    info = given.camera_info or _only("camera_info", CAMERA_INFO.name, beside or infos, types, where)
    return CameraTopics(color, info, depth)


def _has_default_names(types: Mapping[str, str]) -> bool:
    return all(any(_plain(name).endswith(f"/{topic.name}") for name in types) for topic in (COLOR, CAMERA_INFO, DEPTH))


def _plain(name: str) -> str:
    """Return the name of a topic without the ending of its transport."""
    for ending in TRANSPORTS[1:]:
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name


def _transported(name: str, types: Mapping[str, str]) -> str | None:
    """Return the topic of this name that has messages, with the ending of a transport if there is no raw one."""
    return next((name + ending for ending in TRANSPORTS if name + ending in types), None)


def _kind(encoding: str, *, compressed: bool) -> str:
    """Return colour, depth or nothing for the encoding of an image, or the format of a compressed one."""
    source, _, transport = encoding.partition(";")
    if encoding in DEPTH_ENCODINGS or "compressedDepth" in transport or (compressed and source in DEPTH_ENCODINGS):
        return "depth"
    return "colour" if encoding in COLOR_ENCODINGS or compressed else ""


def _only(kind: str, default_name: str, candidates: Sequence[str], types: Mapping[str, str], where: str) -> str:
    """Return the only candidate, the only one with the default name, or the raw one of an image's transports."""
    default = [name for name in candidates if _plain(name).endswith(default_name)]
    images = {_plain(name): name for name in sorted(default or candidates, key=len, reverse=True)}
    if len(images) == 1:
        return next(iter(images.values()))
    names = ", ".join(candidates) or f"none among {', '.join(types) or 'no topics'}"
    msg = f"bag: expected one {kind} topic in {where}, found {names}; name it with {OPTIONS}"
    raise RecordingError(msg)
