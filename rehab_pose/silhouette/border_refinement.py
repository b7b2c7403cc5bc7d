"""Refinement of a silhouette from the reduced image to full resolution.

Eq 7 of Ashraf et al. (2025) enlarges the reduced silhouette by nearest neighbour, which leaves steps of several
pixels. Here the confident pixels of the reduced image are the markers of a watershed on depth and colour at full
resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.silhouette.bounding_box import bounding_box
from rehab_pose.silhouette.watershed import HIGHEST_COST, OTHER, PERSON, UNDECIDED, flood

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ReducedSilhouette", "open_and_close", "refine_to_full_resolution"]

BAND_PX = 2
"""The silhouette may grow by this many pixels of the reduced image."""
SMOOTH_M = 0.1
"""A 3 x 3 neighbourhood of the reduced image with a smaller range of depth is one surface without an edge [m]."""
NEIGHBOURS = np.ones((3, 3), np.uint8)
"""Structuring element: a pixel and its eight neighbours."""


@dataclass(frozen=True, eq=False)
class ReducedSilhouette:
    """The subject in the reduced image."""

    person: NDArray[np.bool_]
    """(h, w) True on the subject; at least one pixel."""
    surely_person: NDArray[np.bool_]
    """(h, w) markers of the subject."""
    surely_other: NDArray[np.bool_]
    """(h, w) markers of the rest: room, furniture, other people."""
    depth_m: NDArray[np.float32]
    """(h, w) [m], NaN = no return."""
    rows: NDArray[np.intp]
    """(h) row of the full image that each reduced row was sampled from."""
    columns: NDArray[np.intp]
    """(w) column of the full image that each reduced column was sampled from."""


def open_and_close(inside: NDArray[np.bool_], kernel_px: int = 3) -> NDArray[np.bool_]:
    """Return a mask (h, w) after morphological opening and closing with an ellipse of k x k pixels (Eq 6)."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (kernel_px, kernel_px))
    # Without padding, opening would detach a person at the image border from it.
    padded = cv2.copyMakeBorder(
        inside.astype(np.uint8), kernel_px, kernel_px, kernel_px, kernel_px, cv2.BORDER_REPLICATE
    )
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel)
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, kernel)
    result: NDArray[np.bool_] = closed[kernel_px:-kernel_px, kernel_px:-kernel_px].astype(np.bool_)
    return result


def refine_to_full_resolution(
    reduced: ReducedSilhouette, depth_m: NDArray[np.float32], color: NDArray[np.uint8]
) -> tuple[tuple[int, int, int, int], NDArray[np.bool_]]:
    """Return the person's box (x, y, width, height) [px] in the full image and the silhouette (height, width) in it.

    Args:
        reduced: The person in the reduced image.
        depth_m: (H, W) depth image at full resolution [m].
        color: (H, W, 3) RGB.
    """
    margin = BAND_PX + 1
    rows, columns = bounding_box(reduced.person)
    top, bottom = max(rows.start - margin, 0), min(rows.stop + margin, reduced.person.shape[0])
    left, right = max(columns.start - margin, 0), min(columns.stop + margin, reduced.person.shape[1])
    part = slice(top, bottom), slice(left, right)
    scale_y, scale_x = depth_m.shape[0] / reduced.person.shape[0], depth_m.shape[1] / reduced.person.shape[1]
    # In an image smaller than the reduced one a sampled pixel may lie beyond the rounded border of the part.
    x0, x1 = (
        min(round(left * scale_x), reduced.columns[left]),
        max(round(right * scale_x), reduced.columns[right - 1] + 1),
    )
    y0, y1 = min(round(top * scale_y), reduced.rows[top]), max(round(bottom * scale_y), reduced.rows[bottom - 1] + 1)
    label = cv2.resize(_regions(reduced, part), (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
    sampled_rows, sampled_columns = reduced.rows[top:bottom] - y0, reduced.columns[left:right] - x0
    for seeds, value in ((reduced.surely_person[part], PERSON), (reduced.surely_other[part], OTHER)):
        seed_rows, seed_columns = np.nonzero(seeds)
        label[sampled_rows[seed_rows], sampled_columns[seed_columns]] = value
    flood(label, depth_m[y0:y1, x0:x1].copy(), color[y0:y1, x0:x1].copy(), HIGHEST_COST)
    return _cropped((x0, y0), label == PERSON)


def _regions(reduced: ReducedSilhouette, part: tuple[slice, slice]) -> NDArray[np.uint8]:
    """Return the initial label of a part of the reduced image: PERSON, OTHER, or UNDECIDED near edges."""
    depth_m = reduced.depth_m[part]
    valid = np.isfinite(depth_m)
    farthest = cv2.dilate(np.where(valid, depth_m, np.float32(0.0)), NEIGHBOURS)
    nearest = cv2.erode(np.where(valid, depth_m, np.float32(1e3)), NEIGHBOURS)
    smooth = valid & (farthest - nearest < SMOOTH_M)
    kernel = np.ones((2 * BAND_PX + 1, 2 * BAND_PX + 1), np.uint8)
    regions = np.full(depth_m.shape, UNDECIDED, dtype=np.uint8)
    regions[cv2.dilate(reduced.person[part].astype(np.uint8), kernel) == 0] = OTHER
    for seeds, value in ((reduced.surely_person[part], PERSON), (reduced.surely_other[part], OTHER)):
        inner = cv2.erode(seeds.astype(np.uint8), NEIGHBOURS, borderType=cv2.BORDER_REPLICATE)
        regions[(inner > 0) & smooth] = value
    return regions


def _cropped(origin: tuple[int, int], inside: NDArray[np.bool_]) -> tuple[tuple[int, int, int, int], NDArray[np.bool_]]:
    """Return the bounding box [px] of a mask whose first pixel is at `origin` (x, y), and the mask in it."""
    rows, columns = bounding_box(inside)
    x, y, width, height = columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start
    return (int(origin[0] + x), int(origin[1] + y), width, height), inside[rows, columns]
