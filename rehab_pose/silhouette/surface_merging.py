"""Merging of surfaces that jumps of depth have separated into people.

A hand in front of the trunk is separated from it by a jump in depth, as is any object behind the person. A forearm in
front of the trunk separates the head and shoulders from the rest, and in a squat the thighs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.silhouette.bounding_box import bounding_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["merge_surfaces", "points_of_surfaces"]

LIMB_FRACTION = 0.3
"""A limb covers at most this fraction of the area of the rest of the person."""
LIMB_LATERAL_M = 0.8
"""Largest lateral distance of a limb's centre from the person's centre: a stretched forearm with its hand [m]."""
LIMB_IN_FRONT_M, LIMB_BEHIND_M = 0.9, 0.35
"""Largest distance of a limb's centre in front of and behind the person's centre [m]."""
TRUNK_LATERAL_M, TRUNK_BEHIND_M = 0.3, 0.45
"""Surfaces whose centres are closer than this, laterally and in depth, are one person: the distance of two people side
by side is larger [m]."""
GAP_PX = 2
"""Surfaces are neighbours if their pixels are at most this far apart, that is with at most one pixel between them."""
MAX_POINTS = 400
"""The centre of a surface is the median of about this many of its points."""
ROUNDS = 4
"""Number of merging rounds: hand to forearm, forearm to upper arm, upper arm to trunk, and one more."""


@dataclass
class _Surface:
    area_px: int
    centre_m: NDArray[np.float64]
    """(3) in the camera's frame [m]."""


def merge_surfaces(labels: NDArray[np.int32], points_m: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return people (h, w): all surfaces of a person take the label of the largest one.

    Args:
        labels: (h, w) surfaces, 0 = none.
        points_m: (h, w, 3) in the camera's frame [m], NaN = no return.
    """
    part = bounding_box(labels > 0)
    if not labels[part].size:
        return labels
    people = labels.copy()
    people[part] = _merged(labels[part], points_m[part])
    return people


def _merged(labels: NDArray[np.int32], points_m: NDArray[np.float32]) -> NDArray[np.int32]:
    merged = labels
    for _ in range(ROUNDS):
        if merged.max() == merged[merged > 0].min():
            break
        surfaces = _measured(merged, points_m)
        neighbours = _neighbours(merged)
        target = np.arange(int(merged.max()) + 1, dtype=np.int32)
        for label, surface in surfaces.items():
            # Surfaces of equal area are ordered by label, so that the targets have no cycle.
            larger = [
                other
                for other in neighbours.get(label, set()) & surfaces.keys()
                if (surfaces[other].area_px, -other) > (surface.area_px, -label)
                and _one_person(surface, surfaces[other])
            ]
            if larger:
                target[label] = max(larger, key=lambda other: (surfaces[other].area_px, -other))
        if (target == np.arange(len(target))).all():
            break
        for _ in range(ROUNDS):
            target = target[target]
        merged = target[merged]
    return merged


def _one_person(small: _Surface, large: _Surface) -> bool:
    lateral_m, _, behind_m = small.centre_m - large.centre_m
    limb = (
        small.area_px < LIMB_FRACTION * large.area_px
        and abs(lateral_m) < LIMB_LATERAL_M
        and -LIMB_IN_FRONT_M < behind_m < LIMB_BEHIND_M
    )
    return bool(limb or (abs(lateral_m) < TRUNK_LATERAL_M and abs(behind_m) < TRUNK_BEHIND_M))


def _measured(labels: NDArray[np.int32], points_m: NDArray[np.float32]) -> dict[int, _Surface]:
    """Return the area and the centre of every surface that has a return."""
    return {
        name: _Surface(len(points), np.median(points[:: 1 + len(points) // MAX_POINTS], axis=0).astype(np.float64))
        for name, points in points_of_surfaces(labels, points_m)
    }


def points_of_surfaces(
    labels: NDArray[np.int32], points_m: NDArray[np.float32]
) -> list[tuple[int, NDArray[np.float32]]]:
    """Return the label and the points (N, 3) [m] of every surface that has a return."""
    inside = np.flatnonzero((labels > 0) & np.isfinite(points_m[..., 2]))
    if not len(inside):
        return []
    owner = labels.ravel()[inside]
    order = np.argsort(owner, kind="stable")
    owner, points = owner[order], points_m.reshape(-1, 3)[inside[order]]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    ends = np.append(starts[1:], len(owner))
    return [(int(owner[start]), points[start:end]) for start, end in zip(starts, ends, strict=True)]


def _neighbours(labels: NDArray[np.int32]) -> dict[int, set[int]]:
    """Return the neighbours of every surface that has any."""
    height, width = labels.shape
    pairs: set[tuple[int, int]] = set()
    for gap in range(1, GAP_PX + 1):
        for down, right in ((0, gap), (gap, 0), (gap, gap), (gap, -gap)):
            first = labels[: height - down, max(-right, 0) : width - max(right, 0)]
            second = labels[down:, max(right, 0) : width + min(right, 0)]
            meet = (first != second) & (first > 0) & (second > 0)
            pairs.update(zip(first[meet].tolist(), second[meet].tolist(), strict=True))
    neighbours: dict[int, set[int]] = {}
    for one, other in pairs:
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    return neighbours
