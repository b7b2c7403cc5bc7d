"""Draw what was found over the colour image: silhouette, joints, mesh, label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.simulation.renderer import render_person
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import Body, Joints, RgbdFrame, Silhouette
    from rehab_pose.pipeline import PipelineResult

__all__ = ["draw_overlay", "tile"]

SILHOUETTE_RGB = (60, 200, 120)
LEFT_RGB = (80, 160, 255)
RIGHT_RGB = (255, 120, 80)
MIDDLE_RGB = (255, 220, 60)
MESH_RGB = np.array((225.0, 205.0, 190.0))
TINT = 0.35
MESH_OPACITY = 0.85
AMBIENT = 0.35
TEXT_HEIGHT_PX = 22


def draw_overlay(frame: RgbdFrame, result: PipelineResult, model: BodyModel) -> NDArray[np.uint8]:
    """Return an RGB picture (H, 2 W, 3): silhouette and joints on the left, the mesh on the right."""
    left = np.array(frame.color)
    right = np.array(frame.color)
    if result.silhouette is not None:
        _tint(left, result.silhouette)
    if result.joints is not None:
        _draw_joints(left, result.joints, frame)
    if result.body is not None and len(result.body.vertices_m):
        _draw_mesh(right, result.body, model, frame)
    recognition = result.exercise.recognition
    _write(left, f"{recognition.label} {recognition.confidence:.2f}")
    return np.hstack([left, right])


def tile(pictures: Sequence[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    """Return pictures of one size (H, W, 3) laid out in rows; the last row is filled with black."""
    rows = []
    blank = np.zeros_like(pictures[0])
    for start in range(0, len(pictures), columns):
        row = list(pictures[start : start + columns])
        rows.append(np.hstack(row + [blank] * (columns - len(row))))
    return np.vstack(rows)


def _tint(picture: NDArray[np.uint8], silhouette: Silhouette) -> None:
    x, y, width, height = silhouette.box_px
    region = picture[y : y + height, x : x + width]
    color = np.array(SILHOUETTE_RGB, dtype=np.float32)
    blended = (1.0 - TINT) * region[silhouette.inside] + TINT * color
    region[silhouette.inside] = blended.astype(np.uint8)
    outlines, _ = cv2.findContours(silhouette.inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    shifted = [outline + np.array([[x, y]]) for outline in outlines]
    cv2.drawContours(picture, shifted, -1, SILHOUETTE_RGB, 2)


def _draw_joints(picture: NDArray[np.uint8], joints: Joints, frame: RgbdFrame) -> None:
    pixels = frame.intrinsics.project(joints.positions_m)
    for first, second in SMPL_24.bones:
        if np.isfinite(pixels[[first, second]]).all():
            ends = [tuple(int(round(value)) for value in pixels[index]) for index in (first, second)]
            cv2.line(picture, ends[0], ends[1], _side_color(second), 2, cv2.LINE_AA)
    for index, (u, v) in enumerate(pixels):
        if np.isfinite((u, v)).all():
            cv2.circle(picture, (int(round(u)), int(round(v))), 4, _side_color(index), -1, cv2.LINE_AA)


def _side_color(joint: int) -> tuple[int, int, int]:
    name = SMPL_24.joint_names[joint]
    return LEFT_RGB if name.startswith("left") else RIGHT_RGB if name.startswith("right") else MIDDLE_RGB


def _draw_mesh(picture: NDArray[np.uint8], body: Body, model: BodyModel, frame: RgbdFrame) -> None:
    _, triangle = render_person(model, body.vertices_m, frame.intrinsics)
    corners = body.vertices_m[model.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    # A light at the camera: a face turned to the viewer is bright.
    brightness = AMBIENT + (1.0 - AMBIENT) * np.abs(normals[:, 2])
    hit = triangle >= 0
    shaded = brightness[triangle[hit]][:, None] * MESH_RGB
    picture[hit] = ((1.0 - MESH_OPACITY) * picture[hit] + MESH_OPACITY * shaded).astype(np.uint8)


def _write(picture: NDArray[np.uint8], text: str) -> None:
    cv2.rectangle(picture, (0, 0), (12 * len(text) + 8, TEXT_HEIGHT_PX + 6), (0, 0, 0), -1)
    cv2.putText(picture, text, (4, TEXT_HEIGHT_PX), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA)
