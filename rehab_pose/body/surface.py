"""Correspondences between vertices and depth points by projective association (Blais and Levine 1995).

A vertex that faces the camera is projected into the depth image; the depth point at that pixel is its partner if it is
near. No search is needed, and an object that hides a limb is too far in front of it to be taken for its surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.body.surface_objective import SurfacePoints, skin_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import Silhouette

__all__ = ["SurfaceMatcher", "SurfaceMatches"]

SPACING_M = 0.035
"""Vertices are thinned to one in a cube of this size: neighbours closer than this add little [m]."""
FACING = 0.25
"""Cosine of the largest angle between a vertex' normal and the ray to the camera (75 degrees): on a steeper surface an
error of one pixel is a large error in depth."""
MIN_DEPTH_M = 0.1
"""Vertices nearer to the camera, or behind it, are not projected [m]."""
OUTLIER_M = 0.04
"""Scale of the Geman-McClure weight: errors of clothes and skinning are of this size, other people's surfaces are
farther [m]."""


NOT_SEEN, MATCHED, UNSUPPORTED = 0, 1, 2
"""States of a vertex: turned away, outside the box or behind another surface; with a depth point; visible from the
camera where the depth is larger or the person is not."""


@dataclass(frozen=True, eq=False)
class SurfaceMatches:
    """The vertices that have a depth point, and how well the depth supports each part of the body."""

    points: SurfacePoints
    matched: NDArray[np.int64]
    """(24) number of vertices of each joint's part that have a depth point."""
    unsupported: NDArray[np.int64]
    """(24) number of those that should be visible and are not: nothing of the person is there, or it is farther."""


class SurfaceMatcher:
    """Finds the depth points of a silhouette that belong to a body model's vertices."""

    def __init__(self, model: BodyModel) -> None:
        """Choose the vertices and compute their normals at rest."""
        cells = np.floor(model.v_template / SPACING_M).astype(np.int64)
        _, chosen = np.unique(cells, axis=0, return_index=True)
        self._chosen = np.sort(chosen)
        joints, weights = model.skin
        self._joints = np.ascontiguousarray(joints[self._chosen])
        self._weights = weights[self._chosen].astype(np.float64)
        self._part = np.argmax(model.weights[self._chosen], axis=1)
        self._template = model.v_template[self._chosen].astype(np.float64)
        self._shapedirs = model.shapedirs[self._chosen].astype(np.float64)
        self._last_shape: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        self._normals = _vertex_normals(model)[self._chosen]

    def match(  # noqa: PLR0913  (the posed body and the matching's limits)
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
    ) -> SurfaceMatches:
        """Return the vertices that have a depth point, with that point.

        Args:
            silhouette: The person's depth.
            rest_joints_m: (24, 3) of the body with these betas [m].
            positions_m: (24, 3) its posed joints [m].
            rotations: (24, 3, 3) its joints' global rotations.
            betas: (B) its shape coefficients.
            shapes: How many of the betas are unknowns of the fit: their effect is left out of the points at rest.
            reach_m: Largest difference in depth between a vertex and its partner [m].
            sigma_m: Error of a depth point as a measure of the body's surface [m].
            max_points: More correspondences are thinned evenly to this number.
        """
        shaped = self._shaped(betas)
        posed, normals = np.empty_like(shaped), np.empty_like(shaped)
        skin_points(rest_joints_m, positions_m, rotations, shaped, self._joints, self._weights, posed)
        camera = silhouette.intrinsics.cropped(silhouette.box_px)
        targets, weight, states = np.empty_like(shaped), np.empty(len(shaped)), np.empty(len(shaped), np.int8)
        _rotate_normals(rotations, self._normals, self._joints, self._weights, normals)
        pinhole = np.array([camera.fx, camera.fy, camera.cx, camera.cy])
        _match(posed, normals, silhouette.depth_m, pinhole, reach_m, targets, weight, states)
        matched = np.flatnonzero(weight > 0.0)
        matched = matched[:: 1 + len(matched) // (max_points + 1)]
        points = SurfacePoints(
            rest_m=self._template[matched] if shapes else shaped[matched],
            shapedirs=np.ascontiguousarray(self._shapedirs[matched, :, :shapes]),
            joints=self._joints[matched],
            weights=self._weights[matched],
            targets_m=targets[matched],
            normals=normals[matched],
            precision=weight[matched] / sigma_m**2,
        )
        counts = [np.bincount(self._part[states == state], minlength=24) for state in (MATCHED, UNSUPPORTED)]
        return SurfaceMatches(points, *counts)

    def _shaped(self, betas: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chosen vertices at rest (P, 3) [m] with these betas; those of the last betas are kept."""
        if self._last_shape is None or not np.array_equal(self._last_shape[0], betas):
            self._last_shape = (betas.copy(), self._template + self._shapedirs @ betas)
        return self._last_shape[1]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _rotate_normals(
    rotations: NDArray[np.float64],
    rest_normals: NDArray[np.float64],
    joints: NDArray[np.int64],
    weights: NDArray[np.float64],
    normals: NDArray[np.float64],
) -> None:
    """Write the posed unit normals (P, 3): those at rest, rotated with the blended rotation."""
    # Numbers instead of slices: an array for each vertex took most of the time.
    for p in range(rest_normals.shape[0]):
        x, y, z = 0.0, 0.0, 0.0
        for k in range(joints.shape[1]):
            joint, weight = joints[p, k], weights[p, k]
            for j in range(3):
                weighted = weight * rest_normals[p, j]
                x += weighted * rotations[joint, 0, j]
                y += weighted * rotations[joint, 1, j]
                z += weighted * rotations[joint, 2, j]
        length = max(np.sqrt(x * x + y * y + z * z), 1e-9)
        normals[p, 0], normals[p, 1], normals[p, 2] = x / length, y / length, z / length


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _match(  # noqa: PLR0913, PLR0917  (compiled code takes plain arrays)
    posed: NDArray[np.float64],
    normals: NDArray[np.float64],
    depth_m: NDArray[np.float32],
    pinhole: NDArray[np.float64],
    reach_m: float,
    targets_m: NDArray[np.float64],
    weight: NDArray[np.float64],
    states: NDArray[np.int8],
) -> None:
    """Write each vertex' depth point (P, 3) [m], its weight (P), 0 for a vertex without one, and its state (P)."""
    height, width = depth_m.shape
    fx, fy, cx, cy = pinhole[0], pinhole[1], pinhole[2], pinhole[3]
    for p in range(posed.shape[0]):
        weight[p], states[p] = 0.0, NOT_SEEN
        x, y, z = posed[p, 0], posed[p, 1], posed[p, 2]
        if z <= MIN_DEPTH_M:
            continue
        cosine = -(normals[p, 0] * x + normals[p, 1] * y + normals[p, 2] * z) / np.sqrt(x * x + y * y + z * z)
        column, row = int(np.floor(fx * x / z + cx + 0.5)), int(np.floor(fy * y / z + cy + 0.5))
        if cosine < FACING or not (0 <= column < width and 0 <= row < height):
            continue
        measured = depth_m[row, column]
        if not abs(measured - z) < reach_m:
            if not measured < z:
                states[p] = UNSUPPORTED
            continue
        states[p] = MATCHED
        targets_m[p, 0], targets_m[p, 1] = (column - cx) / fx * measured, (row - cy) / fy * measured
        targets_m[p, 2] = measured
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
