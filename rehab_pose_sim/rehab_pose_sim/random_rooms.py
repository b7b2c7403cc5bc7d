"""Random rooms as depth images: floor, walls and furniture, to train the segmentation of people on.

Every surface is a plane, a box, an upright cylinder or an ellipsoid, intersected exactly with the camera's rays. The
shapes are simple: what the network has to learn is that surfaces of every size are behind, next to and against people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose_sim.rays import NO_SURFACE, intersect_box, intersect_cylinder, intersect_ellipsoid, intersect_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_sim.rays import WorldCamera

__all__ = ["box_depth_m", "random_furniture_depth_m", "random_room_depth_m", "random_table_depth_m"]


EMPTY_SEAT_FRACTION = 0.4
"""Fraction of the rooms without a seated person that have a chair or a sofa near the person."""
NEAR_WALL_FRACTION = 0.1
"""Fraction of the side walls that are within an arm's reach."""
TOUCHING_FRACTION = 0.5
"""Fraction of the empty seats that are so near that a sofa's arm touches the leg."""


class _Scene:
    """A depth image that surfaces are added to, and the directions as the person in it sees them."""

    def __init__(self, camera: WorldCamera, subject_m: NDArray[np.float64]) -> None:
        self.depth_m = np.full((camera.intrinsics.height_px, camera.intrinsics.width_px), np.inf, dtype=np.float32)
        self.away, self.side = _directions(subject_m - camera.eye_m)
        self.eye_m, self.rays = camera.eye_m, camera.rays()
        self._hit = np.full(self.depth_m.shape, NO_SURFACE, dtype=np.int16)

    def add_plane(self, normal: NDArray[np.float64], point_m: NDArray[np.float64]) -> None:
        """Add the plane through a point (3) [m] with a unit normal (3)."""
        intersect_plane(self.depth_m, self.eye_m, self.rays, normal, -float(normal @ point_m))

    def add_box(
        self, foot_m: NDArray[np.float64], size_m: tuple[float, float, float], *, lift_m: float = 0.0, yaw_rad: float
    ) -> None:
        """Add an upright box whose underside is `lift_m` above a point (3) of the floor [m]."""
        foot = foot_m + np.array([0.0, lift_m, 0.0])
        intersect_box(self.depth_m, self._hit, 0, (self.eye_m, self.rays), (foot, np.array(size_m), float(yaw_rad)))

    def add_cylinder(self, foot_m: NDArray[np.float64], radius_m: float, height_m: float) -> None:
        """Add an upright cylinder that stands on the floor."""
        intersect_cylinder(self.depth_m, self.eye_m, self.rays, foot_m, (radius_m, height_m))

    def add_ellipsoid(self, middle_m: NDArray[np.float64], radii_m: NDArray[np.float64]) -> None:
        """Add an ellipsoid with axes parallel to the world's."""
        intersect_ellipsoid(self.depth_m, self.eye_m, self.rays, middle_m, radii_m)

    def add_seat(self, place_m: NDArray[np.float64], height_m: float, random: np.random.Generator) -> None:
        """Add a chair or a sofa that faces the camera: a seat, with some probability a back and arms."""
        away, side = _directions(place_m - self.eye_m)
        width = random.uniform(0.45, 2.4)
        place = place_m + side * random.uniform(-0.5, 0.5) * (width - 0.45)
        yaw_rad = -float(np.arctan2(side[2], side[0]))
        self.add_box(place, (width, height_m, 0.55), yaw_rad=yaw_rad)
        if random.random() < 0.7:
            back = (width, random.uniform(0.3, 0.6), 0.15)
            self.add_box(place + away * 0.35, back, lift_m=height_m, yaw_rad=yaw_rad)
        for sign in (-1.0, 1.0):
            if random.random() < 0.5:
                self.add_box(place + side * sign * width / 2, (0.18, height_m + 0.2, 0.7), yaw_rad=yaw_rad)


