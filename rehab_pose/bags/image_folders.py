"""Conversion of folders of colour and depth images with intrinsics to frames or to a rosbag."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rehab_pose.bags.image_header import check_image_size
from rehab_pose.bags.writer import BagWriter
from rehab_pose.capture.alignment import FrameAligner
from rehab_pose.capture.calibration_file import read_calibration
from rehab_pose.datatypes import RgbdFrame
from rehab_pose.errors import InputError, RecordingError
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.images import image_message
from rehab_pose.messages.topics import CAMERA_INFO, COLOR, DEPTH
from rehab_pose.output_file import refuse_existing
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
"""First stamp [ns]; zero would mean "no stamp" in ROS."""
NUMBER = re.compile(r"([0-9]+)")
MAX_NAMED = 5
"""Largest number of files that an error message names."""
M_PER_UNIT = 0.001
"""Default unit of depth images: a millimetre [m]."""


def intrinsics_from_file(path: str | os.PathLike[str]) -> CameraIntrinsics:
    """Return the camera of a JSON file with width, height, fx, fy, cx, cy, or of Open3D's format.

    Raises:
        RecordingError: The file is missing or has another content.
        InputError: The numbers are not those of a calibrated camera.
    """
    return read_calibration(path).color.rectified()


@dataclass(frozen=True)
class ImageFolders:
    """Frames from a folder of depth images and, optionally, a folder of colour images with the same names."""

    depth_folder: Path
    """16-bit PNG files."""
    calibration: RgbdCalibration
    color_folder: Path | None = None
    """JPEG or PNG files; None = no colour images, colour is black."""
    rate_hz: float = 30.0
    """Frame rate, from which stamps are computed [Hz]."""
    m_per_unit: float = M_PER_UNIT
    """Unit of the depth images [m]; the value 0 = no return."""

    def __post_init__(self) -> None:
        """Check the rate and the unit.

        Raises:
            RecordingError: The rate or the unit is not positive.
        """
        _check_positive("a rate", self.rate_hz)
        _check_positive("a depth scale", self.m_per_unit)

    def check(self) -> int:
        """Decode every image to find errors before processing; return the number of frames.

        Raises:
            RecordingError: A file is missing, damaged, or has another size or type.
        """
        files, (color, depth) = self._files(), self._cameras()
        for color_file, depth_file in files:
            _read_depth(depth_file, (color if depth is None else depth.camera).image_size_px)
            if color_file is not None:
                _read_color(color_file, color.image_size_px)
        return len(files)

    def frames(self) -> Iterator[tuple[str, RgbdFrame]]:
        """Yield the name (without ending) and the frame of each image, in the order of the names.

        Images are rectified; depth is cleaned and registered to colour.

        Raises:
            RecordingError: A file is missing, damaged, or has another size or type.
        """
        files, (color, depth) = self._files(), self._cameras()
        aligner = FrameAligner(raw_color=True, raw_depth=True, depth=depth)
        width, height = color.image_size_px
        frame_id = DEPTH_FRAME_ID if self.color_folder is None else FRAME_ID
        for index, (color_file, depth_file) in enumerate(files):
            units = _read_depth(depth_file, (color if depth is None else depth.camera).image_size_px)
            depth_image = units if self.m_per_unit == M_PER_UNIT else units * np.float32(self.m_per_unit)
            black = np.zeros((height, width, 3), dtype=np.uint8)
            raw_rgb = black if color_file is None else _read_color(color_file, (width, height))
            rgb, depth_m, intrinsics = aligner.align(raw_rgb, depth_image, color)
            stamp_ns = FIRST_STAMP_NS + round(index * NS_PER_S / self.rate_hz)
            yield depth_file.stem, RgbdFrame(stamp_ns, frame_id, intrinsics, rgb, depth_m)

    def _files(self) -> list[tuple[Path | None, Path]]:
        if self.color_folder is None:
            return [(None, file) for file in _files(self.depth_folder, DEPTH_ENDINGS, "depth").values()]
        return list(paired_files(self.color_folder, self.depth_folder))

    def _cameras(self) -> tuple[CameraCalibration, DepthCalibration | None]:
        """Return the camera of the frames, and the depth camera where depth has to be registered."""
        color, depth = self.calibration.color, self.calibration.depth
        if self.color_folder is None:
            # Without colour the frames are those of the depth camera.
            return (color if depth is None else depth.camera), None
        return color, depth


def _check_positive(name: str, value: float) -> None:
    if not 0 < value < float("inf"):
        msg = f"images: expected {name} above 0, got {value}"
        raise RecordingError(msg)


def _files(folder: Path, endings: tuple[str, ...], kind: str) -> dict[str, Path]:
    """Return the image files of a folder by name without ending, numbers in the names in their order.

    Hidden files are no frames: a Mac adds `._0000.png` to every file that it copies to some drives.
    """
    if not folder.is_dir():
        msg = f"images: expected a folder of {kind} images at {folder}, there is none"
        raise RecordingError(msg)
    files: dict[str, Path] = {}
    for file in sorted(folder.iterdir(), key=lambda path: _numeric_order(path.name)):
        if file.name.startswith(".") or file.suffix.lower() not in endings:
            continue
        if file.stem in files:
            msg = f"images: expected one {kind} image per name, got {files[file.stem]} and {file}; remove one"
            raise RecordingError(msg)
        files[file.stem] = file
    if not files:
        msg = f"images: expected {kind} images ({', '.join(endings)}) in {folder}, found none"
        raise RecordingError(msg)
    return files


def _numeric_order(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts names as people do: numbers in them are compared as numbers (frame_2 before frame_10)."""
    parts = NUMBER.split(name)
    return [(1, int(part), part) if index % 2 else (0, 0, part) for index, part in enumerate(parts)]


