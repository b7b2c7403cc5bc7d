"""Pictures of the perception benchmark: results and ground truth side by side, one picture per scene."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rehab_pose.drawing.overlay import OverlayContent, draw_overlay, write_picture
from rehab_pose_lab.benchmarks.perception_truth import true_joints, true_silhouette

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import Joints, RgbdFrame, Silhouette
    from rehab_pose_lab.benchmarks.perception_evaluation import Observation
    from rehab_pose_lab.benchmarks.perception_scenes import PerceptionScene

__all__ = ["PictureBook"]

MAX_SHOWN_M = 6.0
"""Depth that is drawn darkest [m]."""
SHEET_COLUMNS = 4
SHEET_WIDTH_PX = 480


class PictureBook:
    """Writes one picture per scene (results, ground truth, published joints) and a contact sheet of all scenes."""

    def __init__(self, folder: Path, model: BodyModel) -> None:
        """Write into `folder`; `model` is the simulated body model."""
        self._folder = folder
        self._model = model
        self._sheet: list[NDArray[np.uint8]] = []

    def show(self, scene: PerceptionScene, observed: Observation) -> None:
        """Write the picture of a scene."""
        frame = observed.shot.frame
        result = self._drawn(frame, observed.silhouette, observed.joints)
        true = self._drawn(frame, true_silhouette(observed.shot), true_joints(observed.shot))
        published = self._drawn(_depth_as_grey(frame), observed.silhouette_depth, observed.published)
        _label(result, f"{scene.name}: result")
        _label(true, "truth")
        _label(published, "by depth, published joints")
        self._write(scene.name, [result, true, published])

    def show_result(self, name: str, frame: RgbdFrame, silhouette: Silhouette | None, joints: Joints | None) -> None:
        """Write the picture of a frame without ground truth, with its depth in grey."""
        picture = self._drawn(_depth_as_grey(frame), silhouette, joints)
        _label(picture, name)
        self._write(name, [picture])

    def finish(self) -> Path:
        """Write the contact sheet and return its path."""
        path = self._folder / "all.jpg"
        height = max(picture.shape[0] for picture in self._sheet)
        padded = [np.pad(picture, ((0, height - len(picture)), (0, 0), (0, 0))) for picture in self._sheet]
        write_picture(padded, SHEET_COLUMNS, path)
        return path

    def _drawn(self, frame: RgbdFrame, silhouette: Silhouette | None, joints: Joints | None) -> NDArray[np.uint8]:
        both = draw_overlay(frame, OverlayContent(silhouette, joints, None, None), self._model)
        return np.ascontiguousarray(both[:, : frame.intrinsics.width_px])

    def _write(self, name: str, pictures: list[NDArray[np.uint8]]) -> None:
        write_picture(pictures, len(pictures), self._folder / f"{name.replace(' ', '_')}.jpg")
        height, width = pictures[0].shape[:2]
        size = (SHEET_WIDTH_PX, round(height * SHEET_WIDTH_PX / width))
        small: NDArray[Any] = cv2.resize(pictures[0], size, interpolation=cv2.INTER_AREA)
        self._sheet.append(small)


def _label(picture: NDArray[np.uint8], text: str) -> None:
    """Write a line of text at the bottom of a picture (H, W, 3)."""
    place = (6, picture.shape[0] - 10)
    for color, thickness in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, color, thickness, cv2.LINE_AA)


def _depth_as_grey(frame: RgbdFrame) -> RgbdFrame:
    """Return a frame with its depth as colour: near is bright, no return is black."""
    near = 1.0 - np.clip(frame.depth_m / MAX_SHOWN_M, 0.0, 0.9)
    grey = np.where(np.isfinite(near), 255.0 * near, 0.0).astype(np.uint8)
    return replace(frame, color=np.repeat(grey[..., None], 3, axis=2))
