"""End and branch points of a silhouette's medial axis (Zhang and Suen 1984)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["end_and_branch_points", "thin"]

NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=np.uint8)
"""Filter kernel that counts the neighbours of a pixel."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _thin(image: NDArray[np.uint8]) -> None:  # noqa: C901, PLR0912  (two sub-iterations over one list of pixels)
    """Thin an image (H, W) of 0 and 1 in place; its outermost pixels must be 0.

    Only border pixels can be removed, so the passes run over a list of them: first the outline, then also the
    neighbours of removed pixels.
    """
    width = image.shape[1]
    flat = image.reshape(-1)
    # Clockwise from the pixel above: P2 to P9 of the paper.
    around = np.array([-width, -width + 1, 1, width + 1, width, width - 1, -1, -width - 1])
    queued = np.zeros(flat.shape[0], dtype=np.bool_)
    border = np.empty(flat.shape[0], dtype=np.int64)
    removed = np.empty(flat.shape[0], dtype=np.int64)
    count = 0
    for pixel in range(flat.shape[0]):
        if flat[pixel]:
            for step in around:
                if not flat[pixel + step]:
                    border[count] = pixel
                    queued[pixel] = True
                    count += 1
                    break
    changed = True
    while changed:
        changed = False
        for last, begin in ((4, 2), (6, 0)):
            removed_count = 0
            for entry in range(count):
                pixel = border[entry]
                neighbours, transitions = 0, 0
                for k in range(8):
                    here = flat[pixel + around[k]]
                    neighbours += here
                    if not here and flat[pixel + around[(k + 1) % 8]]:
                        transitions += 1
                if 2 <= neighbours <= 6 and transitions == 1:
                    # P2 P4 P6 = 0 and P4 P6 P8 = 0 in the first pass, P2 P4 P8 = 0 and P2 P6 P8 = 0 in the second.
                    first_product = flat[pixel + around[0]] * flat[pixel + around[2]] * flat[pixel + around[last]]
                    second_product = flat[pixel + around[begin]] * flat[pixel + around[4]] * flat[pixel + around[6]]
                    if first_product == 0 and second_product == 0:
                        removed[removed_count] = pixel
                        removed_count += 1
            for entry in range(removed_count):
                flat[removed[entry]] = 0
            remaining = 0
            for entry in range(count):
                if flat[border[entry]]:
                    border[remaining] = border[entry]
                    remaining += 1
            count = remaining
            for entry in range(removed_count):
                for step in around:
                    below = removed[entry] + step
                    if flat[below] and not queued[below]:
                        border[count] = below
                        queued[below] = True
                        count += 1
            changed = changed or removed_count > 0


def thin(inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the medial axis (H + 2, W + 2) of a silhouette (H, W) as 0 and 1, with one pixel of margin."""
    padded = np.zeros((inside.shape[0] + 2, inside.shape[1] + 2), dtype=np.uint8)
    padded[1:-1, 1:-1] = inside
    _thin(padded)
    return padded


def end_and_branch_points(inside: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the end points (E, 2) and branch points (B, 2) of the medial axis as u, v [px].

    An end point has one neighbour on the axis, a branch point three or more. Connected branch pixels are one branch
    point, at their mean.
    """
    axis = thin(inside)
    neighbours = cv2.filter2D(axis, cv2.CV_8U, NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
    rows, columns = np.nonzero((axis == 1) & (neighbours == 1))
    ends = np.stack([columns, rows], axis=1).astype(np.float32) - 1.0
    branch = ((axis == 1) & (neighbours >= 3)).astype(np.uint8)
    count, _, _, centroids = cv2.connectedComponentsWithStats(branch, connectivity=8)
    branches = centroids[1:count].astype(np.float32).reshape(-1, 2) - 1.0
    return ends, branches