def paired_files(color_folder: Path, depth_folder: Path) -> list[tuple[Path, Path]]:
    """Return colour and depth files of the same name (without ending), in the order of their names.

    Raises:
        RecordingError: A file has no partner; the first few are named.
    """
    color = _files(color_folder, COLOR_ENDINGS, "colour")
    depth = _files(depth_folder, DEPTH_ENDINGS, "depth")
    unpaired = sorted(color.keys() ^ depth.keys())
    if unpaired:
        named = ", ".join(str(color.get(stem) or depth[stem]) for stem in unpaired[:MAX_NAMED])
        msg = (
            f"images: expected a depth image of the same name for every colour image, {len(unpaired)} have no partner: "
            f"{named}{' and more' if len(unpaired) > MAX_NAMED else ''}; remove them or add the missing ones"
        )
        raise RecordingError(msg)
    return [(color[stem], depth[stem]) for stem in color]


def _read(file: Path, flags: int, kind: str, size_px: tuple[int, int]) -> NDArray[Any]:
    """Return the decoded image of a file whose width and height must be as given."""
    try:
        check_image_size(file.read_bytes())
    except (InputError, OSError) as error:
        msg = f"images: expected {kind} in {file}: {error}"
        raise RecordingError(msg) from error
    pixels = cv2.imread(str(file), flags)
    if pixels is None:
        msg = f"images: expected {kind} in {file}, it cannot be decoded; the file is damaged"
        raise RecordingError(msg)
    if (pixels.shape[1], pixels.shape[0]) != size_px:
        msg = (
            f"images: expected {size_px[0]}x{size_px[1]} pixels as in the intrinsics, {file} has "
            f"{pixels.shape[1]}x{pixels.shape[0]}"
        )
        raise RecordingError(msg)
    return pixels


def _read_color(file: Path, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a colour image (H, W, 3) RGB."""
    pixels = _read(file, cv2.IMREAD_COLOR, "a colour image", size_px)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _read_depth(file: Path, size_px: tuple[int, int]) -> NDArray[np.uint16]:
    """Return a depth image (H, W) in the units of the file; 0 = no return."""
    pixels = _read(file, cv2.IMREAD_UNCHANGED, "a depth image", size_px)
    if pixels.dtype != np.uint16 or pixels.ndim != 2:
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        msg = (
            f"images: expected 16-bit depth of one channel, {file} has {8 * pixels.itemsize} bits and {channels} "
            "channel(s): this is a visualisation of depth and not the measurement; export the camera's 16-bit images"
        )
        raise RecordingError(msg)
    return np.asarray(pixels, dtype=np.uint16)


def bag_from_images(
    color_folder: Path, depth_folder: Path, camera: CameraIntrinsics, rate_hz: float, output: Path
) -> int:
    """Write a bag with colour (rgb8), camera_info and depth (16UC1 [mm]); return the number of frames.

    Args:
        color_folder: JPEG or PNG files.
        depth_folder: 16-bit PNG files [mm] with the names of the colour files, registered to colour.
        camera: Intrinsics of both.
        rate_hz: Frame rate, from which stamps are computed [Hz].
        output: Folder of the bag, which must not exist yet.

    Raises:
        RecordingError: A file is missing, damaged or has another size.
    """
    _check_positive("a rate", rate_hz)
    pairs = paired_files(color_folder, depth_folder)
    size = (camera.width_px, camera.height_px)
    refuse_existing([output])
    for color_file, depth_file in pairs:  # errors of images come before there is any output
        _read_color(color_file, size)
        _read_depth(depth_file, size)
    with BagWriter(output) as bag:
        for index, (color_file, depth_file) in enumerate(pairs):
            rgb, depth = _read_color(color_file, size), _read_depth(depth_file, size)
            stamp_ns = FIRST_STAMP_NS + round(index * NS_PER_S / rate_hz)
            stamp = header(bag.factory, stamp_ns, FRAME_ID)
            bag.write(CAMERA_INFO, stamp_ns, camera_info_message(bag.factory, stamp, camera))
            bag.write(COLOR, stamp_ns, image_message(bag.factory, stamp, "rgb8", rgb))
            bag.write(DEPTH, stamp_ns, image_message(bag.factory, stamp, "16UC1", depth))
    return len(pairs)
