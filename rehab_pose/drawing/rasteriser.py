"""Rasteriser of closed meshes: depth, triangle ids and colour with a z-buffer on one core.

The inverse depth of a plane is linear in the image, so the rasteriser interpolates and compares inverse depths; the
result is the exact depth of the triangle at each pixel's centre. Triangles that face away from the camera are skipped,
as they are hidden in a closed mesh seen from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.arrays import frozen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.geometry.camera import CameraIntrinsics

__all__ = ["draw_mesh", "empty_buffers", "render_person", "shade", "vertex_normals"]

NEAREST_M = 0.05
"""Triangles with a corner nearer than this are skipped, not clipped [m]."""


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _rasterise(
    vertices: NDArray[np.float32],
    faces: NDArray[np.int32],
    camera: tuple[float, float, float, float],
    first_id: int,
    inverse_depth: NDArray[np.float32],
    triangle_id: NDArray[np.int32],
) -> None:
    """Draw triangles into the two buffers (H, W) where they are nearer than their content."""
    height, width = inverse_depth.shape
    fx, fy, cx, cy = camera
    count = vertices.shape[0]
    u, v, q = np.empty(count), np.empty(count), np.empty(count)
    for i in range(count):
        z = vertices[i, 2]
        q[i] = 1.0 / z if z > NEAREST_M else 0.0
        u[i] = fx * vertices[i, 0] * q[i] + cx
        v[i] = fy * vertices[i, 1] * q[i] + cy
    for face in range(faces.shape[0]):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        if q[a] == 0.0 or q[b] == 0.0 or q[c] == 0.0:
            continue
        ua, va, ub, vb, uc, vc = u[a], v[a], u[b], v[b], u[c], v[c]
        # Triangles are anticlockwise from outside; image rows increase downwards, so their area is negative.
        area = (ub - ua) * (vc - va) - (uc - ua) * (vb - va)
        if area >= 0.0:
            continue
        left = max(0, int(np.ceil(min(ua, ub, uc))))
        right = min(width - 1, int(np.floor(max(ua, ub, uc))))
        top = max(0, int(np.ceil(min(va, vb, vc))))
        bottom = min(height - 1, int(np.floor(max(va, vb, vc))))
        if left > right or top > bottom:
            continue
        scale = 1.0 / area
        # Barycentric weight of a corner: the edge function of the other two corners divided by the area.
        a_du, a_dv = -(vc - vb) * scale, (uc - ub) * scale
        b_du, b_dv = -(va - vc) * scale, (ua - uc) * scale
        a_row = a_du * (left - ub) + a_dv * (top - vb)
        b_row = b_du * (left - uc) + b_dv * (top - vc)
        qa, qb, qc = q[a], q[b], q[c]
        for row in range(top, bottom + 1):
            wa, wb = a_row, b_row
            for column in range(left, right + 1):
                wc = 1.0 - wa - wb
                if wa >= 0.0 and wb >= 0.0 and wc >= 0.0:
                    depth = np.float32(wa * qa + wb * qb + wc * qc)
                    if depth > inverse_depth[row, column]:
                        inverse_depth[row, column] = depth
                        triangle_id[row, column] = first_id + face
                wa += a_du
                wb += b_du
            a_row += a_dv
            b_row += b_dv


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def vertex_normals(vertices_m: NDArray[np.float32], faces: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the unit outward normals (V, 3) of the vertices: the area-weighted mean normal of their triangles."""
    normals = np.zeros_like(vertices_m)
    for face in range(faces.shape[0]):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        ax, ay, az = vertices_m[a, 0], vertices_m[a, 1], vertices_m[a, 2]
        px, py, pz = vertices_m[b, 0] - ax, vertices_m[b, 1] - ay, vertices_m[b, 2] - az
        qx, qy, qz = vertices_m[c, 0] - ax, vertices_m[c, 1] - ay, vertices_m[c, 2] - az
        nx, ny, nz = py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx
        for corner in (a, b, c):
            normals[corner, 0] += nx
            normals[corner, 1] += ny
            normals[corner, 2] += nz
    for i in range(normals.shape[0]):
        length = np.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2)
        if length > 0.0:
            normals[i] /= length
    return normals


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def _shade(  # noqa: PLR0913, PLR0917  (numba takes plain numbers and arrays)
    vertices: NDArray[np.float32],
    faces: NDArray[np.int32],
    brightness: NDArray[np.float32],
    face_colors: NDArray[np.float32],
    camera: tuple[float, float, float, float],
    first_id: int,
    triangle_id: NDArray[np.int32],
    color: NDArray[np.uint8],
) -> None:
    height, width = triangle_id.shape
    fx, fy, cx, cy = camera
    for row in range(height):
        for column in range(width):
            face = triangle_id[row, column] - first_id
            if face < 0 or face >= faces.shape[0]:
                continue
            a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
            # Intersection of the viewing ray with the triangle, as weights of the corners.
            rx, ry = (column - cx) / fx, (row - cy) / fy
            ax, ay = vertices[a, 0] - rx * vertices[a, 2], vertices[a, 1] - ry * vertices[a, 2]
            bx, by = vertices[b, 0] - rx * vertices[b, 2], vertices[b, 1] - ry * vertices[b, 2]
            qx, qy = vertices[c, 0] - rx * vertices[c, 2], vertices[c, 1] - ry * vertices[c, 2]
            wa, wb, wc = bx * qy - by * qx, qx * ay - qy * ax, ax * by - ay * bx
            total = wa + wb + wc
            if total == 0.0:
                continue
            light = (wa * brightness[a] + wb * brightness[b] + wc * brightness[c]) / total
            for k in range(3):
                color[row, column, k] = np.uint8(min(255.0, max(0.0, face_colors[face, k] * light)))


