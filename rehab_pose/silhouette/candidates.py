"""Measures of the people in a reduced image, and the test whether each of them can be a person.

Glass, mirrors, screens and doors give surfaces of the size of a person. They are told apart by depth: a body has
relief, nearly all of it gives a return, and its surface is smooth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.geometry.gravity import turned_points
from rehab_pose.silhouette.bounding_box import bounding_box
from rehab_pose.silhouette.depth_people import MINIMUM_AREA_PX
from rehab_pose.silhouette.subject_selection import Candidate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.silhouette.depth_people import PeopleImage
    from rehab_pose.silhouette.settings import SilhouetteSettings

__all__ = ["Measured", "implausible_points", "largest_extent_m", "measured_people"]

MAX_POINTS = 500
"""Extents and planes of a surface are computed from about this many of its points."""
MAX_EXTENT_M = 2.6
"""Largest extent of a person with raised arms [m]."""
MIN_RELIEF_M = 0.022
"""Smallest RMS distance of a person's points from their best plane [m]. The chest alone is curved by more; a door or a
screen has the noise of the sensor, 0.01 at 3 m."""
MIN_RETURNS = 0.4
"""Smallest fraction of a person's pixels with a return; on glass most have none."""
MAX_ROUGHNESS = 0.015
"""Largest median distance of a pixel's depth from the median of its 3 x 3 neighbourhood, as a fraction of the depth.
The returns of glass are scattered between its surface and the room behind it."""
OUTERMOST_FRACTION = 0.01
"""Fraction of the points on each side that does not count for extents."""


@dataclass(frozen=True, eq=False)
class Measured:
    """One group of surfaces that may be a person."""

    candidate: Candidate
    problem: str
    """The reason why it is not a person; empty if it can be one."""


def measured_people(people: PeopleImage, settings: SilhouetteSettings) -> list[Measured]:
    """Return the measures of every labelled person that is not tiny."""
    result = []
    middle = (people.labels.shape[1] - 1) / 2.0
    sizes_px = np.bincount(people.labels.ravel())
    for label in (np.flatnonzero(sizes_px[1:] >= MINIMUM_AREA_PX) + 1).tolist():
        box = bounding_box(people.labels == label)
        inside, depth_m = people.labels[box] == label, people.depth_m[box]
        points_m = people.points_m[box][inside & np.isfinite(depth_m)]
        if len(points_m) < MINIMUM_AREA_PX // 2:
            continue
        centre_m = np.median(points_m[:: 1 + len(points_m) // MAX_POINTS], axis=0).astype(np.float64)
        candidate = Candidate(
            label=label,
            centre_m=turned_points(centre_m, -people.turns),
            extent_m=largest_extent_m(points_m),
            # The area of a pixel on the surface grows with the square of the distance.
            relative_area=float(len(points_m)) * float(centre_m[2]) ** 2,
            column_offset=abs((box[1].start + box[1].stop) / 2.0 - middle) / middle,
        )
        result.append(Measured(candidate, _problem(depth_m, inside, points_m, candidate, settings)))
    return result


def _problem(
    depth_m: NDArray[np.float32],
    inside: NDArray[np.bool_],
    points_m: NDArray[np.float32],
    candidate: Candidate,
    settings: SilhouetteSettings,
) -> str:
    """Return why a candidate with these pixels (h, w) in its part of the image is not a person; empty if it can be."""
    if candidate.centre_m[2] > settings.maximum_distance_m:
        return f"the person is {candidate.centre_m[2]:.1f} m away, more than maximum_distance_m"
    if candidate.extent_m < settings.minimum_extent_m:
        return f"the visible part is {candidate.extent_m:.2f} m large, less than minimum_extent_m"
    returns = len(points_m) / int(np.count_nonzero(inside))
    if returns < MIN_RETURNS:
        return f"only {100 * returns:.0f} % of the surface give a return, as on glass"
    roughness = _roughness(depth_m, inside) / float(candidate.centre_m[2])
    if roughness > MAX_ROUGHNESS:
        return f"the depth is scattered by {100 * roughness:.1f} % from pixel to pixel, as on glass"
    return implausible_points(points_m, candidate.extent_m)


def implausible_points(points_m: NDArray[np.float32], extent_m: float) -> str:
    """Return why points (N, 3) [m] with a largest extent [m] are not on a person; empty if they can be."""
    if extent_m > MAX_EXTENT_M:
        return f"the surface is {extent_m:.1f} m large, more than a person"
    relief_m = _relief_m(points_m)
    if relief_m < MIN_RELIEF_M:
        return f"the surface is flat to {1e3 * relief_m:.0f} mm, as a screen, a mirror or a door"
    return ""


def largest_extent_m(points_m: NDArray[np.float32]) -> float:
    """Return the largest extent of points (N, 3) in any direction, without the outermost ones [m]."""
    subset = points_m[:: 1 + len(points_m) // MAX_POINTS].astype(np.float64)
    centred = subset - subset.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    along = np.column_stack([centred @ axes[:, 2], centred])
    ordered = np.sort(along, axis=0)
    cut = int(OUTERMOST_FRACTION * len(ordered))
    return float((ordered[len(ordered) - 1 - cut] - ordered[cut]).max())


def _relief_m(points_m: NDArray[np.float32]) -> float:
    """Return the RMS distance of points (N, 3) from their best plane [m]."""
    subset = points_m[:: 1 + len(points_m) // MAX_POINTS].astype(np.float64)
    centred = subset - subset.mean(axis=0)
    smallest = np.linalg.eigvalsh(centred.T @ centred)[0] / len(subset)
    return float(np.sqrt(max(smallest, 0.0)))


def _roughness(depth_m: NDArray[np.float32], inside: NDArray[np.bool_]) -> float:
    """Return the median distance of the depth from the median of its 3 x 3 neighbourhood [m]."""
    is_return = np.isfinite(depth_m)
    depth = np.where(is_return, depth_m, np.float32(0.0))
    away = np.abs(depth - cv2.medianBlur(depth, 3))[inside & is_return]
    return float(np.median(away)) if len(away) else 0.0
