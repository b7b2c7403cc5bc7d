"""Evenly spaced points along the outer contour of each part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numba
import numpy as np

from rehab_pose.parts.classes import LIP_CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["part_contours"]


def part_contours(labels: NDArray[np.uint8], box_px: tuple[int, int, int, int], count: int) -> NDArray[np.float32]:
    """Return points (20, count, 2) u, v [px] on the longest outer contour of each part; NaN for absent parts.

    Args:
        labels: (h, w) LIP class over the box, 0 = background.
        box_px: x, y, width, height of the box in the full image [px].
        count: Number of points for each part.
    """
    contours_px = np.full((len(LIP_CLASSES), count, 2), np.nan, dtype=np.float32)
    extents = _extents(labels)
    for part in range(1, len(LIP_CLASSES)):
        left, top, right, bottom = extents[part].tolist()
        if right < left:
            continue
        # The contour is searched in the bounding box of the part: a search in the full box takes twenty times as long.
        window = labels[top : bottom + 1, left : right + 1] == part
        contours, _ = cv2.findContours(window.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        longest = max(contours, key=len)
        _evenly_spaced(longest.reshape(-1, 2), box_px[0] + left, box_px[1] + top, contours_px[part])
    return contours_px


@numba.njit("int32[:, ::1](uint8[:, ::1])", cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _extents(labels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return first column, first row, last column, last row (20, 4) of each class; last < first if it is absent."""
    extents = np.empty((20, 4), dtype=np.int32)
    extents[:, :2], extents[:, 2:] = max(labels.shape), -1
    for row in range(labels.shape[0]):
        for column in range(labels.shape[1]):
            part = labels[row, column]
            if part == 0:
                continue
            extents[part, 0] = min(extents[part, 0], column)
            extents[part, 1] = min(extents[part, 1], row)
            extents[part, 2] = max(extents[part, 2], column)
            extents[part, 3] = row
    return extents


@numba.njit("void(int32[:, ::1], int64, int64, float32[:, ::1])", cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _evenly_spaced(contour_px: NDArray[np.int32], left_px: int, top_px: int, points_px: NDArray[np.float32]) -> None:
    """Write points (count, 2) at equal steps along a closed contour (M, 2), translated by (left, top) [px]."""
    length, count = len(contour_px), len(points_px)
    along = np.zeros(length + 1)
    for i in range(length):
        following = (i + 1) % length
        du = contour_px[following, 0] - contour_px[i, 0]
        dv = contour_px[following, 1] - contour_px[i, 1]
        along[i + 1] = along[i] + np.sqrt(float(du * du + dv * dv))
    segment = 0
    for k in range(count):
        target = along[length] * k / count
        while segment < length - 1 and along[segment + 1] <= target:
            segment += 1
        step = along[segment + 1] - along[segment]
        fraction = (target - along[segment]) / step if step > 0 else 0.0
        following = (segment + 1) % length
        u = contour_px[segment, 0] + fraction * (contour_px[following, 0] - contour_px[segment, 0])
        v = contour_px[segment, 1] + fraction * (contour_px[following, 1] - contour_px[segment, 1])
        points_px[k, 0], points_px[k, 1] = left_px + u, top_px + v