def empty_buffers(intrinsics: CameraIntrinsics) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return empty buffers: inverse depth (H, W) [1/m], all 0, and triangle id (H, W), all -1."""
    size = (intrinsics.height_px, intrinsics.width_px)
    return np.zeros(size, dtype=np.float32), np.full(size, -1, dtype=np.int32)


def draw_mesh(
    vertices_m: NDArray[np.float32],
    faces: NDArray[np.int32],
    intrinsics: CameraIntrinsics,
    inverse_depth: NDArray[np.float32],
    triangle_id: NDArray[np.int32],
    *,
    first_id: int = 0,
) -> None:
    """Draw a closed mesh into buffers made by `empty_buffers`, with occlusion between it and their content.

    Args:
        vertices_m: (V, 3) in the camera's optical frame [m].
        faces: (F, 3) anticlockwise from outside.
        intrinsics: The camera.
        inverse_depth: (H, W) [1/m], 0 = empty; changed.
        triangle_id: (H, W), -1 = empty; changed.
        first_id: Number of the first triangle.
    """
    points = frozen("vertices_m", vertices_m, ("V", 3), np.float32)
    camera = (float(intrinsics.fx), float(intrinsics.fy), float(intrinsics.cx), float(intrinsics.cy))
    _rasterise(points, faces, camera, first_id, inverse_depth, triangle_id)


def render_person(
    model: BodyModel, vertices_m: NDArray[np.float32], intrinsics: CameraIntrinsics
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return depth (H, W) [m] and triangle id (H, W) of a body; NaN and -1 outside the body.

    Args:
        model: Body model with the triangles.
        vertices_m: (V, 3) in the camera's optical frame [m].
        intrinsics: The camera; any size.
    """
    inverse_depth, triangle_id = empty_buffers(intrinsics)
    draw_mesh(vertices_m, model.faces, intrinsics, inverse_depth, triangle_id)
    inverse_depth[triangle_id < 0] = np.nan
    return np.float32(1.0) / inverse_depth, triangle_id


def shade(  # noqa: PLR0913, PLR0917  (a mesh, its appearance, a camera, two images)
    vertices_m: NDArray[np.float32],
    faces: NDArray[np.int32],
    brightness: NDArray[np.float32],
    face_colors: NDArray[np.float32],
    intrinsics: CameraIntrinsics,
    triangle_id: NDArray[np.int32],
    color: NDArray[np.uint8],
    *,
    first_id: int = 0,
) -> None:
    """Colour the pixels of a drawn mesh: the triangle's colour times the brightness interpolated between its corners.

    Args:
        vertices_m: (V, 3) in the camera's optical frame [m].
        faces: (F, 3).
        brightness: (V) factor of every vertex, from light and texture.
        face_colors: (F, 3) RGB, 0-255.
        intrinsics: The camera.
        triangle_id: (H, W) from `draw_mesh`.
        color: (H, W, 3) RGB; changed.
        first_id: Number of the mesh's first triangle.
    """
    camera = (float(intrinsics.fx), float(intrinsics.fy), float(intrinsics.cx), float(intrinsics.cy))
    _shade(vertices_m, faces, brightness, face_colors, camera, first_id, triangle_id, color)
