"""A picture of the bones inside the skin, seen from the front, the side and the back of the person."""

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
"""Turns of the person about the vertical: front, left side, back."""
DISTANCE_M = 30.0
"""Far away: sizes do not depend on the distance."""
LIGHT = np.array([-0.33, -0.42, -0.85], dtype=np.float32)
BONE_RGB, SKIN_RGB, PAPER_RGB = (242, 232, 208), (226, 184, 158), 255
SKIN_FRACTION = 0.28
FLIP = np.diag([1.0, -1.0, -1.0])
MARGIN = 1.06


def draw_bones(
    mesh: BoneMesh,
    skin: tuple[NDArray[np.float32], NDArray[np.int32]] | None,
    body_rotation: NDArray[np.float64],
    *,
    height_px: int = 520,
    views_rad: tuple[float, ...] = VIEWS_RAD,
) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) RGB with one view beside the other.

    Args:
        mesh: The bones.
        skin: Vertices (V, 3) [m] and triangles (F, 3) of the body, drawn over the bones as a veil; or None.
        body_rotation: (3, 3) whose columns are the person's left, up and front.
        height_px: Height of the picture.
        views_rad: Turns of the person, one a view.
    """
    outline = mesh.vertices_m if skin is None else skin[0]
    upright = outline @ body_rotation
    middle = 0.5 * (upright.min(axis=0) + upright.max(axis=0))
    size = MARGIN * (upright.max(axis=0) - upright.min(axis=0))
    pixels_a_m = height_px / float(size[1])
    views = []
    for angle_rad in views_rad:
        turn = matrices_from_axis_angles(np.array([0.0, -angle_rad, 0.0]))
        wide_m = float(abs(np.cos(angle_rad)) * size[0] + abs(np.sin(angle_rad)) * size[2])
        width_px = max(8, int(wide_m * pixels_a_m))
        camera = CameraIntrinsics(
            width_px=width_px,
            height_px=height_px,
            fx=pixels_a_m * DISTANCE_M,
            fy=pixels_a_m * DISTANCE_M,
            cx=0.5 * width_px,
            cy=0.5 * height_px,
        )
        move = body_rotation @ turn.T @ FLIP
        shift = np.array([0.0, 0.0, DISTANCE_M]) - middle @ turn.T @ FLIP
        picture = _drawn((mesh.vertices_m @ move + shift).astype(np.float32), mesh.faces, camera, BONE_RGB)
        if skin is not None:
            veil = _drawn((skin[0] @ move + shift).astype(np.float32), skin[1], camera, SKIN_RGB)
            picture = ((1.0 - SKIN_FRACTION) * picture + SKIN_FRACTION * veil).astype(np.uint8)
        views.append(picture)
    return np.hstack(views)


def _drawn(
    vertices: NDArray[np.float32], faces: NDArray[np.int32], camera: CameraIntrinsics, rgb: tuple[int, int, int]
) -> NDArray[np.uint8]:
    inverse_depth, triangle_id = empty_buffers(camera)
    draw_mesh(vertices, faces, camera, inverse_depth, triangle_id)
    picture = np.full((camera.height_px, camera.width_px, 3), PAPER_RGB, dtype=np.uint8)
    light = np.clip(vertex_normals(vertices, faces) @ LIGHT, 0.0, 1.0).astype(np.float32)
    colors = np.tile(np.array(rgb, dtype=np.float32), (len(faces), 1))
    shade(vertices, faces, np.float32(0.38) + np.float32(0.62) * light, colors, camera, triangle_id, picture)
    return picture
