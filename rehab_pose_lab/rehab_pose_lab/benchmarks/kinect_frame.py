"""The one real frame with joints beside it: somebody standing before a Kinect v2 (IRDS, Miron et al. 2021).

The picture is a screenshot of the depth stream: 8 bits over 8 m, and mirrored, as the Kinect SDK shows it. The joints
are those of the Kinect SDK, another definition of where a joint is: only what remains after a constant offset counts.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rehab_pose.capture.cleaning import DepthCleaner
from rehab_pose.datatypes import RgbdFrame
from rehab_pose.errors import RecordingError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.joints.predictor import JointPredictor
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.skeletons.kinect import SMPL_NAME_FROM_KINECT_NAME
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints, Silhouette

__all__ = ["KinectFrame", "error_after_offset_mm", "kinect_frames", "look_at_kinect"]

METRES_PER_LEVEL = 8.0 / 255.0
"""Depth of one gray level [m]: the surfaces then lie 3 to 10 cm before the joints of limbs and trunk."""
NEAREST_M = 0.5
"""The Kinect v2 measures nothing nearer; levels below are what JPEG once left of pixels without return [m]."""
MIRRORED = CameraIntrinsics(512, 424, 368.1, 368.2, 258.43, 206.98)
"""Fitted to the 2D joints of the data set: u = cx + fx X / Z with X to the sensor's left."""
FRAMES = 3
FRAME_NS = 33_333_333


@dataclass(frozen=True, eq=False)
class KinectFrame:
    """A frame turned the right way round, and the Kinect's joints."""

    name: str
    frame: RgbdFrame
    joints_m: NDArray[np.float64]
    """(24, 3) SMPL_24 in the camera's optical frame [m]; NaN where the Kinect has none that corresponds."""


def kinect_frames(folder: Path) -> list[KinectFrame]:
    """Return the frames in a folder of depth pictures with joints beside them, in the order of their names.

    Raises:
        RecordingError: A picture or its joints cannot be read.
    """
    return [_kinect_frame(path) for path in sorted(folder.glob("*.png"))]


def _kinect_frame(path: Path) -> KinectFrame:
    levels: NDArray[Any] | None = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    table = path.with_suffix(".csv")
    if levels is None or levels.shape != (MIRRORED.height_px, MIRRORED.width_px) or not table.is_file():
        msg = f"irds: expected a {MIRRORED.width_px}x{MIRRORED.height_px} picture {path} and {table}; fetch them again"
        raise RecordingError(msg)
    levels = np.ascontiguousarray(levels[:, ::-1])
    measured_m = levels * METRES_PER_LEVEL
    depth_m = DepthCleaner().clean(np.where(measured_m >= NEAREST_M, measured_m, np.nan).astype(np.float32))
    camera = replace(MIRRORED, cx=MIRRORED.width_px - 1 - MIRRORED.cx)
    frame = RgbdFrame(0, "kinect", camera, np.repeat(levels[..., None], 3, axis=2), depth_m)
    joints_m = np.full((len(SMPL_24), 3), np.nan)
    with table.open(newline="", encoding="utf-8") as lines:
        for row in csv.reader(lines):
            name = _smpl_name(row)
            if name:
                # The last five columns are X, Y, Z in the Kinect's axes (x to its left, y up) and the 2D position.
                x, y, z = (float(value) for value in row[-5:-2])
                joints_m[SMPL_24.index(name)] = (-x, -y, z)
    return KinectFrame(path.stem, frame, joints_m)


def _smpl_name(row: list[str]) -> str:
    """Return SMPL_24's name of the joint in a row such as `...,WristLeft,Tracked,...`; empty where it has none."""
    for value in row:
        part, side = value, ""
        for candidate in ("Left", "Right"):
            if value.endswith(candidate):
                part, side = value.removesuffix(candidate), f"{candidate.lower()}_"
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in part).lstrip("_")
        if side + snake in SMPL_NAME_FROM_KINECT_NAME:
            return SMPL_NAME_FROM_KINECT_NAME[side + snake]
    return ""


def look_at_kinect(given: KinectFrame, method: str) -> tuple[Silhouette | None, Joints | None]:
    """Return silhouette (by `method`) and joints of a frame, looked at for long enough to find the floor."""
    segmenter, predictor = SilhouetteSegmenter(SilhouetteSettings(method=method)), JointPredictor()
    silhouette, joints = None, None
    for index in range(FRAMES):
        silhouette = segmenter.segment(replace(given.frame, stamp_ns=index * FRAME_NS))
        joints = None if silhouette is None else predictor.predict(silhouette)
    return silhouette, joints


def error_after_offset_mm(found_m: NDArray[np.float64], truth_m: NDArray[np.float64]) -> float:
    """Return the mean distance [mm] of joints (J, 3) after their common offset is taken out; NaN = none in common."""
    difference = found_m - truth_m
    known = np.isfinite(difference).all(axis=1)
    if not known.any():
        return float("nan")
    centred = difference[known] - difference[known].mean(axis=0)
    return float(1e3 * np.linalg.norm(centred, axis=1).mean())
