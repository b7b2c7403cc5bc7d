"""Folders of colour and depth images with intrinsics -> a rosbag."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.carrier import header
from rehab_pose.messages.images import image_message
from rehab_pose.messages.topics import CAMERA_INFO, COLOR, DEPTH
from rehab_pose.recordings.bag_writer import BagWriter

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["bag_from_images", "intrinsics_from_file", "paired_files"]

COLOR_ENDINGS = (".jpg", ".jpeg", ".png")
DEPTH_ENDINGS = (".png",)
FRAME_ID = "camera_color_optical_frame"
NS_PER_S = 1_000_000_000
FIRST_STAMP_NS = NS_PER_S
"""Stamps start at one second: zero means "no stamp" in ROS."""
NAMED_AT_MOST = 5
"""Files that an error message names."""


def intrinsics_from_file(path: str | os.PathLike[str]) -> CameraIntrinsics:
    """Return the camera of a JSON file: width, height, fx, fy, cx, cy; or Open3D's with a column-major matrix.

    Raises:
        RecordingError: The file is not there or says something else.
        InputError: The numbers are not those of a calibrated camera.
    """
    file = Path(path)
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        msg = f"intrinsics: expected a JSON file at {file}: {error}"
        raise RecordingError(msg) from error
    try:
        if "intrinsic_matrix" in facts:
            matrix = np.asarray(facts["intrinsic_matrix"], dtype=np.float64).reshape(3, 3).T
            fx, fy, cx, cy = matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]
        else:
            fx, fy, cx, cy = (facts[name] for name in ("fx", "fy", "cx", "cy"))
        width, height = int(facts["width"]), int(facts["height"])
        numbers = [float(value) for value in (fx, fy, cx, cy)]
    except (KeyError, TypeError, ValueError) as error:
        msg = (
            f"intrinsics: expected width, height, fx, fy, cx, cy (or Open3D's intrinsic_matrix of nine numbers, column "
            f"by column) in {file}: {error}"
        )
        raise RecordingError(msg) from error
    return CameraIntrinsics(width, height, *numbers)


def _files(folder: Path, endings: tuple[str, ...], what: str) -> dict[str, Path]:
    found = {file.stem: file for file in sorted(folder.glob("*")) if file.suffix.lower() in endings}
    if not found:
        msg = f"images: expected {what} images ({', '.join(endings)}) in {folder}, found none"
        raise RecordingError(msg)
    return found


def paired_files(color_folder: Path, depth_folder: Path) -> list[tuple[Path, Path]]:
    """Return colour and depth files of the same name (without ending), in the order of their names.

    Raises:
        RecordingError: A file has no partner; the first few are named.
    """
    color = _files(color_folder, COLOR_ENDINGS, "colour")
    depth = _files(depth_folder, DEPTH_ENDINGS, "depth")
    alone = sorted(color.keys() ^ depth.keys())
    if alone:
        named = ", ".join(str(color.get(stem) or depth[stem]) for stem in alone[:NAMED_AT_MOST])
        msg = (
            f"images: expected a depth image of the same name for every colour image, {len(alone)} have no partner: "
            f"{named}{' and more' if len(alone) > NAMED_AT_MOST else ''}; remove them or add the missing ones"
        )
        raise RecordingError(msg)
    return [(color[stem], depth[stem]) for stem in color]


def _read(file: Path, flags: int, what: str, camera: CameraIntrinsics) -> NDArray[Any]:
    pixels = cv2.imread(str(file), flags)
    if pixels is None:
        msg = f"images: expected {what} in {file}, it cannot be decoded; the file is damaged"
        raise RecordingError(msg)
    if pixels.shape[:2] != (camera.height_px, camera.width_px):
        msg = (
            f"images: expected {camera.width_px}x{camera.height_px} pixels as the intrinsics say, {file} has "
            f"{pixels.shape[1]}x{pixels.shape[0]}"
        )
        raise RecordingError(msg)
    return pixels


def bag_from_images(
    color_folder: Path, depth_folder: Path, camera: CameraIntrinsics, rate_hz: float, output: Path
) -> int:
    """Write a bag with colour (rgb8), camera_info and depth (16UC1, mm); return the number of frames.

    Args:
        color_folder: JPEG or PNG files.
        depth_folder: 16-bit PNG files [mm], registered to colour, with the colour files' names.
        camera: Intrinsics of both.
        rate_hz: Frames a second; folders carry no stamps.
        output: The bag's folder, which must not exist yet.

    Raises:
        RecordingError: A file is missing, damaged or of another size.
    """
    if not rate_hz > 0:
        msg = f"images: expected a rate above 0 Hz, got {rate_hz}"
        raise RecordingError(msg)
    pairs = paired_files(color_folder, depth_folder)
    with BagWriter(output) as bag:
        for index, (color_file, depth_file) in enumerate(pairs):
            bgr = _read(color_file, cv2.IMREAD_COLOR, "a colour image", camera)
            depth = _read(depth_file, cv2.IMREAD_UNCHANGED, "a depth image", camera)
            if depth.dtype != np.uint16 or depth.ndim != 2:
                msg = f"images: expected 16-bit depth in millimetres, {depth_file} is {depth.dtype} {depth.shape}"
                raise RecordingError(msg)
            stamp_ns = FIRST_STAMP_NS + round(index * NS_PER_S / rate_hz)
            stamp = header(bag.carrier, stamp_ns, FRAME_ID)
            rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            bag.write(CAMERA_INFO, stamp_ns, camera_info_message(bag.carrier, stamp, camera))
            bag.write(COLOR, stamp_ns, image_message(bag.carrier, stamp, "rgb8", rgb))
            bag.write(DEPTH, stamp_ns, image_message(bag.carrier, stamp, "16UC1", depth))
    return len(pairs)
