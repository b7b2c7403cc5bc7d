"""The room around the simulated person: floor, walls and furniture as exact surfaces, and where the camera stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.errors import SettingsError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose_sim.furniture import draw_boxes, furniture_of, things_by_the_wall
from rehab_pose_sim.surfaces import drawn_look

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_sim.settings import SimulationSettings

__all__ = ["Room"]

FLOOR_RGB, WALL_RGB, POSTER_RGB = (148.0, 118.0, 88.0), (196.0, 198.0, 190.0), (90.0, 120.0, 150.0)
BOARD_WIDTH_M = 0.14
POSTER_M = (0.55, 1.25, 1.15, 1.95)
"""Left, right, bottom and top edge of the picture on the wall [m]."""
SIDE_WALL_M = (1.4, 3.0)
"""Least and greatest distance of a drawn side wall from the person [m]."""
SIDE_WALL_FRACTION = 0.4
"""Share of drawn rooms with a wall on a given side."""


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
        """Place the camera and look at the empty room.

        Raises:
            SettingsError: The wall would stand before the person.
        """
        if settings.wall_distance_m <= settings.distance_m:
            msg = (
                f"wall_distance_m: expected the wall behind the person, {settings.distance_m} m from the camera, "
                f"got {settings.wall_distance_m} m; set it to {settings.distance_m + 1.0} or more"
            )
            raise SettingsError(msg)
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
        rays = _rays(intrinsics, rotation)
        boxes = furniture_of(settings)
        if settings.background_seed:
            random = np.random.default_rng([settings.background_seed, 10])
            depth, color = _look_drawn(rays, eye, wall_z, random)
            boxes += things_by_the_wall(random, wall_z)
        else:
            depth, color = _look(rays, eye, wall_z, settings.seed)
        draw_boxes(boxes, eye, rays, depth, color)
        return cls(intrinsics, camera_from_world, depth, color, floor_plane)

    def in_camera(self, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return world points (..., 3) in the camera's optical frame [m]."""
        moved: NDArray[np.float64] = points_m @ self.camera_from_world[:3, :3].T + self.camera_from_world[:3, 3]
        return moved


def _rays(intrinsics: CameraIntrinsics, rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each pixel's direction in the world (H, W, 3), of depth 1 in the camera."""
    columns, rows = np.meshgrid(np.arange(intrinsics.width_px), np.arange(intrinsics.height_px))
    x, y = (columns - intrinsics.cx) / intrinsics.fx, (rows - intrinsics.cy) / intrinsics.fy
    return np.asarray(np.stack([x, y, np.ones_like(x)], axis=-1) @ rotation)


def _look(
    rays: NDArray[np.float64], eye: NDArray[np.float64], wall_z: float, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return depth (H, W) [m] and colour (H, W, 3) of floor (y = 0) and wall (z = wall_z)."""
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


def _look_drawn(
    rays: NDArray[np.float64], eye: NDArray[np.float64], wall_z: float, random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return depth (H, W) [m] and colour (H, W, 3) of a room with drawn colours and patterns, with or without sides."""
    # An axis, where on it the plane lies, how bright the lamp makes it, and the two axes along it.
    planes = [(1, 0.0, 0.95, (0, 2)), (2, wall_z, 1.0, (0, 1))]
    for side in (-1.0, 1.0):
        place = side * float(random.uniform(*SIDE_WALL_M))
        if random.random() < SIDE_WALL_FRACTION:
            planes.append((0, place, 0.8, (2, 1)))
    depth = np.full(rays.shape[:2], np.inf)
    color = np.zeros((*depth.shape, 3))
    for axis, place, light, along in planes:
        look = drawn_look(random, darkest=80.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = (place - eye[axis]) / rays[..., axis]
        nearer = (distance > 0.0) & (distance < depth)
        depth[nearer] = distance[nearer]
        points = eye + depth[nearer][:, None] * rays[nearer]
        color[nearer] = light * look.paint(points[:, along[0]], points[:, along[1]])
    return depth.astype(np.float32), np.clip(color, 0.0, 255.0).astype(np.uint8)
