"""Find people without weights: what stands on the floor, is connected in depth and has a person's size.

The baseline that the network is measured against. It needs the floor or free space around the person: furniture that
touches the person at the same depth comes along, and arms held out before the trunk cut the person in two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.geometry.floor import height_above_floor_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["people_by_geometry"]

FLOOR_CLEARANCE_M = 0.04
SURFACE_GAP_RATIO = 0.03
"""Neighbouring pixels whose depths differ by more than this fraction lie on different surfaces."""
MAXIMUM_EXTENT_M = (2.3, 2.4, 1.6)
"""Largest width, height and depth extent of one person with outstretched arms [m]."""
MINIMUM_HEIGHT_M = 0.7
BORDER_FRACTION = 0.5
"""A surface that touches the left or right image border over more than this fraction of its height is a wall."""


def people_by_geometry(
    depth_m: NDArray[np.float32], points_m: NDArray[np.float32], floor_plane: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return where people may be in a reduced image.

    Args:
        depth_m: (h, w) [m], NaN = no return.
        points_m: (h, w, 3) the same in the camera's frame [m].
        floor_plane: (4), NaN when unknown.

    Returns:
        (h, w) True on every surface of a person's size.
    """
    usable = np.isfinite(depth_m)
    if np.isfinite(floor_plane).all():
        with np.errstate(invalid="ignore"):
            usable &= height_above_floor_m(points_m, floor_plane) > FLOOR_CLEARANCE_M
    kernel = np.ones((3, 3), np.uint8)
    filled = np.where(usable, depth_m, np.float32(0.0))
    farthest = cv2.dilate(filled, kernel)
    nearest = cv2.erode(np.where(usable, depth_m, np.float32(1e3)), kernel)
    # Only the far side of a gap is cut away: the person in front keeps its full outline.
    edge = (farthest - nearest > np.float32(SURFACE_GAP_RATIO) * filled) & (
        filled - nearest > np.float32(SURFACE_GAP_RATIO / 2) * filled
    )
    count, labels, _, _ = cv2.connectedComponentsWithStats((usable & ~edge).astype(np.uint8), connectivity=4)
    people = np.zeros(depth_m.shape, dtype=np.bool_)
    for label in range(1, count):
        surface = labels == label
        if _has_persons_size(surface, points_m):
            people |= surface
    return people


def _has_persons_size(surface: NDArray[np.bool_], points_m: NDArray[np.float32]) -> bool:
    if np.count_nonzero(surface) < 60:
        return False
    low, high = np.percentile(points_m[surface], (2, 98), axis=0)
    extent = high - low
    if (extent > np.array(MAXIMUM_EXTENT_M)).any() or extent[1] < MINIMUM_HEIGHT_M:
        return False
    rows = np.flatnonzero(surface.any(axis=1))
    on_border = max(int(surface[:, 0].sum()), int(surface[:, -1].sum()))
    return on_border < BORDER_FRACTION * len(rows)
