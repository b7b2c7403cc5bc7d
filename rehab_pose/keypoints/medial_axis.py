"""End and branch points of a silhouette's medial axis (Zhang and Suen 1984)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["end_and_branch_points"]

NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=np.uint8)


def end_and_branch_points(inside: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the end points (E, 2) and branch points (B, 2) of the medial axis as u, v [px].

    An end has one neighbour on the axis, a branch three or more. Branch pixels that touch each other are one branch:
    their mean is given.
    """
    # OpenCV's thinning never removes pixels on the image border: one pixel of padding makes it Zhang and Suen's.
    padded = cv2.copyMakeBorder(inside.astype(np.uint8) * 255, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    axis = (cv2.ximgproc.thinning(padded, thinningType=cv2.ximgproc.THINNING_ZHANGSUEN) > 0).astype(np.uint8)
    neighbours = cv2.filter2D(axis, cv2.CV_8U, NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
    rows, columns = np.nonzero((axis == 1) & (neighbours == 1))
    ends = np.stack([columns, rows], axis=1).astype(np.float32) - 1.0
    branch = ((axis == 1) & (neighbours >= 3)).astype(np.uint8)
    count, _, _, centroids = cv2.connectedComponentsWithStats(branch, connectivity=8)
    branches = centroids[1:count].astype(np.float32).reshape(-1, 2) - 1.0
    return ends, branches
