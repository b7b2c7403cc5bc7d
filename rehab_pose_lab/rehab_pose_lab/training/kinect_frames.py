"""Frames of real people in front of a Kinect v1 (UTD-MHAD), thinned out, to train and check the joint network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose_lab.datasets.utd_mhad import SMPL_INDICES, UTD_CAMERA, UTD_JOINTS, load_utd_mhad

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["HELD_OUT_SUBJECTS", "TRAINED_SUBJECTS", "KinectFrames", "load_or_make_kinect_frames"]

TRAINED_SUBJECTS, HELD_OUT_SUBJECTS = ("s2", "s4", "s5", "s6"), ("s7", "s8")
"""Subjects that are trained on, and those that only check the result."""
STEP = 2
"""Every second frame is kept: neighbours differ little."""


@dataclass(frozen=True, eq=False)
class KinectFrames:
    """Depth and joints of N frames."""

    pixels_mm: NDArray[np.uint16]
    """(P) the boxes' depth one after the other [mm], 0 = no person."""
    starts: NDArray[np.int64]
    """(N + 1) first value of each frame in `pixels_mm`."""
    boxes_px: NDArray[np.int64]
    """(N, 4) x, y, width, height in the image of UTD_CAMERA."""
    joints_m: NDArray[np.float64]
    """(N, 20, 3) of UTD_JOINTS in the camera's frame [m]; NaN where a joint is missing or wrong."""

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.boxes_px)

    def image_m(self, index: int) -> NDArray[np.float32]:
        """Return the whole depth image (240, 320) of a frame [m], NaN outside the person."""
        x, y, width, height = self.boxes_px[index]
        values = self.pixels_mm[self.starts[index] : self.starts[index + 1]].reshape(height, width)
        image = np.full((UTD_CAMERA.height_px, UTD_CAMERA.width_px), np.nan, dtype=np.float32)
        image[y : y + height, x : x + width] = np.where(values > 0, values * np.float32(1e-3), np.float32(np.nan))
        return image

    def joints_of_smpl_m(self, index: int) -> NDArray[np.float64]:
        """Return the joints (24, 3) of a frame in the order of SMPL_24 [m], NaN where there is none."""
        joints = np.full((24, 3), np.nan)
        joints[list(SMPL_INDICES)] = self.joints_m[index]
        return joints


def load_or_make_kinect_frames(path: Path, data: Path | None, subjects: tuple[str, ...]) -> KinectFrames | None:
    """Return the frames stored in a file; make and store them where there is none. None without data.

    Args:
        path: File (.npz).
        data: Folder of UTD-MHAD.
        subjects: Names of the subjects.
    """
    if path.is_file():
        with np.load(path) as arrays:
            return KinectFrames(
                arrays["pixels_mm"], arrays["starts"], arrays["boxes_px"], arrays["joints_m"].astype(np.float64)
            )
    if data is None or not data.is_dir():
        return None
    pixels, boxes, joints = [], [], []
    for recording in load_utd_mhad(data, subjects=subjects):
        for index in range(0, len(recording), STEP):
            if not recording.valid[index].any():
                continue
            pixels.append(recording.depth_mm[index].ravel())
            boxes.append(recording.box_px)
            joints.append(np.where(recording.valid[index][:, None], recording.joints_m[index], np.nan))
    starts = np.append(0, np.cumsum([len(entry) for entry in pixels]))
    frames = KinectFrames(
        np.concatenate(pixels), starts, np.array(boxes), np.array(joints).reshape(-1, len(UTD_JOINTS), 3)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        pixels_mm=frames.pixels_mm,
        starts=frames.starts,
        boxes_px=frames.boxes_px,
        joints_m=frames.joints_m.astype(np.float32),
    )
    return frames
