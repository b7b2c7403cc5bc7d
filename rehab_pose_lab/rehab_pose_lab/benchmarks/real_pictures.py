"""Contact sheets of a clip: outlines of silhouette and mesh, and the joints, over the colour image of every frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.drawing.overlay import LEFT_RGB, MIDDLE_RGB, RIGHT_RGB, SILHOUETTE_RGB, write_picture
from rehab_pose.drawing.rasteriser import render_person
from rehab_pose.errors import RecordingError
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import Joints, RgbdFrame
    from rehab_pose.geometry.camera import CameraIntrinsics
    from rehab_pose.pipeline import PipelineResult
    from rehab_pose_lab.benchmarks.real_clip import ClipRun

__all__ = ["check_new_folder", "draw_result", "write_contact_sheets"]

MESH_RGB = (255, 255, 255)
TILE_SIDE_PX = 560
"""Longer side of the picture of a frame [px]."""
COLUMNS, ROWS = 4, 2
"""Pictures beside and above each other on a sheet."""
MARGIN = 0.2
"""Free space around the person on each side as a fraction of the box."""
UNSURE = 0.5
"""Joints with less confidence are drawn as circles, others as discs."""


def check_new_folder(folder: Path) -> None:
    """Check that a folder for pictures does not exist or is empty, so that no file is overwritten.

    Raises:
        RecordingError: The folder contains files, or is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder}: expected a new or empty folder for the pictures, it contains files; name another one"
        raise RecordingError(msg)


def write_contact_sheets(run: ClipRun, model: BodyModel, folder: Path, name: str) -> list[Path]:
    """Write all frames of a clip, eight on a sheet, and return the paths of the sheets.

    Args:
        run: Results of the clip.
        model: Body model with the triangles of the fitted bodies.
        folder: Folder of the sheets.
        name: Beginning of the files' names.

    Raises:
        RecordingError: There is no frame.
    """
    region = _common_region(run)
    tiles = [
        _tile(draw_result(frame, result, model, label), region)
        for label, frame, result in zip(run.names, run.frames, run.results, strict=True)
    ]
    paths = []
    for start in range(0, len(tiles), COLUMNS * ROWS):
        path = folder / f"{name}_{start // (COLUMNS * ROWS) + 1:02d}.png"
        write_picture(tiles[start : start + COLUMNS * ROWS], COLUMNS, path)
        paths.append(path)
    return paths


def draw_result(frame: RgbdFrame, result: PipelineResult, model: BodyModel, label: str) -> NDArray[np.uint8]:
    """Return a picture (2 H, 2 W, 3) of a frame at twice its size with everything drawn over it, and a label."""
    height, width = frame.depth_m.shape
    camera = frame.intrinsics.scaled(2 * width, 2 * height)
    picture = np.asarray(cv2.resize(frame.color, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR), np.uint8)
    if result.silhouette is not None:
        _outline(picture, result.silhouette.full_mask(), SILHOUETTE_RGB)
    if result.body is not None and len(result.body.vertices_m):
        _, triangle_id = render_person(model, result.body.vertices_m, frame.intrinsics)
        _outline(picture, triangle_id >= 0, MESH_RGB)
    if result.joints is not None:
        _draw_joints(picture, result.joints, camera)
    place = result.silhouette.box_px[:2] if result.silhouette is not None else (0, 0)
    _write(picture, label, (2 * place[0], max(2 * place[1] - 12, 24)))
    return picture


def _outline(picture: NDArray[np.uint8], inside: NDArray[np.bool_], color: tuple[int, int, int]) -> None:
    """Draw the outlines, holes included, of a mask (H, W) into a picture (2 H, 2 W, 3)."""
    doubled = inside.astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    outlines, _ = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, color, 2)


def _draw_joints(picture: NDArray[np.uint8], joints: Joints, camera: CameraIntrinsics) -> None:
    pixels = camera.project(joints.positions_m)
    for first, second in SMPL_24.bones:
        if np.isfinite(pixels[[first, second]]).all():
            cv2.line(picture, _rounded(pixels[first]), _rounded(pixels[second]), _color(second), 2, cv2.LINE_AA)
    for index, pixel in enumerate(pixels):
        if np.isfinite(pixel).all():
            filled = -1 if joints.confidence[index] > UNSURE else 2
            cv2.circle(picture, _rounded(pixel), 6, _color(index), filled, cv2.LINE_AA)


def _rounded(pixel: NDArray[np.float64]) -> tuple[int, int]:
    column, row = np.clip(pixel, -10_000, 10_000)
    return round(float(column)), round(float(row))


def _color(joint: int) -> tuple[int, int, int]:
    name = SMPL_24.joint_names[joint]
    return LEFT_RGB if name.startswith("left") else RIGHT_RGB if name.startswith("right") else MIDDLE_RGB


def _write(picture: NDArray[np.uint8], text: str, place: tuple[int, int]) -> None:
    for color, thickness in (((0, 0, 0), 5), ((255, 255, 255), 1)):
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.9, color, thickness, cv2.LINE_AA)


def _common_region(run: ClipRun) -> tuple[int, int, int, int]:
    """Return x, y, width, height of the region with the person in all frames [px]; the whole image without a person."""
    boxes = np.array([result.silhouette.box_px for result in run.results if result.silhouette is not None])
    height, width = run.frames[0].depth_m.shape
    if not len(boxes):
        return 0, 0, width, height
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    across, down = MARGIN * (right - left), MARGIN * (bottom - top)
    left, right = max(int(left - across), 0), min(int(right + across), width)
    top, bottom = max(int(top - down), 0), min(int(bottom + down), height)
    return left, top, right - left, bottom - top


def _tile(picture: NDArray[np.uint8], region: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Return the region [px of the frame] of a picture at twice its size, at the size of a tile."""
    x, y, width, height = (2 * value for value in region)
    scale = TILE_SIDE_PX / max(width, height)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    cut = picture[y : y + height, x : x + width]
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)
