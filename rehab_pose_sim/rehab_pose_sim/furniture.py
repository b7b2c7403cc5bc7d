"""Furniture around the simulated person, made of boxes that are intersected exactly with the camera's rays.

The shapes are simple. What matters for segmentation is that surfaces of every size and colour lie next to, behind and
in front of a person, at about the person's distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose_sim.rays import FACES, NO_SURFACE, box_axes, intersect_box
from rehab_pose_sim.surfaces import SurfaceLook, random_look

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_sim.settings import SimulationSettings

__all__ = ["Box", "draw_boxes", "furniture_from_settings", "wall_furniture"]

TABLE_M = (1.5, 0.75, 0.5)
"""Width, height and depth of the table in front of the person [m]; solid down to the floor, like one with a cloth."""
TABLE_NEAR_EDGE_M = 0.42
"""Free floor between the middle of the person and the table [m]: bent knees reach 0.35 m."""
SIDE_GAP_M = (0.5, 0.75)
"""Range of the free floor between the middle of the person and furniture at the side [m]."""
REAR_GAP_M = (0.5, 0.8)
"""Range of the free floor between the middle of the person and furniture behind [m]."""
FACE_LIGHT = (0.72, 1.05, 0.88)
"""Brightness factors of a box's faces across x, y and z: a lamp above and in front."""
MAX_WALL_ITEMS = 5


@dataclass(frozen=True, eq=False)
class Box:
    """An upright box in the y-up world."""

    foot_m: tuple[float, float, float]
    """x, y, z of the middle of its underside [m]."""
    size_m: tuple[float, float, float]
    """Width, height, depth [m]."""
    yaw_rad: float
    """Rotation about y [rad]."""
    look: SurfaceLook


def furniture_from_settings(settings: SimulationSettings) -> list[Box]:
    """Return the furniture that the settings ask for; kinds, places and colours depend on the two seeds only."""
    random = np.random.default_rng([settings.seed, 9, settings.background_seed])
    sides = (1.0, -1.0) if random.random() < 0.5 else (-1.0, 1.0)
    boxes: list[Box] = []
    if settings.furniture in {"beside", "around"}:
        boxes += _side_furniture(random, sides[0])
    if settings.furniture == "around":
        boxes += _side_furniture(random, sides[1])
        width, height = float(random.uniform(0.9, 1.8)), float(random.uniform(0.8, 1.9))
        away = -float(random.uniform(*REAR_GAP_M)) - 0.2
        place = (float(random.uniform(-0.4, 0.4)), 0.0, away)
        boxes.append(Box(place, (width, height, 0.4), float(random.uniform(-0.1, 0.1)), random_look(random)))
    if settings.furniture == "front":
        width, height, depth = TABLE_M
        # A table that reached past the middle between person and camera would fill the image.
        depth = min(depth, 0.5 * (settings.distance_m - TABLE_NEAR_EDGE_M))
        place = (float(random.uniform(-0.15, 0.15)), 0.0, TABLE_NEAR_EDGE_M + depth / 2.0)
        boxes.append(Box(place, (width, height, depth), 0.0, random_look(random)))
    return boxes


def _side_furniture(random: np.random.Generator, side: float) -> list[Box]:
    """Return a cabinet, a chair or a sofa on one side (1: the image's right), slightly behind the person."""
    kind = ("cabinet", "chair", "sofa")[int(random.integers(3))]
    near, back = float(random.uniform(*SIDE_GAP_M)), -float(random.uniform(0.15, 0.55))
    look = random_look(random)
    if kind == "cabinet":
        width, height = float(random.uniform(0.4, 0.9)), float(random.uniform(0.8, 1.9))
        return [Box((side * (near + width / 2.0), 0.0, back), (width, height, 0.45), 0.0, look)]
    if kind == "chair":
        middle = side * (near + 0.23)
        legs = [
            Box((middle + 0.2 * x, 0.0, back + 0.2 * z), (0.04, 0.42, 0.04), 0.0, look)
            for x in (-1.0, 1.0)
            for z in (-1.0, 1.0)
        ]
        seat = Box((middle, 0.42, back), (0.46, 0.05, 0.46), 0.0, look)
        return [*legs, seat, Box((middle, 0.47, back - 0.21), (0.46, 0.45, 0.04), 0.0, look)]
    width = float(random.uniform(1.3, 2.0))
    middle = side * (near + width / 2.0)
    arms = [Box((middle + 0.5 * x * (width - 0.18), 0.0, back), (0.18, 0.6, 0.8), 0.0, look) for x in (-1.0, 1.0)]
    seat = Box((middle, 0.0, back), (width, 0.42, 0.8), 0.0, look)
    return [seat, Box((middle, 0.42, back - 0.32), (width, 0.42, 0.16), 0.0, look), *arms]


def wall_furniture(random: np.random.Generator, wall_z_m: float) -> list[Box]:
    """Return shelves, cupboards, pictures and radiators whose backs touch the wall at z = `wall_z_m` [m]."""
    boxes = []
    for _ in range(int(random.integers(1, MAX_WALL_ITEMS + 1))):
        depth, lift = float(random.uniform(0.03, 0.5)), 0.0
        width, height = float(random.uniform(0.3, 1.6)), float(random.uniform(0.3, 2.1))
        if depth < 0.15:
            lift = float(random.uniform(0.5, 1.6))
        place = (float(random.uniform(-2.4, 2.4)), lift, wall_z_m + depth / 2.0)
        boxes.append(Box(place, (width, height, depth), 0.0, random_look(random)))
    return boxes


def draw_boxes(
    boxes: list[Box],
    eye_m: NDArray[np.float64],
    rays: NDArray[np.float64],
    depth_m: NDArray[np.float32],
    color: NDArray[np.uint8],
) -> None:
    """Put boxes into the images of a room; the nearest surface of each pixel stays visible.

    Args:
        boxes: The boxes.
        eye_m: (3) the camera's centre in the world [m].
        rays: (H, W, 3) each pixel's direction in the world, of depth 1 in the camera.
        depth_m: (H, W) [m], infinity where there is no surface; changed.
        color: (H, W, 3) RGB; changed.
    """
    hit = np.full(depth_m.shape, NO_SURFACE, dtype=np.int16)
    for number, box in enumerate(boxes):
        geometry = (np.array(box.foot_m), np.array(box.size_m), float(box.yaw_rad))
        intersect_box(depth_m, hit, number, (eye_m, rays), geometry)
    for number, box in enumerate(boxes):
        for axis in range(FACES):
            visible = hit == FACES * number + axis
            if not visible.any():
                continue
            points_m = eye_m + depth_m[visible][:, None] * rays[visible]
            across, up, along = box_axes(points_m, np.array(box.foot_m), box.yaw_rad)
            plane = ((along, up), (across, along), (across, up))[axis]
            color[visible] = np.clip(FACE_LIGHT[axis] * box.look.paint(*plane), 0.0, 255.0).astype(np.uint8)
