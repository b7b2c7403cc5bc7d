"""Places where the image network should look for a person whom the depth image alone does not show with certainty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.geometry.floor import height_above_floor_m
from rehab_pose.geometry.gravity import turned_points
from rehab_pose.silhouette.candidates import implausible_points, largest_extent_m
from rehab_pose.silhouette.depth_people import MINIMUM_AREA_PX
from rehab_pose.silhouette.depth_surfaces import label_surfaces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.silhouette.candidates import Measured
    from rehab_pose.silhouette.depth_people import PeopleImage

__all__ = ["Proposer"]

GAP_M = 0.1
"""Neighbouring pixels of the reduced image that differ more than this in depth are on different surfaces [m]."""
ABOVE_FLOOR_M = (0.08, 2.2)
"""Heights above the floor that people reach [m]."""
AREA_RANGE_M2 = (0.08, 2.0)
"""Areas of a visible person: head and shoulders, and a large person with outstretched arms [m^2]."""
MOST = 3
"""Number of surfaces that are proposed in turn, largest first."""
HOLD_FRAMES = 6
"""Each surface is proposed in this number of frames: the image network tries in every sixth frame."""


class Proposer:
    """Proposes the surfaces of a frame in turn, while there is no subject."""

    def __init__(self) -> None:
        self._frames = 0

    def propose(
        self, people: PeopleImage, measured: list[Measured], floor_plane: NDArray[np.float64]
    ) -> NDArray[np.bool_] | None:
        """Return the pixels (h, w) of a surface, or of all near surfaces; None where nothing gives a return.

        Args:
            people: The reduced image.
            measured: Groups of surfaces that failed a test; the largest one is proposed first.
            floor_plane: (4) as in `FloorPlane.plane` in the camera's frame; NaN = unknown.
        """
        best = max((entry.candidate for entry in measured), key=lambda c: c.relative_area, default=None)
        proposals = [] if best is None else [people.labels == best.label]
        proposals += _relief_surfaces(people, floor_plane)
        proposals.append(np.isfinite(people.depth_m))
        inside = proposals[self._frames // HOLD_FRAMES % len(proposals)]
        self._frames += 1
        return inside if inside.any() else None


def _relief_surfaces(people: PeopleImage, floor_plane: NDArray[np.float64]) -> list[NDArray[np.bool_]]:
    """Return the largest surfaces that are not flat and have the size of a person, largest first."""
    usable = np.isfinite(people.depth_m)
    if np.isfinite(floor_plane).all():
        plane = np.append(turned_points(floor_plane[:3], people.turns), floor_plane[3])
        with np.errstate(invalid="ignore"):
            height_m = height_above_floor_m(people.points_m, plane)
            usable &= (height_m > ABOVE_FLOOR_M[0]) & (height_m < ABOVE_FLOOR_M[1])
    labels, count = label_surfaces(people.depth_m, usable, GAP_M)
    depth_m = np.where(usable, people.depth_m, np.float32(0.0)).ravel()
    sizes_px = np.bincount(labels.ravel(), minlength=count)
    squares_m2 = np.bincount(labels.ravel(), weights=depth_m * depth_m, minlength=count)
    areas_m2 = squares_m2 / (people.intrinsics.fx * people.intrinsics.fy)
    fitting = (sizes_px >= MINIMUM_AREA_PX) & (areas_m2 > AREA_RANGE_M2[0]) & (areas_m2 < AREA_RANGE_M2[1])
    fitting[0] = False
    surfaces = []
    for label in sorted(np.flatnonzero(fitting).tolist(), key=lambda label: -areas_m2[label]):
        inside = labels == label
        points_m = people.points_m[inside]
        if not implausible_points(points_m, largest_extent_m(points_m)):
            surfaces.append(cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
        if len(surfaces) == MOST:
            break
    return surfaces
