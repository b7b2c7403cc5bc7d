"""Segmentation of people by geometric rules: surfaces above the floor that are connected in depth and of human size.

This is the method `depth` of the settings and the baseline for the network. It needs the floor or free space around
the person: furniture that touches the person at the same depth is included, and arms in front of the trunk split the
person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.geometry.floor import height_above_floor_m
from rehab_pose.silhouette.surface_merging import merge_surfaces, points_of_surfaces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["people_by_geometry"]

FLOOR_CLEARANCE_M = 0.04
"""Points lower than this above the floor plane are not part of a surface [m]."""
SURFACE_GAP_RATIO = 0.03
"""Neighbouring pixels whose depths differ by more than this fraction are on different surfaces."""
MAXIMUM_EXTENT_M = (2.3, 2.4, 1.6)
"""Largest width, height and depth of one person with outstretched arms [m]."""
MAX_AREA_M2 = 1.6
"""Largest area of a surface; a large person with outstretched arms covers about 1.1 m^2 [m^2]."""
MINIMUM_HEIGHT_M = 0.7
"""Smallest height of a person [m]."""
MIN_PIXELS = 12
"""Surfaces with fewer pixels of the reduced image are ignored: noise, or fingers, which the refinement of the border
recovers."""
FLATTEST_PERSON_M = 0.03
"""Smallest RMS distance of a person's surface from its best plane [m]; half the depth of a chest is 0.1 m."""
OUTERMOST_FRACTION = 0.02
"""Fraction of a surface's points on each side that is left out of its extent as noise."""
MAX_POINTS = 400
"""Extents and planes of a surface are computed from about this many of its points."""
BORDER_FRACTION = 0.5
"""A surface is a wall if it touches the left or right image border over at least this fraction of its height."""


def people_by_geometry(
    depth_m: NDArray[np.float32],
    points_m: NDArray[np.float32],
    floor_plane: NDArray[np.float64],
    intrinsics: CameraIntrinsics,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the people in a reduced image and the probability of a person for each pixel.

    Args:
        depth_m: (h, w) [m], NaN = no return.
        points_m: (h, w, 3) points of the pixels in the camera's frame [m].
        floor_plane: (4) as in `FloorPlane.plane`; NaN = unknown.
        intrinsics: Camera of the reduced image.

    Returns:
        Labels (h, w) from 1, one for each person, 0 elsewhere; and probability (h, w): 1 on people, 0.5 where geometry
        does not decide (at jumps of depth, close to the floor, without a return), 0 elsewhere.
    """
    valid = np.isfinite(depth_m)
    usable = valid.copy()
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
    # Only the far side of a gap is removed, so that the outline of the person in front is complete.
    edge = (farthest - nearest > np.float32(SURFACE_GAP_RATIO) * filled) & (
        filled - nearest > np.float32(SURFACE_GAP_RATIO / 2) * filled
    )
    surfaces = usable & ~edge
    count, components = cv2.connectedComponents(surfaces.astype(np.uint8), connectivity=4)
    probability = np.where(surfaces | on_floor, np.float32(0.0), np.float32(0.5))
    sizes_px = np.bincount(components.ravel(), minlength=count)
    # Area and size are computed for all surfaces in one pass; walls and floors are then not measured point by point.
    squares_m2 = np.bincount(components.ravel(), weights=(filled * filled).ravel(), minlength=count)
    areas_m2 = squares_m2 / (intrinsics.fx * intrinsics.fy)
    possible = (sizes_px >= MIN_PIXELS) & (areas_m2 <= MAX_AREA_M2)
    labels = np.where(possible[components], components, 0).astype(np.int32)
    fitting = np.zeros(count, dtype=np.bool_)
    for label, points in points_of_surfaces(labels, points_m):
        fitting[label] = _fits_person(points) and not _is_wall(labels == label)
    groups = merge_surfaces(np.where(fitting[labels], labels, 0).astype(np.int32), points_m)
    people = np.zeros(count, dtype=np.int32)
    for group, points in points_of_surfaces(groups, points_m):
        if _fits_person(points) and _extent_m(points)[1] >= MINIMUM_HEIGHT_M and not _is_flat(points):
            people[group] = group
    probability[people[groups] > 0] = 1.0
    return people[groups], probability


def _extent_m(points_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return width, height and depth (3) [m] of points (N, 3) without OUTERMOST_FRACTION of them on each side."""
    subset = points_m[:: 1 + len(points_m) // MAX_POINTS]
    cut = int(OUTERMOST_FRACTION * len(subset))
    ordered = np.partition(subset, (cut, len(subset) - 1 - cut), axis=0)
    extent: NDArray[np.float32] = ordered[len(subset) - 1 - cut] - ordered[cut]
    return extent


def _fits_person(points_m: NDArray[np.float32]) -> bool:
    return bool((_extent_m(points_m) <= np.array(MAXIMUM_EXTENT_M)).all())


def _is_flat(points_m: NDArray[np.float32]) -> bool:
    """Return whether points (N, 3) are on a plane, as those of doors, cupboards and table tops do."""
    subset = points_m[:: 1 + len(points_m) // MAX_POINTS].astype(np.float64)
    centred = subset - np.median(subset, axis=0)
    smallest = np.linalg.eigvalsh(centred.T @ centred)[0] / len(subset)
    return bool(np.sqrt(max(smallest, 0.0)) < FLATTEST_PERSON_M)


def _is_wall(surface: NDArray[np.bool_]) -> bool:
    """Return whether a surface (h, w) continues beyond the left or the right side of the image, as a wall does."""
    on_border = max(np.count_nonzero(surface[:, 0]), np.count_nonzero(surface[:, -1]))
    return bool(on_border > 0 and on_border >= BORDER_FRACTION * np.count_nonzero(surface.any(axis=1)))
