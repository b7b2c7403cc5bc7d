"""The room behind the simulated person: a floor and a wall as exact planes, and where the camera stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.geometry.camera import CameraIntrinsics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.simulation.settings import SimulationSettings

__all__ = ["Room"]

FLOOR_RGB, WALL_RGB, POSTER_RGB = (148.0, 118.0, 88.0), (196.0, 198.0, 190.0), (90.0, 120.0, 150.0)
BOARD_WIDTH_M = 0.14
POSTER_M = (0.55, 1.25, 1.15, 1.95)
"""Left, right, bottom and top edge of the picture on the wall [m]."""


@dataclass(frozen=True, eq=False)
class Room:
    """What the camera sees when nobody is there."""

    intrinsics: CameraIntrinsics
    camera_from_world: NDArray[np.float64]
    """(4, 4); the world is y-up with its origin on the floor, under the person, who faces +z."""
    depth_m: NDArray[np.float32]
    """(H, W) [m], infinity where the ray meets nothing."""
    color: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    floor_plane: NDArray[np.float64]
    """(4) in the camera's optical frame, normal up [m]."""

    @classmethod
    def from_settings(cls, settings: SimulationSettings) -> Room:
        """Place the camera and look at the empty room."""
        intrinsics = CameraIntrinsics(
            width_px=settings.width_px,
            height_px=settings.height_px,
            fx=settings.fx,
            fy=settings.fy,
            cx=(settings.width_px - 1) / 2.0,
            cy=(settings.height_px - 1) / 2.0,
        )
        eye = np.array([0.0, settings.camera_height_m, settings.distance_m])
        sine, cosine = np.sin(np.radians(settings.pitch_deg)), np.cos(np.radians(settings.pitch_deg))
        # Rows: the camera's right, down and forward in the world; it looks along -z.
        rotation = np.array([[1.0, 0.0, 0.0], [0.0, -cosine, sine], [0.0, -sine, -cosine]])
        camera_from_world = np.eye(4)
        camera_from_world[:3, :3] = rotation
        camera_from_world[:3, 3] = -rotation @ eye
        floor_plane = np.append(rotation[:, 1], settings.camera_height_m)
        wall_z = settings.distance_m - settings.wall_distance_m
        depth, color = _look(intrinsics, rotation, eye, wall_z, settings.seed)
        return cls(intrinsics, camera_from_world, depth, color, floor_plane)

    def in_camera(self, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return world points (..., 3) in the camera's optical frame [m]."""
        moved: NDArray[np.float64] = points_m @ self.camera_from_world[:3, :3].T + self.camera_from_world[:3, 3]
        return moved


def _look(
    intrinsics: CameraIntrinsics, rotation: NDArray[np.float64], eye: NDArray[np.float64], wall_z: float, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return depth (H, W) [m] and colour (H, W, 3) of floor (y = 0) and wall (z = wall_z)."""
    columns, rows = np.meshgrid(np.arange(intrinsics.width_px), np.arange(intrinsics.height_px))
    x, y = (columns - intrinsics.cx) / intrinsics.fx, (rows - intrinsics.cy) / intrinsics.fy
    rays = np.stack([x, y, np.ones_like(x)], axis=-1) @ rotation
    with np.errstate(divide="ignore", invalid="ignore"):
        floor = np.where(rays[..., 1] < 0.0, -eye[1] / rays[..., 1], np.inf)
        wall = np.where(rays[..., 2] < 0.0, (wall_z - eye[2]) / rays[..., 2], np.inf)
    depth = np.minimum(floor, wall)
    points = eye + np.where(np.isfinite(depth), depth, 0.0)[..., None] * rays
    random = np.random.default_rng([seed, 3])
    grain = cv2.resize(random.normal(0.0, 1.0, (24, 32)), depth.shape[::-1], interpolation=cv2.INTER_CUBIC)
    board = np.floor(points[..., 0] / BOARD_WIDTH_M)
    boards = 1.0 + 0.07 * np.sin(12.9898 * board) + 0.03 * np.sin(9.0 * points[..., 2] + board)
    left, right, bottom, top = POSTER_M
    poster = (points[..., 0] > left) & (points[..., 0] < right) & (points[..., 1] > bottom) & (points[..., 1] < top)
    color = np.where(poster[..., None], POSTER_RGB, WALL_RGB) * (1.0 + 0.03 * grain[..., None])
    color = np.where((floor < wall)[..., None], np.array(FLOOR_RGB) * boards[..., None], color)
    color[~np.isfinite(depth)] = 0.0
    return depth.astype(np.float32), np.clip(color, 0.0, 255.0).astype(np.uint8)
