"""Surfaces to people: join again what jumps of depth have cut.

A hand held towards the camera is cut off from the trunk by a jump in depth, and so is whatever stands behind. A forearm
held across cuts the head and shoulders from the rest, and in a squat the thighs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["join_surfaces", "points_of_surfaces"]

LIMB_FRACTION = 0.3
"""An arm or a leg covers at most this fraction of what the rest of the person covers."""
LIMB_ASIDE_M = 0.8
"""The middle of a stretched forearm and hand is at most this far to the side of the person's middle [m]."""
LIMB_BEFORE_M, LIMB_BEHIND_M = 0.9, 0.35
"""How far before or behind the rest of the person a limb may be [m]."""
TRUNK_ASIDE_M, TRUNK_BEHIND_M = 0.3, 0.45
"""A surface whose middle is this near to another's, sideways and in depth, is the same person: two people who stand
side by side are farther apart [m]."""
GAP_PX = 2
"""Surfaces touch when at most one pixel lies between them."""
MAX_POINTS = 400
"""A surface's middle is the median of about this many of its points."""
ROUNDS = 4
"""Hand to forearm, forearm to upper arm, upper arm to trunk, and one to spare."""


@dataclass
class _Surface:
    area_px: int
    middle_m: NDArray[np.float64]


def join_surfaces(labels: NDArray[np.int32], points_m: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return people (h, w): the labels of surfaces that belong together replaced by the largest one's.

    Args:
        labels: (h, w) surfaces, 0 = none.
        points_m: (h, w, 3) in the camera's frame [m], NaN = no return.
    """
    rows, columns = np.flatnonzero(labels.any(axis=1)), np.flatnonzero(labels.any(axis=0))
    if not len(rows):
        return labels
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    people = labels.copy()
    people[part] = _joined(labels[part], points_m[part])
    return people


def _joined(labels: NDArray[np.int32], points_m: NDArray[np.float32]) -> NDArray[np.int32]:
    joined = labels
    for _ in range(ROUNDS):
        if joined.max() == joined[joined > 0].min():
            break
        surfaces = _measured(joined, points_m)
        neighbours = _touching(joined)
        target = np.arange(int(joined.max()) + 1, dtype=np.int32)
        for label, surface in surfaces.items():
            # Of two equally large ones the lower number is the larger: no circle can arise.
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
        joined = target[joined]
    return joined


def _one_person(small: _Surface, large: _Surface) -> bool:
    aside_m, _, behind_m = small.middle_m - large.middle_m
    limb = (
        small.area_px < LIMB_FRACTION * large.area_px
        and abs(aside_m) < LIMB_ASIDE_M
        and -LIMB_BEFORE_M < behind_m < LIMB_BEHIND_M
    )
    return bool(limb or (abs(aside_m) < TRUNK_ASIDE_M and abs(behind_m) < TRUNK_BEHIND_M))


def _measured(labels: NDArray[np.int32], points_m: NDArray[np.float32]) -> dict[int, _Surface]:
    """Return area and middle of every surface that has a return."""
    return {
        name: _Surface(len(points), np.median(points[:: 1 + len(points) // MAX_POINTS], axis=0).astype(np.float64))
        for name, points in points_of_surfaces(labels, points_m)
    }


def points_of_surfaces(
    labels: NDArray[np.int32], points_m: NDArray[np.float32]
) -> list[tuple[int, NDArray[np.float32]]]:
    """Return number and points (N, 3) [m] of every surface that has a return, found by one sort."""
    inside = np.flatnonzero((labels > 0) & np.isfinite(points_m[..., 2]))
    if not len(inside):
        return []
    owner = labels.ravel()[inside]
    order = np.argsort(owner, kind="stable")
    owner, points = owner[order], points_m.reshape(-1, 3)[inside[order]]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    ends = np.append(starts[1:], len(owner))
    return [(int(owner[start]), points[start:end]) for start, end in zip(starts, ends, strict=True)]


def _touching(labels: NDArray[np.int32]) -> dict[int, set[int]]:
    """Return which surfaces touch which."""
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
