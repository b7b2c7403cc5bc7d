"""Regions of the image that the landmarks assign to the person: limbs as thick lines, trunk and head as areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import ImageJoints

__all__ = ["BodyZones", "ImageGrid", "arm_zones", "body_zones", "draw_limbs", "head_zone"]

MIN_VISIBILITY = 0.5
"""Lines are drawn between landmarks that are visible with at least this probability."""
SHIFT_BITS = 3
"""Fractional bits of the coordinates that OpenCV draws with."""
ARMS = (
    (11, 13, 0.055), (13, 15, 0.045), (15, 19, 0.05), (15, 17, 0.04), (15, 21, 0.04),
    (12, 14, 0.055), (14, 16, 0.045), (16, 20, 0.05), (16, 18, 0.04), (16, 22, 0.04),
)  # fmt: skip
"""Pairs of landmarks on the arms, and the radius of the limb between them [m]: half of the mean breadths of upper arm,
forearm and hand of adults (NASA-STD-3000), rounded."""
LEGS = ((23, 25, 0.08), (25, 27, 0.055), (24, 26, 0.08), (26, 28, 0.055))
"""The same for the legs."""
FEET = ((27, 31, 0.04), (29, 31, 0.04), (27, 29, 0.04), (28, 32, 0.04), (30, 32, 0.04), (28, 30, 0.04))
"""The same for the feet."""
TRUNK = (11, 12, 24, 23)
"""Corners of the trunk."""
HEAD = slice(0, 11)
"""Landmarks of the face."""
HEAD_RADIUS_M = 0.14
"""Radius of the head with its hair about the middle of the face, ears included [m]."""
HEAD_CORE_RADIUS_M = 0.11
"""Radius of a head without ears and the outermost hair [m]."""
MIN_TRUNK_CORNERS = 2
"""The trunk is drawn if at least this many of its corners are visible."""


@dataclass(frozen=True, eq=False)
class ImageGrid:
    """Pixels of an image that shows a part of the full image, enlarged or reduced."""

    origin_px: tuple[float, float]
    """Position of the first pixel in the full image [px]."""
    scale: float
    """Pixels of this image for one pixel of the full image."""
    shape: tuple[int, int]
    """Height and width [px]."""
    px_per_m: float
    """Pixels of this image that one metre covers at the person's distance [px/m]."""


@dataclass(frozen=True, eq=False)
class BodyZones:
    """Images of a grid that are 1 near the visible landmarks of some parts of the body."""

    body: NDArray[np.uint8]
    """(h, w) 1 near all parts."""
    limbs: NDArray[np.uint8]
    """(h, w) 1 near arms, legs and head."""
    thin: NDArray[np.uint8]
    """(h, w) 1 near arms, feet and head, which depth cameras often miss."""


def body_zones(joints: ImageJoints, grid: ImageGrid) -> BodyZones:
    """Return the zones of the body in a grid."""
    ends = _visible_ends(joints, grid)
    thin = np.zeros(grid.shape, np.uint8)
    _draw_lines(thin, ends, ARMS + FEET, grid)
    _draw_head(thin, joints, grid, HEAD_RADIUS_M)
    limbs = thin.copy()
    _draw_lines(limbs, ends, LEGS, grid)
    body = limbs.copy()
    trunk = (joints.pixels[list(TRUNK)] - grid.origin_px) * grid.scale
    if np.isfinite(trunk).all() and (joints.visibility[list(TRUNK)] >= MIN_VISIBILITY).sum() >= MIN_TRUNK_CORNERS:
        corners = np.round(trunk * (1 << SHIFT_BITS)).astype(np.int32)
        cv2.fillConvexPoly(body, corners, 1, shift=SHIFT_BITS)
    return BodyZones(body, limbs, thin)


def arm_zones(joints: ImageJoints, grid: ImageGrid, thickness: float = 1.0) -> NDArray[np.uint8]:
    """Return an image of the grid that is 1 near the visible landmarks of the arms.

    Args:
        joints: The landmarks.
        grid: Pixels of the result.
        thickness: Factor on the thickness of the limbs.
    """
    zones = np.zeros(grid.shape, np.uint8)
    _draw_lines(zones, _visible_ends(joints, grid), ARMS, grid, thickness)
    return zones


def head_zone(joints: ImageJoints, grid: ImageGrid) -> NDArray[np.uint8]:
    """Return an image of the grid that is 1 on the head if the face is visible."""
    zone = np.zeros(grid.shape, np.uint8)
    _draw_head(zone, joints, grid, HEAD_CORE_RADIUS_M)
    return zone


def draw_limbs(zones: NDArray[np.uint8], joints: ImageJoints, grid: ImageGrid, thickness: float) -> None:
    """Set an image of the grid to 1 near the visible arms, legs and feet, in place."""
    _draw_lines(zones, _visible_ends(joints, grid), ARMS + LEGS + FEET, grid, thickness)


def _draw_head(zones: NDArray[np.uint8], joints: ImageJoints, grid: ImageGrid, radius_m: float) -> None:
    """Draw a disc about the middle of the face if it is visible; the face is not visible from behind, the ears are."""
    visible = np.isfinite(joints.pixels[HEAD]).all(axis=1) & (joints.visibility[HEAD] >= MIN_VISIBILITY)
    if visible.any():
        centre = np.round((joints.pixels[HEAD][visible].mean(axis=0) - grid.origin_px) * grid.scale).astype(int)
        cv2.circle(zones, tuple(centre.tolist()), max(1, round(radius_m * grid.px_per_m)), 1, -1)


def _visible_ends(joints: ImageJoints, grid: ImageGrid) -> list[list[int] | None]:
    """Return the place of each landmark in a grid [2^-SHIFT_BITS px of the grid]; None = not visible."""
    ends = np.round((joints.pixels - grid.origin_px) * grid.scale * (1 << SHIFT_BITS))
    usable = np.isfinite(ends).all(axis=1) & (joints.visibility >= MIN_VISIBILITY)
    places = np.where(usable[:, None], ends, 0.0).astype(np.int64).tolist()
    return [place if visible else None for place, visible in zip(places, usable.tolist(), strict=True)]


def _draw_lines(
    zones: NDArray[np.uint8],
    ends: list[list[int] | None],
    bones: tuple[tuple[int, int, float], ...],
    grid: ImageGrid,
    thickness: float = 1.0,
) -> None:
    """Draw the bones whose ends are both visible."""
    for first, second, radius_m in bones:
        start, end = ends[first], ends[second]
        if start is not None and end is not None:
            width = max(1, round(2.0 * thickness * radius_m * grid.px_per_m))
            cv2.line(zones, start, end, 1, width, cv2.LINE_8, SHIFT_BITS)
