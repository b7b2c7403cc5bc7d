"""The surfaces and furniture that the simulated person uses: a mat, a treatment couch, a bed, a chair, a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose_sim.furniture import Box
from rehab_pose_sim.scripted_posture import posture_of
from rehab_pose_sim.surfaces import SurfaceLook

if TYPE_CHECKING:
    from rehab_pose_sim.settings import SimulationSettings

__all__ = ["SEAT_HEIGHT_M", "SEAT_TO_FEET_M", "SUPPORT_HEIGHTS_M", "support_furniture", "support_height_m"]

SUPPORT_HEIGHTS_M = {"floor": 0.0, "mat": 0.015, "couch": 0.55, "bed": 0.46}
"""Height of the surface under the person [m]: a gymnastics mat, a low treatment couch, a bed."""
MAT_M, COUCH_M, BED_M = (0.65, 1.9), (0.7, 1.95), (1.0, 2.05)
"""Width and length [m]."""
CUSHION_M = 0.12
"""Thickness of a couch's cushion [m]."""
SEAT_HEIGHT_M = 0.44
"""Height of a chair's seat [m]."""
SEAT_TO_FEET_M = 0.2
"""Distance of a seated person's feet in front of the origin [m]; the pelvis is about as far behind it."""
CHAIR_M = (0.46, 0.44)
"""Width and depth of the seat [m]."""
TABLE_TOP_M, TABLE_SIZE_M, TABLE_NEAR_M = 0.74, (1.3, 0.6), 0.0
"""Height of a table's top, its width and depth, and its near edge in front of the origin [m]."""
MAT_LOOKS = ((70.0, 110.0, 190.0), (170.0, 70.0, 80.0), (80.0, 150.0, 120.0), (120.0, 100.0, 160.0))
COUCH_LOOKS = ((60.0, 80.0, 120.0), (50.0, 110.0, 110.0), (110.0, 100.0, 95.0), (210.0, 205.0, 195.0))
WOOD_LOOKS = ((150.0, 110.0, 70.0), (110.0, 80.0, 55.0), (190.0, 170.0, 140.0), (90.0, 90.0, 95.0))
"""Mean colours, of which the seed picks one."""


def support_height_m(settings: SimulationSettings) -> float:
    """Return the height of the surface that the subject rests on [m]."""
    return SUPPORT_HEIGHTS_M[_support(settings)]


def support_furniture(settings: SimulationSettings) -> list[Box]:
    """Return the boxes that the subject rests on, sits on and sits at; colours depend on the seed."""
    posture = posture_of(settings)
    random = np.random.default_rng([settings.seed, 12])
    looks = [choices[int(random.integers(len(choices)))] for choices in (MAT_LOOKS, COUCH_LOOKS, WOOD_LOOKS)]
    mat, couch, wood = (SurfaceLook(color, "plain", 0.2, 0.0) for color in looks)
    parts = _Furniture(posture.facing_rad + float(np.radians(settings.yaw_deg)))
    support, height = _support(settings), support_height_m(settings)
    across = posture.across
    if support == "mat":
        parts.add((0.0, 0.0, 0.0), (MAT_M[0], height, MAT_M[1]), mat, across=across)
    elif support == "couch":
        width, length = COUCH_M
        parts.add((0.0, height - CUSHION_M, 0.0), (width, CUSHION_M, length), couch, across=across)
        for z in (-0.35, 0.35):
            parts.add((0.0, 0.0, z * length), (0.5 * width, height - CUSHION_M, 0.08), wood, across=across)
    elif support == "bed":
        width, length = BED_M
        parts.add((0.0, 0.0, 0.0), (width, height, length), couch, across=across)
    if posture.seated:
        width, depth = CHAIR_M
        middle = -SEAT_TO_FEET_M
        for x in (-0.45, 0.45):
            for z in (-0.45, 0.45):
                parts.add((x * width, 0.0, middle + z * depth), (0.04, SEAT_HEIGHT_M - 0.05, 0.04), wood)
        parts.add((0.0, SEAT_HEIGHT_M - 0.05, middle), (width, 0.05, depth), wood)
        parts.add((0.0, SEAT_HEIGHT_M, middle - 0.5 * depth - 0.02), (width, 0.45, 0.04), wood)
    if posture.seated == "table":
        width, depth = TABLE_SIZE_M
        parts.add((0.0, TABLE_TOP_M - 0.03, TABLE_NEAR_M + 0.5 * depth), (width, 0.03, depth), wood)
        parts.add((0.0, 0.0, TABLE_NEAR_M + depth - 0.03), (width, TABLE_TOP_M - 0.03, 0.03), wood)
    return parts.boxes


def _support(settings: SimulationSettings) -> str:
    return posture_of(settings).support if settings.support == "usual" else settings.support


class _Furniture:
    """Boxes given in the person's axes: x to the left, z to the front."""

    def __init__(self, heading_rad: float) -> None:
        self._heading_rad = heading_rad
        self.boxes: list[Box] = []

    def add(
        self,
        foot_m: tuple[float, float, float],
        size_m: tuple[float, float, float],
        look: SurfaceLook,
        *,
        across: bool = False,
    ) -> None:
        """Add a box by the middle of its underside and its width, height and depth [m]."""
        yaw = self._heading_rad + (np.pi / 2.0 if across else 0.0)
        sine, cosine = np.sin(yaw), np.cos(yaw)
        x, y, z = foot_m
        self.boxes.append(Box((cosine * x + sine * z, y, cosine * z - sine * x), size_m, yaw, look))
