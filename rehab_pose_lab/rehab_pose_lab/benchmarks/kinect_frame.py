"""The real frames with joints: a person in front of a Kinect v2 (IRDS, Miron et al. 2021).

The images are screenshots of the depth stream: 8 bits over 8 m, and mirrored, as the Kinect SDK shows it. The joints
are those of the Kinect SDK, which are defined differently: only the error without the common offset is measured.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rehab_pose.body.settings import BodySettings
from rehab_pose.capture.cleaning import DepthCleaner
from rehab_pose.datatypes import RgbdFrame
from rehab_pose.errors import RecordingError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.image_joints.settings import ImageJointSettings
from rehab_pose.joints.settings import JointSettings
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose.stage_groups import ImageStages, PoseStages
from rehab_pose_lab.datasets.kinect_joints import SMPL_NAME_FROM_KINECT_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints, Silhouette

__all__ = ["KinectFrame", "error_after_offset_mm", "kinect_frames", "process_kinect_frame"]

METRES_PER_LEVEL = 8.0 / 255.0
"""Depth of one grey level [m]: with it the surfaces are 3 to 10 cm in front of the joints of limbs and trunk."""
MIN_RANGE_M = 0.5
"""Minimum range of the Kinect v2 [m]; lower levels are compression artefacts of pixels without return."""
MIRRORED = CameraIntrinsics(512, 424, 368.1, 368.2, 258.43, 206.98)
"""Intrinsics fitted to the 2D joints of the data set: u = cx + fx X / Z with X to the sensor's left."""
FRAMES = 3
"""Repetitions of a frame, with which the floor is detected."""
FRAME_NS = 33_333_333


@dataclass(frozen=True, eq=False)
class KinectFrame:
    """A frame without mirroring, and the Kinect's joints."""

    name: str
    frame: RgbdFrame
    joints_m: NDArray[np.float64]
    """(24, 3) SMPL_24 in the camera's optical frame [m]; NaN where the Kinect has no corresponding joint."""


def kinect_frames(folder: Path) -> list[KinectFrame]:
    """Return the frames of a folder of depth images and tables of joints, in order of their names.

    Raises:
        RecordingError: An image or its joints cannot be read.
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
    depth_m = DepthCleaner().clean(np.where(measured_m >= MIN_RANGE_M, measured_m, np.nan).astype(np.float32))
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
    """Return the name in SMPL_24 for a row such as `...,WristLeft,Tracked,...`; empty where there is none."""
    for value in row:
        part, side = value, ""
        for candidate in ("Left", "Right"):
            if value.endswith(candidate):
                part, side = value.removesuffix(candidate), f"{candidate.lower()}_"
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in part).lstrip("_")
        if side + snake in SMPL_NAME_FROM_KINECT_NAME:
            return SMPL_NAME_FROM_KINECT_NAME[side + snake]
    return ""


def process_kinect_frame(given: KinectFrame, method: str) -> tuple[Silhouette | None, Joints | None]:
    """Return silhouette (by `method`) and published joints of a frame, which is repeated until the floor is detected.

    The frame has no colour, so no landmarks are used.
    """
    images = ImageStages(ImageJointSettings(enabled=False), SilhouetteSettings(method=method))
    pose = PoseStages(JointSettings(), BodySettings(with_vertices=False))
    silhouette, joints = None, None
    for index in range(FRAMES):
        silhouette = images.process(replace(given.frame, stamp_ns=index * FRAME_NS)).silhouette
        joints = pose.process(silhouette, None).joints
    return silhouette, joints


def error_after_offset_mm(predicted_m: NDArray[np.float64], truth_m: NDArray[np.float64]) -> float:
    """Return the mean distance [mm] of joints (J, 3) without their common offset; NaN where no joint is in both."""
    difference = predicted_m - truth_m
    known = np.isfinite(difference).all(axis=1)
    if not known.any():
        return float("nan")
    centred = difference[known] - difference[known].mean(axis=0)
    return float(1e3 * np.linalg.norm(centred, axis=1).mean())
