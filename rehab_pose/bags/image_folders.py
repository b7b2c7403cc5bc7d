"""Folders of colour and depth images with intrinsics -> frames, or a rosbag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rehab_pose.bags.writer import BagWriter
from rehab_pose.capture.alignment import FrameAligner
from rehab_pose.capture.calibration_file import read_calibration
from rehab_pose.datatypes import RgbdFrame
from rehab_pose.errors import RecordingError
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.images import image_message
from rehab_pose.messages.topics import CAMERA_INFO, COLOR, DEPTH
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.capture.calibration_file import DepthCalibration, RgbdCalibration
    from rehab_pose.geometry.calibration import CameraCalibration
    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["ImageFolders", "bag_from_images", "intrinsics_from_file", "paired_files"]

COLOR_ENDINGS = (".jpg", ".jpeg", ".png")
DEPTH_ENDINGS = (".png",)
FRAME_ID = "camera_color_optical_frame"
DEPTH_FRAME_ID = "camera_depth_optical_frame"
FIRST_STAMP_NS = NS_PER_S
"""Stamps start at one second: zero means "no stamp" in ROS."""
MAX_NAMED = 5
"""Files that an error message names."""
M_PER_UNIT = 0.001
"""What almost every depth image's unit is [m]."""


def intrinsics_from_file(path: str | os.PathLike[str]) -> CameraIntrinsics:
    """Return the camera of a JSON file: width, height, fx, fy, cx, cy; or Open3D's with a column-major matrix.

    Raises:
        RecordingError: The file is not there or says something else.
        InputError: The numbers are not those of a calibrated camera.
    """
    return read_calibration(path).color.rectified()


@dataclass(frozen=True)
class ImageFolders:
    """Frames of a folder of depth images, with or without a folder of colour images of the same names."""

    depth_folder: Path
    """16-bit PNG files."""
    calibration: RgbdCalibration
    color_folder: Path | None = None
    """JPEG or PNG files; None: depth alone, colour is black."""
    rate_hz: float = 30.0
    """Frames a second; folders carry no stamps."""
    m_per_unit: float = M_PER_UNIT
    """What one unit of a depth image is [m]; 0 in an image = no return."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            RecordingError: The rate or the unit is not positive.
        """
        _check_positive("a rate", self.rate_hz)
        _check_positive("a depth scale", self.m_per_unit)

    def check(self) -> int:
        """Decode every image and return how many frames there are, so that nothing is begun that cannot be finished.

        Raises:
            RecordingError: A file is missing, damaged, of another size or kind.
        """
        files, (color, depth) = self._files(), self._cameras()
        for color_file, depth_file in files:
            _read_depth(depth_file, (color if depth is None else depth.camera).image_size_px)
            if color_file is not None:
                _read_color(color_file, color.image_size_px)
        return len(files)

    def frames(self) -> Iterator[tuple[str, RgbdFrame]]:
        """Yield name (without ending) and frame in the order of the names: rectified, cleaned, depth registered.

        Raises:
            RecordingError: A file is missing, damaged, of another size or kind.
        """
        files, (color, depth) = self._files(), self._cameras()
        aligner = FrameAligner(raw_color=True, raw_depth=True, depth=depth)
        width, height = color.image_size_px
        frame_id = DEPTH_FRAME_ID if self.color_folder is None else FRAME_ID
        for index, (color_file, depth_file) in enumerate(files):
            units = _read_depth(depth_file, (color if depth is None else depth.camera).image_size_px)
            metres = units if self.m_per_unit == M_PER_UNIT else units * np.float32(self.m_per_unit)
            black = np.zeros((height, width, 3), dtype=np.uint8)
            picture = black if color_file is None else _read_color(color_file, (width, height))
            rgb, depth_m, intrinsics = aligner.align(picture, metres, color)
            stamp_ns = FIRST_STAMP_NS + round(index * NS_PER_S / self.rate_hz)
            yield depth_file.stem, RgbdFrame(stamp_ns, frame_id, intrinsics, rgb, depth_m)

    def _files(self) -> list[tuple[Path | None, Path]]:
        if self.color_folder is None:
            return [(None, file) for file in _files(self.depth_folder, DEPTH_ENDINGS, "depth").values()]
        return list(paired_files(self.color_folder, self.depth_folder))

    def _cameras(self) -> tuple[CameraCalibration, DepthCalibration | None]:
        """Return the camera of the frames, and that of depth where it is another one."""
        color, depth = self.calibration.color, self.calibration.depth
        if self.color_folder is None:
            # Depth alone is its own camera's: there is nothing to register to.
            return (color if depth is None else depth.camera), None
        return color, depth


