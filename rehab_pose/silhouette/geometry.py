"""Find people without weights: what stands on the floor, is connected in depth and has a person's size.

The baseline that the network is measured against. It needs the floor or free space around the person: furniture that
touches the person at the same depth comes along, and arms held out before the trunk cut the person in two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.geometry.floor import height_above_floor_m
from rehab_pose.silhouette.people import join_surfaces, points_of_surfaces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["people_by_geometry"]

FLOOR_CLEARANCE_M = 0.04
SURFACE_GAP_RATIO = 0.03
"""Neighbouring pixels whose depths differ by more than this fraction lie on different surfaces."""
MAXIMUM_EXTENT_M = (2.3, 2.4, 1.6)
"""Largest width, height and depth extent of one person with outstretched arms [m]."""
MAX_AREA_M2 = 1.6
"""A large person with outstretched arms shows about 1.1 m^2 to the camera [m^2]."""
MINIMUM_HEIGHT_M = 0.7
MIN_PIXELS = 12
"""A smaller surface of the reduced image is noise or a finger; the border's refinement takes fingers back."""
FLATTEST_PERSON_M = 0.03
"""A person's surface is at least this far from any plane, root mean square: half a chest's depth is 0.1 m [m]."""
OUTERMOST_FRACTION = 0.02
"""Of a surface's points, so many on each side may be noise."""
MAX_POINTS = 400
"""A surface is measured on about this many of its points."""
BORDER_FRACTION = 0.5
"""A surface that touches the left or right image border over more than this fraction of its height is a wall."""


def people_by_geometry(
    depth_m: NDArray[np.float32],
    points_m: NDArray[np.float32],
    floor_plane: NDArray[np.float64],
    intrinsics: CameraIntrinsics,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return people in a reduced image, and how likely each of its pixels shows one.

    Args:
        depth_m: (h, w) [m], NaN = no return.
        points_m: (h, w, 3) the same in the camera's frame [m].
        floor_plane: (4), NaN when unknown.
        intrinsics: Of the reduced image.

    Returns:
        (h, w) a number a person, 0 elsewhere; and (h, w) 1 on people, 0.5 where geometry cannot say: at jumps of depth,
        right above the floor, and without a return.
    """
    seen = np.isfinite(depth_m)
    usable = seen.copy()
    if np.isfinite(floor_plane).all():
        with np.errstate(invalid="ignore"):
            height_m = height_above_floor_m(points_m, floor_plane)
            usable &= height_m > FLOOR_CLEARANCE_M
            on_floor = height_m < 0.5 * FLOOR_CLEARANCE_M
    else:
        on_floor = np.zeros(depth_m.shape, dtype=np.bool_)
    kernel = np.ones((3, 3), np.uint8)
    filled = np.where(usable, depth_m, np.float32(0.0))
    farthest = cv2.dilate(filled, kernel)
    nearest = cv2.erode(np.where(usable, depth_m, np.float32(1e3)), kernel)
    # Only the far side of a gap is cut away: the person in front keeps its full outline.
    edge = (farthest - nearest > np.float32(SURFACE_GAP_RATIO) * filled) & (
        filled - nearest > np.float32(SURFACE_GAP_RATIO / 2) * filled
    )
    surfaces = usable & ~edge
    count, found = cv2.connectedComponents(surfaces.astype(np.uint8), connectivity=4)
    probability = np.where(surfaces | on_floor, np.float32(0.0), np.float32(0.5))
    sizes_px = np.bincount(found.ravel(), minlength=count)
    # One pass keeps walls and floors from being measured point by point.
    squares_m2 = np.bincount(found.ravel(), weights=(filled * filled).ravel(), minlength=count)
    areas_m2 = squares_m2 / (intrinsics.fx * intrinsics.fy)
    possible = (sizes_px >= MIN_PIXELS) & (areas_m2 <= MAX_AREA_M2)
    labels = np.where(possible[found], found, 0).astype(np.int32)
    fitting = np.zeros(count, dtype=np.bool_)
    for label, points in points_of_surfaces(labels, points_m):
        fitting[label] = _fits_person(points) and not _runs_along_the_side(labels == label)
    groups = join_surfaces(np.where(fitting[labels], labels, 0).astype(np.int32), points_m)
    people = np.zeros(count, dtype=np.int32)
    for group, points in points_of_surfaces(groups, points_m):
        if _fits_person(points) and _extent_m(points)[1] >= MINIMUM_HEIGHT_M and not _is_flat(points):
            people[group] = group
    probability[people[groups] > 0] = 1.0
    return people[groups], probability


def _extent_m(points_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return width, height and depth (3) [m] of points (N, 3), but for the outermost of them on each side."""
    few = points_m[:: 1 + len(points_m) // MAX_POINTS]
    cut = int(OUTERMOST_FRACTION * len(few))
    ordered = np.partition(few, (cut, len(few) - 1 - cut), axis=0)
    extent: NDArray[np.float32] = ordered[len(few) - 1 - cut] - ordered[cut]
    return extent


def _fits_person(points_m: NDArray[np.float32]) -> bool:
    return bool((_extent_m(points_m) <= np.array(MAXIMUM_EXTENT_M)).all())


def _is_flat(points_m: NDArray[np.float32]) -> bool:
    """Tell whether points (N, 3) lie on a plane, as doors, cupboards and table tops do and people do not."""
    few = points_m[:: 1 + len(points_m) // MAX_POINTS].astype(np.float64)
    centred = few - np.median(few, axis=0)
    smallest = np.linalg.eigvalsh(centred.T @ centred)[0] / len(few)
    return bool(np.sqrt(max(smallest, 0.0)) < FLATTEST_PERSON_M)


def _runs_along_the_side(surface: NDArray[np.bool_]) -> bool:
    """Tell whether a surface (h, w) goes on beyond the image's left or right side, like a wall."""
    on_border = max(np.count_nonzero(surface[:, 0]), np.count_nonzero(surface[:, -1]))
    return bool(on_border > 0 and on_border >= BORDER_FRACTION * np.count_nonzero(surface.any(axis=1)))
