"""Picture of the bones inside the skin from the front, the left side and the back of the person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.drawing.rasteriser import draw_mesh, empty_buffers, shade, vertex_normals
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.geometry.rotations import matrices_from_axis_angles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import BoneMesh

__all__ = ["VIEWS_RAD", "draw_bones"]

VIEWS_RAD = (0.0, 0.5 * np.pi, np.pi)
"""Rotations of the person about the vertical axis: front, left side, back [rad]."""
DISTANCE_M = 30.0
"""Distance of the camera; large, so that the projection is nearly orthographic [m]."""
LIGHT = np.array([-0.33, -0.42, -0.85], dtype=np.float32)
"""Unit vector towards the light in the camera's frame."""
BONE_RGB, SKIN_RGB, PAPER_RGB = (242, 232, 208), (226, 184, 158), 255
"""Colours of bones, skin and background [0-255]."""
SKIN_OPACITY = 0.28
"""Opacity of the skin over the bones."""
FLIP = np.diag([1.0, -1.0, -1.0])
"""Rotation from a frame with y up and z towards the camera to the optical frame."""
MARGIN = 1.06
"""Ratio of the size of the picture to that of the person."""
AMBIENT, DIFFUSE = np.float32(0.38), np.float32(0.62)
"""Brightness of a surface in the shadow, and the addition for one that faces the light."""


def draw_bones(
    mesh: BoneMesh,
    skin: tuple[NDArray[np.float32], NDArray[np.int32]] | None,
    body_rotation: NDArray[np.float64],
    *,
    height_px: int = 520,
    views_rad: tuple[float, ...] = VIEWS_RAD,
) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) RGB of all views, from left to right.

    Args:
        mesh: The bones.
        skin: Vertices (V, 3) [m] and triangles (F, 3) of the body, drawn transparently over the bones; or None.
        body_rotation: (3, 3) whose columns are the person's left, up and front.
        height_px: Height of the picture [px].
        views_rad: Rotation of the person about the vertical axis in each view [rad].
    """
    outline = mesh.vertices_m if skin is None else skin[0]
    upright = outline @ body_rotation
    middle = 0.5 * (upright.min(axis=0) + upright.max(axis=0))
    size = MARGIN * (upright.max(axis=0) - upright.min(axis=0))
    px_per_m = height_px / float(size[1])
    views = []
    for angle_rad in views_rad:
        rotation = matrices_from_axis_angles(np.array([0.0, -angle_rad, 0.0]))
        width_m = float(abs(np.cos(angle_rad)) * size[0] + abs(np.sin(angle_rad)) * size[2])
        width_px = max(8, int(width_m * px_per_m))
        camera = CameraIntrinsics(
            width_px=width_px,
            height_px=height_px,
            fx=px_per_m * DISTANCE_M,
            fy=px_per_m * DISTANCE_M,
            cx=0.5 * width_px,
            cy=0.5 * height_px,
        )
        camera_rotation = body_rotation @ rotation.T @ FLIP
        shift = np.array([0.0, 0.0, DISTANCE_M]) - middle @ rotation.T @ FLIP
        picture = _draw_shaded(
            (mesh.vertices_m @ camera_rotation + shift).astype(np.float32), mesh.faces, camera, BONE_RGB
        )
        if skin is not None:
            skin_picture = _draw_shaded(
                (skin[0] @ camera_rotation + shift).astype(np.float32), skin[1], camera, SKIN_RGB
            )
            picture = ((1.0 - SKIN_OPACITY) * picture + SKIN_OPACITY * skin_picture).astype(np.uint8)
        views.append(picture)
    return np.hstack(views)


def _draw_shaded(
    vertices: NDArray[np.float32], faces: NDArray[np.int32], camera: CameraIntrinsics, rgb: tuple[int, int, int]
) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) of a shaded mesh on white."""
    inverse_depth, triangle_id = empty_buffers(camera)
    draw_mesh(vertices, faces, camera, inverse_depth, triangle_id)
    picture = np.full((camera.height_px, camera.width_px, 3), PAPER_RGB, dtype=np.uint8)
    light = np.clip(vertex_normals(vertices, faces) @ LIGHT, 0.0, 1.0).astype(np.float32)
    colors = np.tile(np.array(rgb, dtype=np.float32), (len(faces), 1))
    shade(vertices, faces, AMBIENT + DIFFUSE * light, colors, camera, triangle_id, picture)
    return picture
