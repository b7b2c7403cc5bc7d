"""Which depth point belongs to which vertex: projective association (Blais and Levine 1995).

A vertex that faces the camera is projected into the depth image; the point seen there is its partner if it is near. No
search is needed, and what hides a limb is too far before it to be taken for its surface.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.body.surface_objective import SurfacePoints, skin_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import Silhouette

__all__ = ["SurfaceMatcher"]

SPACING_M = 0.035
"""Vertices are thinned to one in a cube of this size: 24 triangles of 2 cm say no more than one [m]."""
FACING = 0.25
"""Cosine of the largest angle between a vertex' normal and the ray to the camera (75 degrees): beyond it, a pixel's
error sideways is a large one in depth."""
OUTLIER_M = 0.04
"""Scale of the Geman-McClure weight: clothes and skinning are this far off, somebody else's surface farther [m]."""


class SurfaceMatcher:
    """Finds the partners of a body model's vertices in the silhouette's depth."""

    def __init__(self, model: BodyModel) -> None:
        """Choose the vertices and measure their normals."""
        self._model = model
        cells = np.floor(model.v_template / SPACING_M).astype(np.int64)
        _, chosen = np.unique(cells, axis=0, return_index=True)
        self._chosen = np.sort(chosen)
        joints, weights = model.skin
        self._joints = np.ascontiguousarray(joints[self._chosen])
        self._weights = weights[self._chosen].astype(np.float64)
        self._template = model.v_template[self._chosen].astype(np.float64)
        self._shapedirs = model.shapedirs[self._chosen].astype(np.float64)
        self._normals = _vertex_normals(model)[self._chosen]

    @property
    def vertex_numbers(self) -> NDArray[np.int64]:
        """The chosen vertices (P)."""
        return self._chosen

    def match(  # noqa: PLR0913  (the posed body, and how it is matched)
        self,
        silhouette: Silhouette,
        rest_joints_m: NDArray[np.float64],
        positions_m: NDArray[np.float64],
        rotations: NDArray[np.float64],
        betas: NDArray[np.float64],
        *,
        shapes: int,
        reach_m: float,
        sigma_m: float,
        max_points: int,
    ) -> SurfacePoints:
        """Return vertices with the depth points they belong to.

        Args:
            silhouette: The person's depth.
            rest_joints_m: (24, 3) of the body with these betas [m].
            positions_m: (24, 3) its joints now [m].
            rotations: (24, 3, 3).
            betas: (B) its shape.
            shapes: How many of the betas are still unknown: these are left out of the points' rest.
            reach_m: A partner is at most this far along the ray [m].
            sigma_m: Error of a depth point as a measure of the body's surface [m].
            max_points: More than these are thinned evenly.
        """
        shaped = self._template + self._shapedirs @ betas
        posed, normals = np.empty_like(shaped), np.empty_like(shaped)
        skin_points(rest_joints_m, positions_m, rotations, shaped, self._joints, self._weights, posed)
        camera = silhouette.intrinsics.cropped(silhouette.box_px)
        targets, weight = np.empty_like(shaped), np.empty(len(shaped))
        _turn(rotations, self._normals, self._joints, self._weights, normals)
        pinhole = np.array([camera.fx, camera.fy, camera.cx, camera.cy])
        _match(posed, normals, silhouette.depth_m, pinhole, reach_m, targets, weight)
        found = np.flatnonzero(weight > 0.0)
        found = found[:: 1 + len(found) // (max_points + 1)]
        return SurfacePoints(
            rest_m=self._template[found] if shapes else shaped[found],
            shapedirs=np.ascontiguousarray(self._shapedirs[found, :, :shapes]),
            joints=self._joints[found],
            weights=self._weights[found],
            targets_m=targets[found],
            normals=normals[found],
            precision=weight[found] / sigma_m**2,
        )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _turn(
    rotations: NDArray[np.float64],
    rest_normals: NDArray[np.float64],
    joints: NDArray[np.int64],
    weights: NDArray[np.float64],
    normals: NDArray[np.float64],
) -> None:
    """Write the posed unit normals (P, 3): those at rest turned with the blended rotation."""
    for p in range(rest_normals.shape[0]):
        normals[p] = 0.0
        for k in range(joints.shape[1]):
            turn = rotations[joints[p, k]]
            for i in range(3):
                for j in range(3):
                    normals[p, i] += weights[p, k] * turn[i, j] * rest_normals[p, j]
        normals[p] /= max(np.sqrt((normals[p] ** 2).sum()), 1e-9)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _match(  # noqa: PLR0917  (compiled code takes plain arrays)
    posed: NDArray[np.float64],
    normals: NDArray[np.float64],
    depth_m: NDArray[np.float32],
    pinhole: NDArray[np.float64],
    reach_m: float,
    targets_m: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> None:
    """Write each vertex' depth point (P, 3) [m] and its weight (P), 0 where it has none."""
    height, width = depth_m.shape
    fx, fy, cx, cy = pinhole[0], pinhole[1], pinhole[2], pinhole[3]
    for p in range(posed.shape[0]):
        weight[p] = 0.0
        x, y, z = posed[p, 0], posed[p, 1], posed[p, 2]
        if z <= 0.1:
            continue
        toward = -(normals[p, 0] * x + normals[p, 1] * y + normals[p, 2] * z) / np.sqrt(x * x + y * y + z * z)
        column, row = int(np.floor(fx * x / z + cx + 0.5)), int(np.floor(fy * y / z + cy + 0.5))
        if toward < FACING or not (0 <= column < width and 0 <= row < height):
            continue
        there = depth_m[row, column]
        if not abs(there - z) < reach_m:
            continue
        targets_m[p, 0], targets_m[p, 1], targets_m[p, 2] = (column - cx) / fx * there, (row - cy) / fy * there, there
        distance = 0.0
        for i in range(3):
            distance += normals[p, i] * (posed[p, i] - targets_m[p, i])
        robust = OUTLIER_M**2 / (OUTLIER_M**2 + distance * distance)
        weight[p] = robust * robust


def _vertex_normals(model: BodyModel) -> NDArray[np.float64]:
    """Return unit normals (V, 3) of the mean body at rest, weighted by the triangles' areas."""
    corners = model.v_template[model.faces].astype(np.float64)
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros(model.v_template.shape)
    for corner in range(3):
        np.add.at(normals, model.faces[:, corner], areas)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    unit: NDArray[np.float64] = normals / np.maximum(length, 1e-12)
    return unit
