"""From the reduced silhouette to the whole image: each border pixel goes to the surface whose depth it shares.

Eq 7 of Ashraf et al. (2025) enlarges the small silhouette by nearest neighbour, which leaves steps of several pixels.
Here the band around the border is decided by the depth image itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["enlarge", "tidy"]

BAND_PX = 2
"""Width of the undecided band on both sides of the border, in reduced pixels."""
SAME_SURFACE_RATIO = 0.035
"""A pixel belongs to the person's surface when its depth is within this fraction of the person's nearby depth."""


def tidy(inside: NDArray[np.bool_], kernel_px: int = 3) -> NDArray[np.bool_]:
    """Open, then close with a k x k ellipse (Eq 6)."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (kernel_px, kernel_px))
    # Padding keeps a person who is cut by the image border attached to it.
    padded = cv2.copyMakeBorder(
        inside.astype(np.uint8), kernel_px, kernel_px, kernel_px, kernel_px, cv2.BORDER_REPLICATE
    )
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel)
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, kernel)
    result: NDArray[np.bool_] = closed[kernel_px:-kernel_px, kernel_px:-kernel_px].astype(np.bool_)
    return result


def enlarge(
    reduced: NDArray[np.bool_],
    reduced_depth_m: NDArray[np.float32],
    depth_m: NDArray[np.float32],
) -> tuple[tuple[int, int, int, int], NDArray[np.bool_]]:
    """Return the person's box (x, y, width, height) [px] in the whole image and the silhouette (height, width) in it.

    Args:
        reduced: (h, w) the person in the reduced image, not empty.
        reduced_depth_m: (h, w) its depth [m].
        depth_m: (H, W) the whole depth image [m].
    """
    height, width = depth_m.shape
    scale_y, scale_x = height / reduced.shape[0], width / reduced.shape[1]
    rows, columns = np.flatnonzero(reduced.any(axis=1)), np.flatnonzero(reduced.any(axis=0))
    top, bottom = max(rows[0] - BAND_PX, 0), min(rows[-1] + 1 + BAND_PX, reduced.shape[0])
    left, right = max(columns[0] - BAND_PX, 0), min(columns[-1] + 1 + BAND_PX, reduced.shape[1])
    small = reduced[top:bottom, left:right].astype(np.uint8)
    person_depth, other_depth = _surfaces(small, reduced_depth_m[top:bottom, left:right])

    x0, x1 = round(left * scale_x), round(right * scale_x)
    y0, y1 = round(top * scale_y), round(bottom * scale_y)
    size = (x1 - x0, y1 - y0)
    kernel = np.ones((2 * BAND_PX + 1, 2 * BAND_PX + 1), np.uint8)
    sure = cv2.erode(small, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    possible = cv2.dilate(small, kernel)
    likely = cv2.resize(small.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) >= 0.5
    sure_full = cv2.resize(sure, size, interpolation=cv2.INTER_NEAREST).astype(np.bool_)
    possible_full = cv2.resize(possible, size, interpolation=cv2.INTER_NEAREST).astype(np.bool_)
    person_full = cv2.resize(person_depth, size, interpolation=cv2.INTER_NEAREST)
    other_full = cv2.resize(other_depth, size, interpolation=cv2.INTER_NEAREST)

    depth = depth_m[y0:y1, x0:x1]
    with np.errstate(invalid="ignore"):
        to_person = np.abs(depth - person_full)
        to_other = np.abs(depth - other_full)
        same = to_person < np.float32(SAME_SURFACE_RATIO) * depth
        separable = np.abs(person_full - other_full) > np.float32(2 * SAME_SURFACE_RATIO) * depth
    # Where person and surroundings lie at one depth (feet on the floor) only the reduced shape can tell.
    by_depth = np.where(separable, same & (to_person < to_other), likely & same)
    # Beside a person lies the shadow of the sensor's projector, without a return: only what is surely inside is filled.
    inside = sure_full | (possible_full & by_depth)
    inside = _largest(tidy(inside))
    return _tight((x0, y0), inside)


def _surfaces(
    small: NDArray[np.uint8], depth_m: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return, for each reduced pixel, the depth of the nearest person pixel and of the nearest other pixel [m]."""
    seen = np.isfinite(depth_m)
    inner = cv2.erode(small, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE).astype(np.bool_) & seen
    outer = cv2.dilate(small, np.ones((3, 3), np.uint8)) == 0
    return _nearest_depth(inner, depth_m), _nearest_depth(outer & seen, depth_m)


def _nearest_depth(source: NDArray[np.bool_], depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
    if not source.any():
        return np.full(depth_m.shape, np.inf, dtype=np.float32)
    _, labels = cv2.distanceTransformWithLabels(
        (~source).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(labels.max()) + 1, dtype=np.float32)
    table[labels[source]] = depth_m[source]
    nearest: NDArray[np.float32] = table[labels]
    return nearest


def _largest(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the largest connected component (Eq 5)."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    if count <= 2:
        return inside
    largest: NDArray[np.bool_] = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return largest


def _tight(origin: tuple[int, int], inside: NDArray[np.bool_]) -> tuple[tuple[int, int, int, int], NDArray[np.bool_]]:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return (origin[0], origin[1], 0, 0), inside[:0, :0]
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    box = (int(origin[0] + left), int(origin[1] + top), int(right - left), int(bottom - top))
    return box, inside[top:bottom, left:right]
