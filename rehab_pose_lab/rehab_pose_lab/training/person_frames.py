"""Depth and joints of real people, frame by frame, for training and checking the joint network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.array_file import ArrayFile
from rehab_pose.geometry.camera import CameraIntrinsics

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["PersonFrame", "PersonFrames"]

MM_PER_M = 1000.0
ARRAYS = ("pixels_mm", "starts", "boxes_px", "joints_m", "up", "cameras")


@dataclass(frozen=True, eq=False)
class PersonFrame:
    """One person in one depth image."""

    depth_mm: NDArray[np.uint16]
    """(h, w) over the box [mm], 0 outside the person and where there is no return."""
    box_px: tuple[int, int, int, int]
    """x, y, width, height in the full image."""
    joints_m: NDArray[np.float64]
    """(24, 3) of SMPL_24 in the camera's frame [m]; NaN where a joint is missing or not trusted."""
    up: NDArray[np.float64]
    """(3) unit vector against gravity in the camera's frame; NaN = unknown."""
    intrinsics: CameraIntrinsics
    """Camera of the full image."""


@dataclass(frozen=True, eq=False)
class PersonFrames:
    """N frames in a few arrays."""

    pixels_mm: NDArray[np.uint16]
    """(P) the boxes' depth one after the other [mm]."""
    starts: NDArray[np.int64]
    """(N + 1) first value of each frame in `pixels_mm`."""
    boxes_px: NDArray[np.int64]
    """(N, 4) x, y, width, height."""
    joints_m: NDArray[np.float64]
    """(N, 24, 3) as in `PersonFrame`."""
    up: NDArray[np.float64]
    """(N, 3) as in `PersonFrame`."""
    cameras: NDArray[np.float64]
    """(N, 6) width, height, fx, fy, cx, cy [px]."""

    @classmethod
    def collect(cls, frames: Iterable[PersonFrame]) -> PersonFrames:
        """Return the frames in arrays."""
        rows = list(frames)
        lengths = [row.depth_mm.size for row in rows]
        cameras = [(c.width_px, c.height_px, c.fx, c.fy, c.cx, c.cy) for c in (row.intrinsics for row in rows)]
        return cls(
            np.concatenate([row.depth_mm.ravel() for row in rows] or [np.zeros(0, np.uint16)]),
            np.append(0, np.cumsum(lengths, dtype=np.int64)),
            np.array([row.box_px for row in rows], dtype=np.int64).reshape(-1, 4),
            np.array([row.joints_m for row in rows]).reshape(-1, 24, 3),
            np.array([row.up for row in rows]).reshape(-1, 3),
            np.array(cameras, dtype=np.float64).reshape(-1, 6),
        )

    @classmethod
    def load(cls, path: Path) -> PersonFrames:
        """Read a file of `save`."""
        with ArrayFile(path) as arrays:
            return cls(*(arrays[name] for name in ARRAYS))

    def save(self, path: Path) -> None:
        """Write a compressed file (.npz)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **{name: getattr(self, name) for name in ARRAYS})

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.boxes_px)

    def intrinsics(self, index: int) -> CameraIntrinsics:
        """Return the camera of a frame."""
        width, height, fx, fy, cx, cy = (float(value) for value in self.cameras[index])
        return CameraIntrinsics(int(width), int(height), fx, fy, cx, cy)

    def image_m(self, index: int) -> NDArray[np.float32]:
        """Return the whole depth image (H, W) of a frame [m], NaN outside the person."""
        x, y, width, height = self.boxes_px[index]
        values = self.pixels_mm[self.starts[index] : self.starts[index + 1]].reshape(height, width)
        camera = self.intrinsics(index)
        image = np.full((camera.height_px, camera.width_px), np.nan, dtype=np.float32)
        box_m = np.where(values > 0, values / np.float32(MM_PER_M), np.float32(np.nan))
        image[y : y + height, x : x + width] = box_m
        return image
