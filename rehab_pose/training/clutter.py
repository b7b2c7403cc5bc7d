"""Random rooms: floor, walls and furniture as depth, for training the silhouette network.

Everything is a plane, a box, an upright cylinder or an ellipsoid, intersected exactly with the camera's rays. What
matters is not that a sofa looks like a sofa but that surfaces of every size stand behind, beside and against people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["RoomCamera", "furniture_depth_m", "room_depth_m"]


@dataclass(frozen=True, eq=False)
class RoomCamera:
    """A camera in a y-up world whose floor is y = 0."""

    intrinsics: CameraIntrinsics
    camera_from_world: NDArray[np.float64]
    """(4, 4) to the optical frame."""

    def rays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the camera's centre (3) and, for each pixel (h, w, 3), the world direction with z = 1 in the camera."""
        camera = self.intrinsics
        rotation, translation = self.camera_from_world[:3, :3], self.camera_from_world[:3, 3]
        columns, rows = np.meshgrid(np.arange(camera.width_px), np.arange(camera.height_px))
        directions = np.stack(
            [(columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy, np.ones(columns.shape)], axis=-1
        )
        return -rotation.T @ translation, directions @ rotation


def room_depth_m(
    camera: RoomCamera, subject_m: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float32]:
    """Return the depth (h, w) [m] of a random room around a person standing at `subject_m` (3) in the world."""
    centre, directions = camera.rays()
    depth = _plane(centre, directions, np.array([0.0, 1.0, 0.0]), 0.0)
    away = subject_m - centre
    away[1] = 0.0
    distance = float(np.linalg.norm(away))
    away /= distance
    side = np.array([-away[2], 0.0, away[0]])
    behind = distance + random.gamma(1.6, 0.7) + 0.15
    yaw = random.normal(0.0, 0.25)
    normal = -(np.cos(yaw) * away + np.sin(yaw) * side)
    depth = np.minimum(depth, _plane(centre, directions, normal, -float(normal @ (centre + away * behind))))
    for sign in (-1.0, 1.0):
        if random.random() < 0.5:
            point = subject_m + side * sign * random.uniform(0.7, 3.0)
            normal = -sign * side + random.normal(0.0, 0.1, 3) * np.array([1.0, 0.0, 1.0])
            normal /= np.linalg.norm(normal)
            depth = np.minimum(depth, _plane(centre, directions, normal, -float(normal @ point)))
    return depth.astype(np.float32)


def furniture_depth_m(
    camera: RoomCamera, subject_m: NDArray[np.float64], random: np.random.Generator, *, seat_height_m: float | None
) -> NDArray[np.float32]:
    """Return the depth (h, w) [m] of random furniture, infinity where there is none.

    Args:
        camera: The camera.
        subject_m: (3) where the person's feet are.
        random: Seeded generator.
        seat_height_m: Height of a seat to put under the person, or None.
    """
    centre, directions = camera.rays()
    depth = np.full(directions.shape[:2], np.inf)
    away = (subject_m - centre) * np.array([1.0, 0.0, 1.0])
    away /= np.linalg.norm(away)
    side = np.array([-away[2], 0.0, away[0]])
    for _ in range(random.poisson(3.0)):
        sideways = random.choice((-1.0, 1.0)) * random.uniform(0.35, 2.2)
        place = subject_m + side * sideways + away * random.normal(0.5, 0.7)
        kind = random.random()
        if kind < 0.6:
            size = np.array([random.uniform(0.1, 1.6), random.gamma(2.0, 0.35) + 0.1, random.uniform(0.1, 0.9)])
            lift = random.uniform(0.3, 1.8) if random.random() < 0.25 else 0.0
            depth = np.minimum(depth, _box(centre, directions, place, size, lift, random.uniform(0.0, np.pi)))
        elif kind < 0.8:
            radius, height = random.uniform(0.02, 0.3), random.uniform(0.4, 2.0)
            depth = np.minimum(depth, _cylinder(centre, directions, place, radius, height))
        else:
            radii = random.uniform(0.08, 0.5, 3)
            place[1] = radii[1] + random.uniform(0.0, 1.2)
            depth = np.minimum(depth, _ellipsoid(centre, directions, place, radii))
    if seat_height_m is not None:
        # The seat reaches back from under the thighs; a sofa is wide and has a backrest.
        wide = random.uniform(0.45, 2.4)
        place = subject_m + away * random.uniform(0.25, 0.4) + side * random.uniform(-0.5, 0.5) * (wide - 0.45)
        yaw = float(np.arctan2(side[2], side[0])) * -1.0
        size = np.array([wide, seat_height_m, 0.55])
        depth = np.minimum(depth, _box(centre, directions, place, size, 0.0, yaw))
        if random.random() < 0.7:
            back = np.array([wide, random.uniform(0.3, 0.6), 0.15])
            depth = np.minimum(depth, _box(centre, directions, place + away * 0.35, back, seat_height_m, yaw))
        for sign in (-1.0, 1.0):
            if random.random() < 0.5:
                arm = np.array([0.18, seat_height_m + 0.2, 0.7])
                depth = np.minimum(depth, _box(centre, directions, place + side * sign * wide / 2, arm, 0.0, yaw))
    return depth.astype(np.float32)


def _plane(
    centre: NDArray[np.float64], directions: NDArray[np.float64], normal: NDArray[np.float64], offset: float
) -> NDArray[np.float64]:
    slope = directions @ normal
    with np.errstate(divide="ignore"):
        depth = -(float(centre @ normal) + offset) / slope
    return np.where((depth > 0) & np.isfinite(depth), depth, np.inf)


def _box(  # noqa: PLR0913  (a ray and a box have this many numbers)
    centre: NDArray[np.float64],
    directions: NDArray[np.float64],
    foot_m: NDArray[np.float64],
    size_m: NDArray[np.float64],
    lift_m: float,
    yaw_rad: float,
) -> NDArray[np.float64]:
    """Slab method for a box (width, height, depth) turned about the vertical."""
    cosine, sine = np.cos(yaw_rad), np.sin(yaw_rad)
    turn = np.array([[cosine, 0.0, -sine], [0.0, 1.0, 0.0], [sine, 0.0, cosine]])
    origin = turn @ (centre - foot_m)
    ray = directions @ turn.T
    low = np.array([-size_m[0] / 2, lift_m - foot_m[1], -size_m[2] / 2])
    high = low + size_m
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (low - origin) / ray, (high - origin) / ray
    enter = np.fmax.reduce(np.fmin(first, second), axis=-1)
    leave = np.fmin.reduce(np.fmax(first, second), axis=-1)
    return np.where((enter < leave) & (enter > 0), enter, np.inf)


def _cylinder(
    centre: NDArray[np.float64],
    directions: NDArray[np.float64],
    foot_m: NDArray[np.float64],
    radius_m: float,
    height_m: float,
) -> NDArray[np.float64]:
    origin = (centre - foot_m)[[0, 2]]
    ray = directions[..., [0, 2]]
    a = (ray**2).sum(axis=-1)
    b = ray @ origin
    c = float(origin @ origin) - radius_m**2
    root = b**2 - a * c
    with np.errstate(invalid="ignore", divide="ignore"):
        depth = (-b - np.sqrt(root)) / a
        height = centre[1] + depth * directions[..., 1]
        hit = (root > 0) & (depth > 0) & (height > 0) & (height < height_m)
    return np.where(hit, depth, np.inf)


def _ellipsoid(
    centre: NDArray[np.float64],
    directions: NDArray[np.float64],
    middle_m: NDArray[np.float64],
    radii_m: NDArray[np.float64],
) -> NDArray[np.float64]:
    origin = (centre - middle_m) / radii_m
    ray = directions / radii_m
    a = (ray**2).sum(axis=-1)
    b = ray @ origin
    root = b**2 - a * (float(origin @ origin) - 1.0)
    with np.errstate(invalid="ignore"):
        depth = (-b - np.sqrt(root)) / a
    return np.where((root > 0) & (depth > 0), depth, np.inf)
