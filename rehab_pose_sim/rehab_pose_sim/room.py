"""The room around the simulated person: floor, walls and furniture as exact surfaces, and the camera's pose in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.errors import SettingsError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose_sim.furniture import draw_boxes, furniture_from_settings, wall_furniture
from rehab_pose_sim.rays import WorldCamera
from rehab_pose_sim.scripted_posture import posture_of
from rehab_pose_sim.supports import support_furniture, support_height_m
from rehab_pose_sim.surfaces import random_look

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_sim.settings import SimulationSettings

__all__ = ["Room", "roll_rotation", "world_camera"]

FLOOR_RGB, WALL_RGB, POSTER_RGB = (148.0, 118.0, 88.0), (196.0, 198.0, 190.0), (90.0, 120.0, 150.0)
MIN_CAMERA_HEIGHT_M = 0.15
"""Smallest height of a camera that is lowered to aim at the person [m]."""
BOARD_WIDTH_M = 0.14
"""Width of the floor's boards [m]."""
POSTER_M = (0.55, 1.25, 1.15, 1.95)
"""Left, right, bottom and top edge of the picture on the wall [m]."""
SIDE_WALL_M = (1.4, 3.0)
"""Range of the distance of a random side wall from the person [m]."""
SIDE_WALL_FRACTION = 0.4
"""Fraction of the random rooms with a wall on a given side."""


@dataclass(frozen=True, eq=False)
class Room:
    """The images of the empty room, without people."""

    camera: WorldCamera
    """The world is y-up with its origin on the floor, under the person, who faces +z."""
    depth_m: NDArray[np.float32]
    """(H, W) [m], infinity where the ray meets no surface."""
    color: NDArray[np.uint8]
    """(H, W, 3) RGB."""

    @property
    def intrinsics(self) -> CameraIntrinsics:
        """The camera's intrinsics."""
        return self.camera.intrinsics

    @classmethod
    def from_settings(cls, settings: SimulationSettings) -> Room:
        """Place the camera and render the empty room.

        Raises:
            SettingsError: The wall would be in front of the person.
        """
        if settings.wall_distance_m <= settings.distance_m:
            msg = (
                f"wall_distance_m: expected the wall behind the person, {settings.distance_m} m from the camera, "
                f"got {settings.wall_distance_m} m; set it to {settings.distance_m + 1.0} or more"
            )
            raise SettingsError(msg)
        camera = world_camera(settings)
        wall_z = settings.distance_m - settings.wall_distance_m
        rays, eye = camera.rays(), camera.eye_m
        boxes = [*furniture_from_settings(settings), *support_furniture(settings)]
        if settings.background_seed:
            random = np.random.default_rng([settings.background_seed, 10])
            depth, color = _random_surfaces(rays, eye, wall_z, random)
            boxes += wall_furniture(random, wall_z)
        else:
            depth, color = _plain_surfaces(rays, eye, wall_z, settings.seed)
        draw_boxes(boxes, eye, rays, depth, color)
        return cls(camera, depth, color)


def world_camera(settings: SimulationSettings) -> WorldCamera:
    """Return a camera at the set distance, pitched and turned about its axis; height and pitch follow `aim`."""
    intrinsics = CameraIntrinsics(
        width_px=settings.width_px,
        height_px=settings.height_px,
        fx=settings.fx,
        fy=settings.fy,
        cx=(settings.width_px - 1) / 2.0,
        cy=(settings.height_px - 1) / 2.0,
    )
    height_m, pitch = settings.camera_height_m, float(np.radians(settings.pitch_deg))
    middle_m = support_height_m(settings) + posture_of(settings).aim_m
    if settings.aim == "pitch":
        pitch = float(np.arctan2(height_m - middle_m, settings.distance_m))
    elif settings.aim == "height":
        height_m = max(middle_m + settings.distance_m * float(np.tan(pitch)), MIN_CAMERA_HEIGHT_M)
    eye = np.array([0.0, height_m, settings.distance_m])
    sine, cosine = np.sin(pitch), np.cos(pitch)
    # Rows: the camera's right, down and forward in the world; it looks along -z.
    rotation = np.array([[1.0, 0.0, 0.0], [0.0, -cosine, sine], [0.0, -sine, -cosine]])
    return WorldCamera(intrinsics, roll_rotation(settings) @ rotation, eye)


def roll_rotation(settings: SimulationSettings) -> NDArray[np.float64]:
    """Return the rotation (3, 3) from the optical axes of a camera without roll to those of the camera."""
    sine, cosine = np.sin(np.radians(settings.roll_deg)), np.cos(np.radians(settings.roll_deg))
    return np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def _plain_surfaces(
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


def _random_surfaces(
    rays: NDArray[np.float64], eye: NDArray[np.float64], wall_z: float, random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return depth (H, W) [m] and colour (H, W, 3) of floor, wall and possibly side walls with random looks."""
    # For each plane: its normal axis, its position on that axis, a brightness factor, and the two axes along it.
    planes = [(1, 0.0, 0.95, (0, 2)), (2, wall_z, 1.0, (0, 1))]
    for side in (-1.0, 1.0):
        place = side * float(random.uniform(*SIDE_WALL_M))
        if random.random() < SIDE_WALL_FRACTION:
            planes.append((0, place, 0.8, (2, 1)))
    depth = np.full(rays.shape[:2], np.inf)
    color = np.zeros((*depth.shape, 3))
    for axis, place, light, along in planes:
        look = random_look(random, min_level=80.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = (place - eye[axis]) / rays[..., axis]
        nearer = (distance > 0.0) & (distance < depth)
        depth[nearer] = distance[nearer]
        points = eye + depth[nearer][:, None] * rays[nearer]
        color[nearer] = light * look.paint(points[:, along[0]], points[:, along[1]])
    return depth.astype(np.float32), np.clip(color, 0.0, 255.0).astype(np.uint8)
