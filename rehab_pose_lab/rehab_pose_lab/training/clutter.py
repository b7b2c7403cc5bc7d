"""Random rooms: floor, walls and furniture as depth, for training the silhouette network.

Everything is a plane, a box, an upright cylinder or an ellipsoid, intersected exactly with the camera's rays. What
matters is not that a sofa looks like a sofa but that surfaces of every size stand behind, beside and against people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["RoomCamera", "furniture_depth_m", "room_depth_m", "table_depth_m"]


EMPTY_SEAT_FRACTION = 0.4
"""Share of rooms with a chair or a sofa beside somebody who stands."""
NEAR_WALL_FRACTION = 0.1
"""Share of side walls that stand within an arm's reach."""
TOUCHING_FRACTION = 0.5
"""Share of these that stand so near that a sofa's arm touches the leg."""


@dataclass(frozen=True, eq=False)
class RoomCamera:
    """A camera in a y-up world whose floor is y = 0."""

    intrinsics: CameraIntrinsics
    camera_from_world: NDArray[np.float64]
    """(4, 4) to the optical frame."""

    def rays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the camera's centre (3) and each pixel's world direction (h, w, 3), of depth 1 in the camera."""
        camera = self.intrinsics
        rotation, translation = self.camera_from_world[:3, :3], self.camera_from_world[:3, 3]
        columns, rows = np.meshgrid(np.arange(camera.width_px), np.arange(camera.height_px))
        directions = np.stack(
            [(columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy, np.ones(columns.shape)], axis=-1
        )
        return -rotation.T @ translation, directions @ rotation

    def height_of_depth(self) -> NDArray[np.float64]:
        """Return (4) a, b, c, d: a return at column u, row v and depth z lies z (a u + b v + c) + d above the floor."""
        camera, up = self.intrinsics, self.camera_from_world[:3, 1]
        offset = -float(up @ self.camera_from_world[:3, 3])
        slope = up[2] - up[0] * camera.cx / camera.fx - up[1] * camera.cy / camera.fy
        return np.array([up[0] / camera.fx, up[1] / camera.fy, slope, offset])


def room_depth_m(
    camera: RoomCamera, subject_m: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float32]:
    """Return the depth (h, w) [m] of a random room around a person standing at `subject_m` (3) in the world."""
    centre, directions = camera.rays()
    depth = np.full(directions.shape[:2], np.inf, dtype=np.float32)
    _add_plane(depth, centre, directions, np.array([0.0, 1.0, 0.0]), 0.0)
    away = subject_m - centre
    away[1] = 0.0
    distance = float(np.linalg.norm(away))
    away /= distance
    side = np.array([-away[2], 0.0, away[0]])
    behind = distance + random.gamma(1.6, 0.7) + 0.15
    yaw = random.normal(0.0, 0.25)
    normal = -(np.cos(yaw) * away + np.sin(yaw) * side)
    _add_plane(depth, centre, directions, normal, -float(normal @ (centre + away * behind)))
    for sign in (-1.0, 1.0):
        if random.random() < 0.5:
            # A wall or a door within reach of the hands is the hardest to tell from them.
            nearest_m, farthest_m = (0.4, 1.0) if random.random() < NEAR_WALL_FRACTION else (0.7, 3.0)
            point = subject_m + side * sign * random.uniform(nearest_m, farthest_m)
            normal = -sign * side + random.normal(0.0, 0.1, 3) * np.array([1.0, 0.0, 1.0])
            normal /= np.linalg.norm(normal)
            _add_plane(depth, centre, directions, normal, -float(normal @ point))
    return depth


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
    depth = np.full(directions.shape[:2], np.inf, dtype=np.float32)
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
            _add_box(depth, centre, directions, place, size, lift, random.uniform(0.0, np.pi))
        elif kind < 0.8:
            radius, height = random.uniform(0.02, 0.3), random.uniform(0.4, 2.0)
            _add_cylinder(depth, centre, directions, place, radius, height)
        else:
            radii = random.uniform(0.08, 0.5, 3)
            place[1] = radii[1] + random.uniform(0.0, 1.2)
            _add_ellipsoid(depth, centre, directions, place, radii)
    if seat_height_m is not None:
        # The seat reaches back from under the thighs.
        _add_seat(depth, centre, directions, subject_m + away * random.uniform(0.25, 0.4), seat_height_m, random)
    elif random.random() < EMPTY_SEAT_FRACTION:
        near = random.random() < TOUCHING_FRACTION
        beside = side * random.choice((-1.0, 1.0)) * (random.uniform(0.35, 0.8) if near else random.uniform(0.6, 1.8))
        behind = away * (random.uniform(-0.1, 0.4) if near else random.uniform(0.0, 0.8))
        _add_seat(depth, centre, directions, subject_m + beside + behind, random.uniform(0.38, 0.5), random)
    return depth


def table_depth_m(
    camera: RoomCamera, subject_m: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float32]:
    """Return the depth (h, w) [m] of a table or a counter right before the person, infinity beside it."""
    centre, directions = camera.rays()
    depth = np.full(directions.shape[:2], np.inf, dtype=np.float32)
    away = (subject_m - centre) * np.array([1.0, 0.0, 1.0])
    away /= np.linalg.norm(away)
    side = np.array([-away[2], 0.0, away[0]])
    size = np.array([random.uniform(0.5, 2.2), random.uniform(0.45, 1.0), random.uniform(0.3, 0.8)])
    place = subject_m + side * random.normal(0.0, 0.25) - away * (random.uniform(0.25, 0.7) + size[2] / 2)
    yaw = -float(np.arctan2(side[2], side[0])) + random.normal(0.0, 0.2)
    _add_box(depth, centre, directions, place, size, 0.0, yaw)
    return depth


def _add_seat(
    depth: NDArray[np.float32],
    centre: NDArray[np.float64],
    directions: NDArray[np.float64],
    place_m: NDArray[np.float64],
    height_m: float,
    random: np.random.Generator,
) -> None:
    """Put a chair or a sofa that faces the camera into a depth image: a seat, perhaps a back and arms."""
    away = (place_m - centre) * np.array([1.0, 0.0, 1.0])
    away /= np.linalg.norm(away)
    side = np.array([-away[2], 0.0, away[0]])
    wide = random.uniform(0.45, 2.4)
    place = place_m + side * random.uniform(-0.5, 0.5) * (wide - 0.45)
    yaw = -float(np.arctan2(side[2], side[0]))
    _add_box(depth, centre, directions, place, np.array([wide, height_m, 0.55]), 0.0, yaw)
    if random.random() < 0.7:
        back = np.array([wide, random.uniform(0.3, 0.6), 0.15])
        _add_box(depth, centre, directions, place + away * 0.35, back, height_m, yaw)
    for sign in (-1.0, 1.0):
        if random.random() < 0.5:
            arm = np.array([0.18, height_m + 0.2, 0.7])
            _add_box(depth, centre, directions, place + side * sign * wide / 2, arm, 0.0, yaw)


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _add_plane(
    depth: NDArray[np.float32],
    centre: NDArray[np.float64],
    directions: NDArray[np.float64],
    normal: NDArray[np.float64],
    offset: float,
) -> None:
    """Put the plane normal . x + offset = 0 into a depth image (h, w)."""
    height = centre[0] * normal[0] + centre[1] * normal[1] + centre[2] * normal[2] + offset
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            ray = directions[row, column]
            slope = ray[0] * normal[0] + ray[1] * normal[1] + ray[2] * normal[2]
            if slope * height < 0.0 and -height / slope < depth[row, column]:
                depth[row, column] = -height / slope


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _add_box(  # noqa: PLR0917  (a ray and a box have this many numbers)
    depth: NDArray[np.float32],
    centre: NDArray[np.float64],
    directions: NDArray[np.float64],
    foot_m: NDArray[np.float64],
    size_m: NDArray[np.float64],
    lift_m: float,
    yaw_rad: float,
) -> None:
    """Slab method for a box (width, height, depth) turned about the vertical."""
    cosine, sine = np.cos(yaw_rad), np.sin(yaw_rad)
    x, z = centre[0] - foot_m[0], centre[2] - foot_m[2]
    origin = np.array([cosine * x - sine * z, centre[1], sine * x + cosine * z])
    low = np.array([-size_m[0] / 2, lift_m, -size_m[2] / 2])
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            world = directions[row, column]
            ray = (cosine * world[0] - sine * world[2], world[1], sine * world[0] + cosine * world[2])
            enter, leave = 0.0, np.inf
            for axis in range(3):
                slope = ray[axis] if abs(ray[axis]) > 1e-12 else 1e-12
                first = (low[axis] - origin[axis]) / slope
                second = (low[axis] + size_m[axis] - origin[axis]) / slope
                enter = max(enter, min(first, second))
                leave = min(leave, max(first, second))
            if 0.0 < enter < leave and enter < depth[row, column]:
                depth[row, column] = enter


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _add_cylinder(
    depth: NDArray[np.float32],
    centre: NDArray[np.float64],
    directions: NDArray[np.float64],
    foot_m: NDArray[np.float64],
    radius_m: float,
    height_m: float,
) -> None:
    """Put the side of an upright cylinder on the floor into a depth image (h, w)."""
    x, z = centre[0] - foot_m[0], centre[2] - foot_m[2]
    c = x * x + z * z - radius_m**2
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            ray = directions[row, column]
            a = ray[0] ** 2 + ray[2] ** 2
            b = ray[0] * x + ray[2] * z
            root = b * b - a * c
            if root > 0.0 and a > 0.0:
                distance = (-b - np.sqrt(root)) / a
                level = centre[1] + distance * ray[1]
                if 0.0 < distance < depth[row, column] and 0.0 < level < height_m:
                    depth[row, column] = distance


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _add_ellipsoid(
    depth: NDArray[np.float32],
    centre: NDArray[np.float64],
    directions: NDArray[np.float64],
    middle_m: NDArray[np.float64],
    radii_m: NDArray[np.float64],
) -> None:
    """Put an ellipsoid with axes along the world's into a depth image (h, w)."""
    origin = (centre - middle_m) / radii_m
    c = (origin**2).sum() - 1.0
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            a, b = 0.0, 0.0
            for axis in range(3):
                slope = directions[row, column, axis] / radii_m[axis]
                a += slope * slope
                b += slope * origin[axis]
            root = b * b - a * c
            if root > 0.0:
                distance = (-b - np.sqrt(root)) / a
                if 0.0 < distance < depth[row, column]:
                    depth[row, column] = distance
