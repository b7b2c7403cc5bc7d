"""Furniture around the simulated person: boxes, intersected exactly with the camera's rays.

What matters is not that a sofa looks like a sofa but that surfaces of every size and colour stand beside, behind and
before a person, at a person's distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose_sim.surfaces import Look, drawn_look

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_sim.settings import SimulationSettings

__all__ = ["Box", "draw_boxes", "furniture_of", "things_by_the_wall"]

TABLE_M = (1.5, 0.75, 0.5)
"""Width, height and depth of the table before the person [m]; solid down to the floor, as a cloth makes it."""
TABLE_NEAR_EDGE_M = 0.42
"""Clear floor between the middle of the person and the table: bent knees reach 0.35 m [m]."""
BESIDE_M = (0.5, 0.75)
"""Clear floor between the middle of the person and what stands beside: least and most [m]."""
BEHIND_M = (0.5, 0.8)
"""The same for what stands behind [m]."""
FACE_LIGHT = (0.72, 1.05, 0.88)
"""Brightness of a box's faces across x, y and z."""
MAX_THINGS = 5


@dataclass(frozen=True, eq=False)
class Box:
    """An upright box in the y-up world."""

    foot_m: tuple[float, float, float]
    """x, y, z of the middle of its underside [m]."""
    size_m: tuple[float, float, float]
    """Width, height, depth [m]."""
    yaw_rad: float
    """Turn about y."""
    look: Look


def furniture_of(settings: SimulationSettings) -> list[Box]:
    """Return the furniture that the settings ask for; its kinds, places and colours follow the seeds."""
    random = np.random.default_rng([settings.seed, 9, settings.background_seed])
    sides = (1.0, -1.0) if random.random() < 0.5 else (-1.0, 1.0)
    boxes: list[Box] = []
    if settings.furniture in {"beside", "around"}:
        boxes += _beside(random, sides[0])
    if settings.furniture == "around":
        boxes += _beside(random, sides[1])
        width, height = float(random.uniform(0.9, 1.8)), float(random.uniform(0.8, 1.9))
        away = -float(random.uniform(*BEHIND_M)) - 0.2
        place = (float(random.uniform(-0.4, 0.4)), 0.0, away)
        boxes.append(Box(place, (width, height, 0.4), float(random.uniform(-0.1, 0.1)), drawn_look(random)))
    if settings.furniture == "front":
        width, height, depth = TABLE_M
        # A table that reached past the middle between person and camera would fill the image.
        depth = min(depth, 0.5 * (settings.distance_m - TABLE_NEAR_EDGE_M))
        place = (float(random.uniform(-0.15, 0.15)), 0.0, TABLE_NEAR_EDGE_M + depth / 2.0)
        boxes.append(Box(place, (width, height, depth), 0.0, drawn_look(random)))
    return boxes


def _beside(random: np.random.Generator, side: float) -> list[Box]:
    """Return a cabinet, a chair or a sofa on one side (1: the image's right), slightly behind the person."""
    kind = ("cabinet", "chair", "sofa")[int(random.integers(3))]
    near, back = float(random.uniform(*BESIDE_M)), -float(random.uniform(0.15, 0.55))
    look = drawn_look(random)
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


def things_by_the_wall(random: np.random.Generator, wall_z_m: float) -> list[Box]:
    """Return shelves, cupboards, pictures and radiators along a wall at z = `wall_z_m`, none nearer than it is deep."""
    boxes = []
    for _ in range(int(random.integers(1, MAX_THINGS + 1))):
        depth, lift = float(random.uniform(0.03, 0.5)), 0.0
        width, height = float(random.uniform(0.3, 1.6)), float(random.uniform(0.3, 2.1))
        if depth < 0.15:
            lift = float(random.uniform(0.5, 1.6))
        place = (float(random.uniform(-2.4, 2.4)), lift, wall_z_m + depth / 2.0)
        boxes.append(Box(place, (width, height, depth), 0.0, drawn_look(random)))
    return boxes


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _meet(  # noqa: PLR0913, PLR0917  (numba takes plain numbers and arrays)
    depth_m: NDArray[np.float32],
    hit: NDArray[np.int16],
    eye_m: NDArray[np.float64],
    rays: NDArray[np.float64],
    foot_m: NDArray[np.float64],
    size_m: NDArray[np.float64],
    turn: tuple[float, float],
    number: int,
) -> None:
    """Slab method: where a ray enters the box before what it met so far, write its depth and 3 number + axis."""
    cosine, sine = turn
    x, z = eye_m[0] - foot_m[0], eye_m[2] - foot_m[2]
    origin = (cosine * x - sine * z, eye_m[1] - foot_m[1], sine * x + cosine * z)
    low = (-0.5 * size_m[0], 0.0, -0.5 * size_m[2])
    for row in range(depth_m.shape[0]):
        for column in range(depth_m.shape[1]):
            world = rays[row, column]
            ray = (cosine * world[0] - sine * world[2], world[1], sine * world[0] + cosine * world[2])
            enter, leave, entered = 0.0, np.inf, -1
            for axis in range(3):
                slope = ray[axis] if abs(ray[axis]) > 1e-12 else 1e-12
                first = (low[axis] - origin[axis]) / slope
                second = (low[axis] + size_m[axis] - origin[axis]) / slope
                if min(first, second) > enter:
                    enter, entered = min(first, second), axis
                leave = min(leave, max(first, second))
            if entered >= 0 and enter < leave and enter < depth_m[row, column]:
                depth_m[row, column] = enter
                hit[row, column] = 3 * number + entered


def draw_boxes(
    boxes: list[Box],
    eye_m: NDArray[np.float64],
    rays: NDArray[np.float64],
    depth_m: NDArray[np.float32],
    color: NDArray[np.uint8],
) -> None:
    """Put boxes into the images of a room, hiding and being hidden by what is there.

    Args:
        boxes: What to draw.
        eye_m: (3) the camera's centre in the world [m].
        rays: (H, W, 3) each pixel's direction in the world, of depth 1 in the camera.
        depth_m: (H, W) [m], infinity where there is nothing; changed.
        color: (H, W, 3) RGB; changed.
    """
    hit = np.full(depth_m.shape, -1, dtype=np.int16)
    for number, box in enumerate(boxes):
        turn = (float(np.cos(box.yaw_rad)), float(np.sin(box.yaw_rad)))
        _meet(depth_m, hit, eye_m, rays, np.array(box.foot_m), np.array(box.size_m), turn, number)
    for number, box in enumerate(boxes):
        for axis in range(3):
            seen = hit == 3 * number + axis
            if not seen.any():
                continue
            offset = eye_m + depth_m[seen][:, None] * rays[seen] - np.array(box.foot_m)
            cosine, sine = np.cos(box.yaw_rad), np.sin(box.yaw_rad)
            across = cosine * offset[:, 0] - sine * offset[:, 2]
            along = sine * offset[:, 0] + cosine * offset[:, 2]
            plane = ((along, offset[:, 1]), (across, along), (across, offset[:, 1]))[axis]
            color[seen] = np.clip(FACE_LIGHT[axis] * box.look.paint(*plane), 0.0, 255.0).astype(np.uint8)
