"""Compiled loops over the points of a depth image for the search of the floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["INLIER_DISTANCE_M", "fractions", "moments"]

INLIER_DISTANCE_M = 0.03
"""Three standard deviations of a structured-light or stereo camera's depth at 3 m [m]."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def fractions(
    points: NDArray[np.float64], normals: NDArray[np.float64], offsets: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the fraction (K) of points (N, 3) [m] on each of the planes with normals (K, 3), and clearly below it."""
    count = len(points)
    x, y, z = points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()
    on_plane, below = np.empty(len(normals)), np.empty(len(normals))
    for plane in range(len(normals)):
        a, b, c = normals[plane]
        offset = offsets[plane]
        inliers, lower = 0, 0
        for point in range(count):
            height_m = x[point] * a + y[point] * b + z[point] * c + offset
            inliers += abs(height_m) < INLIER_DISTANCE_M
            lower += height_m < -3 * INLIER_DISTANCE_M
        on_plane[plane], below[plane] = inliers / count, lower / count
    return on_plane, below


# Compiled when it is imported: only an image with a floor needs it, which must not wait for the compiler.
@numba.njit(  # type: ignore[untyped-decorator]
    (numba.float64[:, ::1], numba.float64[::1], numba.float64[::1], numba.float64), cache=True, nogil=True
)
def moments(
    points: NDArray[np.float64], weights: NDArray[np.float64], normal: NDArray[np.float64], offset: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weighted mean (3) and covariance (3, 3) of the points (N, 3) [m] on a plane."""
    centre, covariance, total = np.zeros(3), np.zeros((3, 3)), 0.0
    near = np.empty(len(points), np.bool_)
    for point in range(len(points)):
        x, y, z = points[point]
        near[point] = abs(x * normal[0] + y * normal[1] + z * normal[2] + offset) < INLIER_DISTANCE_M
        if near[point]:
            weight = weights[point]
            total += weight
            centre[0] += weight * x
            centre[1] += weight * y
            centre[2] += weight * z
    centre /= total
    for point in range(len(points)):
        if near[point]:
            weight = weights[point] / total
            x, y, z = points[point, 0] - centre[0], points[point, 1] - centre[1], points[point, 2] - centre[2]
            covariance[0, 0] += weight * x * x
            covariance[0, 1] += weight * x * y
            covariance[0, 2] += weight * x * z
            covariance[1, 1] += weight * y * y
            covariance[1, 2] += weight * y * z
            covariance[2, 2] += weight * z * z
    covariance[1, 0], covariance[2, 0], covariance[2, 1] = covariance[0, 1], covariance[0, 2], covariance[1, 2]
    return centre, covariance
