"""A closed skin in one pose: whether points are inside, their depth, and the nearest point of the skin.

A point is inside where the winding number of the triangles about it, counted along a ray, is not zero. Vertices split
along seams do not change it, and where the skin intersects itself (an arm in the trunk) the inside of either part
counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.arrays import frozen
from rehab_pose.errors import ContractError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Surface"]

CELL_M = 0.015
"""Edge of the grid cells that triangles are sorted into [m]."""
SKEW_ROTATION = np.linalg.qr(np.array([[0.91, 0.37, -0.18], [-0.33, 0.92, 0.23], [0.25, -0.15, 0.96]]))[0]
"""Rotation (3, 3) to the axes of the rays, oblique to the body's so that no ray runs along an edge between
triangles."""


@dataclass(frozen=True, eq=False)
class Surface:
    """The skin of a body in one pose, with the joints in the same pose."""

    vertices_m: NDArray[np.float64]
    """(V, 3) [m]."""
    faces: NDArray[np.int32]
    """(F, 3) anticlockwise from outside."""
    joint_positions_m: NDArray[np.float64]
    """(24, 3) [m]."""
    joint_rotations: NDArray[np.float64]
    """(24, 3, 3) global."""

    def __post_init__(self) -> None:
        """Check shapes.

        Raises:
            ContractError: A face refers to a missing vertex.
        """
        checked = {
            "vertices_m": frozen("Surface.vertices_m", np.asarray(self.vertices_m, np.float64), ("V", 3), np.float64),
            "faces": frozen("Surface.faces", np.asarray(self.faces, np.int32), ("F", 3), np.int32),
            "joint_positions_m": frozen("Surface.joint_positions_m", self.joint_positions_m, (24, 3), np.float64),
            "joint_rotations": frozen("Surface.joint_rotations", self.joint_rotations, (24, 3, 3), np.float64),
        }
        for name, array in checked.items():
            object.__setattr__(self, name, array)
        if self.faces.size == 0 or self.faces.min() < 0 or self.faces.max() >= len(self.vertices_m):
            msg = f"Surface.faces: expected vertex indices from 0 to {len(self.vertices_m) - 1}"
            raise ContractError(msg)

    def contains(self, points_m: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return whether points (N, 3) [m] are inside (N)."""
        rotated, low, starts, order = self._columns
        points = np.ascontiguousarray(np.asarray(points_m, np.float64) @ SKEW_ROTATION.T)
        inside: NDArray[np.bool_] = _winding(points, rotated, low, starts, order) != 0
        return inside

    def nearest(self, points_m: NDArray[np.float64], reach_m: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the nearest point of the skin (N, 3) and its distance (N) [m]; infinity beyond `reach_m`."""
        triangles, low, counts, starts, order = self._cells
        points = np.ascontiguousarray(points_m, dtype=np.float64)
        closest, distance = np.zeros_like(points), np.empty(len(points))
        _nearest(points, reach_m, triangles, low, counts, starts, order, closest, distance)
        return closest, distance

    def depth_m(self, points_m: NDArray[np.float64], reach_m: float) -> NDArray[np.float64]:
        """Return the depth of points (N, 3) under the skin [m]: negative outside, +-infinity beyond `reach_m`."""
        _, distance = self.nearest(points_m, reach_m)
        return np.where(self.contains(points_m), distance, -distance)

    @cached_property
    def _triangles(self) -> NDArray[np.float64]:
        return np.ascontiguousarray(self.vertices_m[self.faces])

    @cached_property
    def _columns(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Triangles in the rays' axes, sorted by the columns of cells that they overlap."""
        rotated = np.ascontiguousarray(self._triangles @ SKEW_ROTATION.T)
        low = rotated.reshape(-1, 3).min(axis=0)
        size = np.ceil((rotated.reshape(-1, 3).max(axis=0) - low) / CELL_M).astype(np.int64) + 1
        size[2] = 1
        starts, order = _sorted_by_cell(rotated, low, size)
        return rotated, low, starts.reshape(size[0], size[1], 2), order

    @cached_property
    def _cells(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Triangles sorted by the cells that they overlap."""
        corners = self._triangles.reshape(-1, 3)
        low = corners.min(axis=0)
        size = np.ceil((corners.max(axis=0) - low) / CELL_M).astype(np.int64) + 1
        starts, order = _sorted_by_cell(self._triangles, low, size)
        return self._triangles, low, size, starts, order


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sorted_by_cell(  # noqa: C901  (loops over axes and cells)
    triangles: NDArray[np.float64], low: NDArray[np.float64], size: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the range of each cell in a list of triangles (C, 2), and the list; bounding boxes decide on overlap."""
    count = triangles.shape[0]
    boxes = np.empty((count, 6), np.int64)
    filled = np.zeros(size[0] * size[1] * size[2], np.int64)
    for t in range(count):
        for axis in range(3):
            a, b, c = triangles[t, 0, axis], triangles[t, 1, axis], triangles[t, 2, axis]
            first, last = int((min(a, b, c) - low[axis]) / CELL_M), int((max(a, b, c) - low[axis]) / CELL_M)
            boxes[t, axis] = max(0, min(first, size[axis] - 1))
            boxes[t, 3 + axis] = max(0, min(last, size[axis] - 1))
        for i in range(boxes[t, 0], boxes[t, 3] + 1):
            for j in range(boxes[t, 1], boxes[t, 4] + 1):
                for k in range(boxes[t, 2], boxes[t, 5] + 1):
                    filled[(i * size[1] + j) * size[2] + k] += 1
    places = np.empty((len(filled), 2), np.int64)
    total = 0
    for cell in range(len(filled)):
        places[cell, 0] = places[cell, 1] = total
        total += filled[cell]
    order = np.empty(total, np.int64)
    for t in range(count):
        for i in range(boxes[t, 0], boxes[t, 3] + 1):
            for j in range(boxes[t, 1], boxes[t, 4] + 1):
                for k in range(boxes[t, 2], boxes[t, 5] + 1):
                    cell = (i * size[1] + j) * size[2] + k
                    order[places[cell, 1]] = t
                    places[cell, 1] += 1
    return places, order


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _winding(
    points: NDArray[np.float64],
    triangles: NDArray[np.float64],
    low: NDArray[np.float64],
    places: NDArray[np.int64],
    order: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the winding number of the triangles about each point (N): signed crossings of the ray along +z."""
    out = np.zeros(points.shape[0], np.int64)
    for n in range(points.shape[0]):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        i, j = int(np.floor((x - low[0]) / CELL_M)), int(np.floor((y - low[1]) / CELL_M))
        if i < 0 or j < 0 or i >= places.shape[0] or j >= places.shape[1]:
            continue
        for place in range(places[i, j, 0], places[i, j, 1]):
            t = triangles[order[place]]
            ax, ay = t[0, 0] - x, t[0, 1] - y
            bx, by = t[1, 0] - x, t[1, 1] - y
            cx, cy = t[2, 0] - x, t[2, 1] - y
            u, v, w = bx * cy - by * cx, cx * ay - cy * ax, ax * by - ay * bx
            upward = u > 0.0 and v > 0.0 and w > 0.0
            if upward or (u < 0.0 and v < 0.0 and w < 0.0):
                height = (u * t[0, 2] + v * t[1, 2] + w * t[2, 2]) / (u + v + w)
                if height > z:
                    out[n] += 1 if upward else -1
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _nearest(  # noqa: C901, PLR0913, PLR0917  (compiled code takes plain arrays; loops over cells)
    points: NDArray[np.float64],
    reach: float,
    triangles: NDArray[np.float64],
    low: NDArray[np.float64],
    size: NDArray[np.int64],
    places: NDArray[np.int64],
    order: NDArray[np.int64],
    closest: NDArray[np.float64],
    distance: NDArray[np.float64],
) -> None:
    """Write the nearest point of the triangles (N, 3) and its distance (N); cells are searched in growing shells."""
    point = np.empty(3)
    rings = int(np.ceil(reach / CELL_M)) + 1
    cell, first, last = np.empty(3, np.int64), np.empty(3, np.int64), np.empty(3, np.int64)
    for n in range(points.shape[0]):
        best = reach * reach
        distance[n] = np.inf
        for axis in range(3):
            place = (points[n, axis] - low[axis]) / CELL_M
            cell[axis] = int(np.floor(place))
            first[axis] = max(0, int(np.floor(place - reach / CELL_M)))
            last[axis] = min(size[axis] - 1, int(np.floor(place + reach / CELL_M)))
        for ring in range(rings + 1):
            near = max(0.0, (ring - 1) * CELL_M)
            if near * near > best:
                break
            for i in range(max(first[0], cell[0] - ring), min(last[0], cell[0] + ring) + 1):
                for j in range(max(first[1], cell[1] - ring), min(last[1], cell[1] + ring) + 1):
                    face = abs(i - cell[0]) == ring or abs(j - cell[1]) == ring
                    for k in range(max(first[2], cell[2] - ring), min(last[2], cell[2] + ring) + 1):
                        if not face and abs(k - cell[2]) != ring:
                            continue
                        gap = 0.0
                        for axis, at in ((0, i), (1, j), (2, k)):
                            edge = low[axis] + at * CELL_M
                            short = max(edge - points[n, axis], points[n, axis] - edge - CELL_M, 0.0)
                            gap += short * short
                        if gap > best:
                            continue
                        index = (i * size[1] + j) * size[2] + k
                        for entry in range(places[index, 0], places[index, 1]):
                            square = _to_triangle(points[n], triangles[order[entry]], point)
                            if square < best:
                                best = square
                                distance[n] = np.sqrt(square)
                                closest[n] = point


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _to_triangle(p: NDArray[np.float64], t: NDArray[np.float64], out: NDArray[np.float64]) -> float:
    """Write the point of a triangle nearest to p and return the squared distance (Ericson 2005, 5.1.5)."""
    a, b, c = t[0], t[1], t[2]
    d1 = d2 = d3 = d4 = d5 = d6 = 0.0
    for k in range(3):
        ab, ac = b[k] - a[k], c[k] - a[k]
        d1 += ab * (p[k] - a[k])
        d2 += ac * (p[k] - a[k])
        d3 += ab * (p[k] - b[k])
        d4 += ac * (p[k] - b[k])
        d5 += ab * (p[k] - c[k])
        d6 += ac * (p[k] - c[k])
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    v, w = 0.0, 0.0
    if d1 <= 0.0 and d2 <= 0.0:
        v, w = 0.0, 0.0
    elif d3 >= 0.0 and d4 <= d3:
        v, w = 1.0, 0.0
    elif d6 >= 0.0 and d5 <= d6:
        v, w = 0.0, 1.0
    elif vc <= 0.0 <= d1 and d3 <= 0.0:
        v, w = d1 / (d1 - d3), 0.0
    elif vb <= 0.0 <= d2 and d6 <= 0.0:
        v, w = 0.0, d2 / (d2 - d6)
    elif va <= 0.0 and d4 >= d3 and d5 >= d6:
        w = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        v = 1.0 - w
    else:
        v, w = vb / (va + vb + vc), vc / (va + vb + vc)
    square = 0.0
    for k in range(3):
        out[k] = a[k] + v * (b[k] - a[k]) + w * (c[k] - a[k])
        square += (p[k] - out[k]) ** 2
    return square