def _directions(line_of_sight: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the horizontal unit vectors away from the camera (3) and to its right (3) for a line of sight (3)."""
    away = line_of_sight * np.array([1.0, 0.0, 1.0])
    away /= max(float(np.linalg.norm(away)), 1e-6)
    return away, np.array([-away[2], 0.0, away[0]])


def random_room_depth_m(
    camera: WorldCamera, subject_m: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float32]:
    """Return the depth (H, W) [m] of a random room around a person who stands at `subject_m` (3) in the world."""
    scene = _Scene(camera, subject_m)
    distance = float(np.hypot(*(subject_m - camera.eye_m)[[0, 2]]))
    scene.add_plane(np.array([0.0, 1.0, 0.0]), np.zeros(3))
    behind = distance + random.gamma(1.6, 0.7) + 0.15
    yaw = random.normal(0.0, 0.25)
    normal = -(np.cos(yaw) * scene.away + np.sin(yaw) * scene.side)
    scene.add_plane(normal, camera.eye_m + scene.away * behind)
    for sign in (-1.0, 1.0):
        if random.random() < 0.5:
            # A wall or a door within reach of the hands is the hardest to separate from them.
            nearest_m, farthest_m = (0.4, 1.0) if random.random() < NEAR_WALL_FRACTION else (0.7, 3.0)
            point = subject_m + scene.side * sign * random.uniform(nearest_m, farthest_m)
            normal = -sign * scene.side + random.normal(0.0, 0.1, 3) * np.array([1.0, 0.0, 1.0])
            scene.add_plane(normal / np.linalg.norm(normal), point)
    return scene.depth_m


def random_furniture_depth_m(
    camera: WorldCamera, subject_m: NDArray[np.float64], random: np.random.Generator, *, seat_height_m: float | None
) -> NDArray[np.float32]:
    """Return the depth (H, W) [m] of random furniture, infinity where there is none.

    Args:
        camera: The camera.
        subject_m: (3) the point between the person's feet [m].
        random: Seeded generator.
        seat_height_m: Height of a seat to put under the person [m]; None: the person stands.
    """
    scene = _Scene(camera, subject_m)
    away, side = scene.away, scene.side
    for _ in range(random.poisson(3.0)):
        sideways = random.choice((-1.0, 1.0)) * random.uniform(0.35, 2.2)
        place = subject_m + side * sideways + away * random.normal(0.5, 0.7)
        kind = random.random()
        if kind < 0.6:
            size = (random.uniform(0.1, 1.6), random.gamma(2.0, 0.35) + 0.1, random.uniform(0.1, 0.9))
            lift = random.uniform(0.3, 1.8) if random.random() < 0.25 else 0.0
            scene.add_box(place, size, lift_m=lift, yaw_rad=random.uniform(0.0, np.pi))
        elif kind < 0.8:
            radius, height = random.uniform(0.02, 0.3), random.uniform(0.4, 2.0)
            scene.add_cylinder(place, radius, height)
        else:
            radii = random.uniform(0.08, 0.5, 3)
            place[1] = radii[1] + random.uniform(0.0, 1.2)
            scene.add_ellipsoid(place, radii)
    if seat_height_m is not None:
        # The seat reaches back from under the thighs.
        scene.add_seat(subject_m + away * random.uniform(0.25, 0.4), seat_height_m, random)
    elif random.random() < EMPTY_SEAT_FRACTION:
        near = random.random() < TOUCHING_FRACTION
        sideways = side * random.choice((-1.0, 1.0)) * (random.uniform(0.35, 0.8) if near else random.uniform(0.6, 1.8))
        behind = away * (random.uniform(-0.1, 0.4) if near else random.uniform(0.0, 0.8))
        scene.add_seat(subject_m + sideways + behind, random.uniform(0.38, 0.5), random)
    return scene.depth_m


def box_depth_m(
    camera: WorldCamera, foot_m: NDArray[np.float64], size_m: tuple[float, float, float], yaw_rad: float
) -> NDArray[np.float32]:
    """Return the depth (H, W) [m] of one upright box by the middle of its underside (3) [m], infinity elsewhere."""
    scene = _Scene(camera, foot_m)
    scene.add_box(foot_m, size_m, yaw_rad=yaw_rad)
    return scene.depth_m


def random_table_depth_m(
    camera: WorldCamera, subject_m: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float32]:
    """Return the depth (H, W) [m] of a table or a counter in front of the person, infinity elsewhere."""
    scene = _Scene(camera, subject_m)
    size = (random.uniform(0.5, 2.2), random.uniform(0.45, 1.0), random.uniform(0.3, 0.8))
    sideways, forward = random.normal(0.0, 0.25), random.uniform(0.25, 0.7) + size[2] / 2
    yaw_rad = -float(np.arctan2(scene.side[2], scene.side[0])) + random.normal(0.0, 0.2)
    scene.add_box(subject_m + scene.side * sideways - scene.away * forward, size, yaw_rad=yaw_rad)
    return scene.depth_m