def _check_positive(what: str, value: float) -> None:
    if not 0 < value < float("inf"):
        msg = f"images: expected {what} above 0, got {value}"
        raise RecordingError(msg)


def _files(folder: Path, endings: tuple[str, ...], what: str) -> dict[str, Path]:
    if not folder.is_dir():
        msg = f"images: expected a folder of {what} images at {folder}, there is none"
        raise RecordingError(msg)
    found: dict[str, Path] = {}
    for file in sorted(folder.glob("*")):
        if file.suffix.lower() not in endings:
            continue
        if file.stem in found:
            msg = f"images: expected one {what} image a name, got {found[file.stem]} and {file}; remove one"
            raise RecordingError(msg)
        found[file.stem] = file
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
        named = ", ".join(str(color.get(stem) or depth[stem]) for stem in alone[:MAX_NAMED])
        msg = (
            f"images: expected a depth image of the same name for every colour image, {len(alone)} have no partner: "
            f"{named}{' and more' if len(alone) > MAX_NAMED else ''}; remove them or add the missing ones"
        )
        raise RecordingError(msg)
    return [(color[stem], depth[stem]) for stem in color]


def _read(file: Path, flags: int, what: str, size_px: tuple[int, int]) -> NDArray[Any]:
    pixels = cv2.imread(str(file), flags)
    if pixels is None:
        msg = f"images: expected {what} in {file}, it cannot be decoded; the file is damaged"
        raise RecordingError(msg)
    if (pixels.shape[1], pixels.shape[0]) != size_px:
        msg = (
            f"images: expected {size_px[0]}x{size_px[1]} pixels as the intrinsics say, {file} has "
            f"{pixels.shape[1]}x{pixels.shape[0]}"
        )
        raise RecordingError(msg)
    return pixels


def _read_color(file: Path, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return (H, W, 3) RGB."""
    pixels = _read(file, cv2.IMREAD_COLOR, "a colour image", size_px)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _read_depth(file: Path, size_px: tuple[int, int]) -> NDArray[np.uint16]:
    """Return (H, W) in the file's units, 0 = no return."""
    pixels = _read(file, cv2.IMREAD_UNCHANGED, "a depth image", size_px)
    if pixels.dtype != np.uint16 or pixels.ndim != 2:
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        msg = (
            f"images: expected 16-bit depth of one channel, {file} has {8 * pixels.itemsize} bits and {channels} "
            "channel(s): a picture of depth for people, not the depth itself; export the camera's own 16-bit images"
        )
        raise RecordingError(msg)
    return np.asarray(pixels, dtype=np.uint16)


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
    _check_positive("a rate", rate_hz)
    pairs = paired_files(color_folder, depth_folder)
    size = (camera.width_px, camera.height_px)
    with BagWriter(output) as bag:
        for index, (color_file, depth_file) in enumerate(pairs):
            rgb, depth = _read_color(color_file, size), _read_depth(depth_file, size)
            stamp_ns = FIRST_STAMP_NS + round(index * NS_PER_S / rate_hz)
            stamp = header(bag.factory, stamp_ns, FRAME_ID)
            bag.write(CAMERA_INFO, stamp_ns, camera_info_message(bag.factory, stamp, camera))
            bag.write(COLOR, stamp_ns, image_message(bag.factory, stamp, "rgb8", rgb))
            bag.write(DEPTH, stamp_ns, image_message(bag.factory, stamp, "16UC1", depth))
    return len(pairs)
