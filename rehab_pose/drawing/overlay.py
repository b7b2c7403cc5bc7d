"""Overlay of silhouette, joints, mesh and label on the colour image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.drawing.rasteriser import render_person
from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import NONE
from rehab_pose.exercise.display_names import exercise_display_name
from rehab_pose.output_file import write_new
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import ExerciseClassification, Joints, RgbdFrame, Silhouette

__all__ = ["OverlayContent", "check_picture_name", "draw_overlay", "write_picture"]

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg")
"""File types of pictures."""
# Colours of the overlay [0-255].
BLANK = 255
"""Grey value of the places without a picture in the last row [0-255]: white, as paper."""
SILHOUETTE_RGB = (60, 200, 120)
LEFT_RGB = (80, 160, 255)
RIGHT_RGB = (255, 120, 80)
MIDDLE_RGB = (255, 220, 60)
MESH_RGB = np.array((225.0, 205.0, 190.0))
TINT = 0.35
"""Opacity of the silhouette's colour."""
MESH_OPACITY = 0.85
"""Opacity of the mesh over the image."""
AMBIENT = 0.35
"""Brightness of a triangle that is perpendicular to the image, relative to one that faces the camera."""
LINE_PX, TEXT_MARGIN_PX, TEXT_SCALE = 28, 5, 0.6
"""Height of a line of text, its margin [px], and the size of its letters (OpenCV's scale)."""
WHITE_RGB = (255, 255, 255)
LEGEND = (("left", LEFT_RGB), ("right", RIGHT_RGB), ("middle", MIDDLE_RGB), ("of the person", WHITE_RGB))
PERCENT = 100.0


@dataclass(frozen=True, eq=False)
class OverlayContent:
    """Results that are drawn over one frame; None where no person was found."""

    silhouette: Silhouette | None
    joints: Joints | None
    vertices_m: NDArray[np.float32] | None
    classification: ExerciseClassification | None


def draw_overlay(frame: RgbdFrame, content: OverlayContent, model: BodyModel) -> NDArray[np.uint8]:
    """Return an RGB picture (H, 2 W, 3): silhouette, joints and label on the left, the mesh on the right."""
    left = np.array(frame.color)
    right = np.array(frame.color)
    if content.silhouette is not None:
        _tint(left, content.silhouette)
    if content.joints is not None:
        _draw_joints(left, content.joints, frame)
        _draw_legend(left)
    if content.vertices_m is not None and len(content.vertices_m):
        _draw_mesh(right, content.vertices_m, model, frame)
    if content.classification is not None:
        _draw_label(left, content.classification)
    return np.hstack([left, right])


def check_picture_name(path: Path) -> None:
    """Check that the name of a picture has a known ending.

    Raises:
        RecordingError: It has not.
    """
    if path.suffix.lower() not in PICTURE_ENDINGS:
        msg = (
            f"overlay: expected a picture ({', '.join(PICTURE_ENDINGS)}) or a video (.mp4), got {path}; "
            "other formats: `rehab-pose export`"
        )
        raise RecordingError(msg)


def write_picture(pictures: Sequence[NDArray[np.uint8]], columns: int, output: Path) -> None:
    """Write RGB pictures of one size (H, W, 3) in rows of one image file.

    Raises:
        RecordingError: There are no pictures, the file type is unknown, or the file exists or cannot be written.
    """
    if not pictures:
        msg = "overlay: expected at least one frame to draw, the recording has none of the requested ones"
        raise RecordingError(msg)
    rows = []
    blank = np.full_like(pictures[0], BLANK)
    columns = min(columns, len(pictures))
    for start in range(0, len(pictures), columns):
        row = list(pictures[start : start + columns])
        rows.append(np.hstack(row + [blank] * (columns - len(row))))
    check_picture_name(output)
    encoded, data = cv2.imencode(output.suffix, cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))
    if not encoded:
        msg = f"overlay: expected a picture file such as overlay.png, got {output}"
        raise RecordingError(msg)
    write_new(output, data.tobytes())


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
            ends = [tuple(round(float(value)) for value in pixels[index]) for index in (first, second)]
            cv2.line(picture, ends[0], ends[1], _side_color(second), 2, cv2.LINE_AA)
    for index, (u, v) in enumerate(pixels):
        if np.isfinite((u, v)).all():
            cv2.circle(picture, (round(float(u)), round(float(v))), 4, _side_color(index), -1, cv2.LINE_AA)


def _side_color(joint: int) -> tuple[int, int, int]:
    name = SMPL_24.joint_names[joint]
    return LEFT_RGB if name.startswith("left") else RIGHT_RGB if name.startswith("right") else MIDDLE_RGB


def _draw_mesh(picture: NDArray[np.uint8], vertices_m: NDArray[np.float32], model: BodyModel, frame: RgbdFrame) -> None:
    _, triangle_id = render_person(model, vertices_m, frame.intrinsics)
    corners = vertices_m[model.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    # The light is at the camera: a triangle that faces the camera is bright.
    brightness = AMBIENT + (1.0 - AMBIENT) * np.abs(normals[:, 2])
    hit = triangle_id >= 0
    shaded = brightness[triangle_id[hit]][:, None] * MESH_RGB
    picture[hit] = ((1.0 - MESH_OPACITY) * picture[hit] + MESH_OPACITY * shaded).astype(np.uint8)


def _draw_label(picture: NDArray[np.uint8], classification: ExerciseClassification) -> None:
    """Write the exercise in words and its confidence in the upper left corner."""
    certain = f" ({PERCENT * classification.confidence:.0f} % certain)" if classification.label != NONE else ""
    _write_text(picture, [(f"{exercise_display_name(classification.label)}{certain}", WHITE_RGB)], top_px=0)


def _draw_legend(picture: NDArray[np.uint8]) -> None:
    """Name the colours of the joints in the lower left corner: the sides are the person's own."""
    _write_text(picture, LEGEND, top_px=picture.shape[0] - LINE_PX)


def _write_text(picture: NDArray[np.uint8], parts: Sequence[tuple[str, tuple[int, int, int]]], top_px: int) -> None:
    """Write a line of coloured parts on black at the left edge, smaller where the picture is narrow."""
    full = " ".join(text for text, _ in parts)
    (width, _), _ = cv2.getTextSize(full, cv2.FONT_HERSHEY_SIMPLEX, TEXT_SCALE, 1)
    scale = TEXT_SCALE * min(1.0, (picture.shape[1] - 2 * TEXT_MARGIN_PX) / max(width, 1))
    (width, _), _ = cv2.getTextSize(full, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    cv2.rectangle(picture, (0, top_px), (width + 2 * TEXT_MARGIN_PX, top_px + LINE_PX), (0, 0, 0), -1)
    left = TEXT_MARGIN_PX
    for text, colour in parts:
        place = (left, top_px + LINE_PX - TEXT_MARGIN_PX - 4)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
        (width, _), _ = cv2.getTextSize(f"{text} ", cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
        left += width
