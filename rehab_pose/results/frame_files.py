"""Files with the results of each frame: silhouette, joints, and a picture of both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import cv2
import numpy as np

from rehab_pose.datatypes import JointVisibility
from rehab_pose.drawing.overlay import OverlayContent, draw_overlay
from rehab_pose.errors import RecordingError
from rehab_pose.output_file import write_new
from rehab_pose.results.summary import frame_summary

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.pipeline import PipelineResult

__all__ = ["FrameFiles"]

PERSON = 255
"""Value of the person's pixels in a silhouette image."""
JPEG_QUALITY = 90
"""Quality of the overlays in OpenCV's scale [0-100]."""


class FrameFiles:
    """Writes three files for each frame."""

    FOLDERS: ClassVar = ("silhouettes", "joints", "overlays")

    def __init__(self, output: Path, model: BodyModel) -> None:
        """Make the folders.

        Args:
            output: Parent of the folders.
            model: Body model with the triangles of the mesh.
        """
        self._silhouettes, self._joints, self._overlays = (output / name for name in self.FOLDERS)
        self._model = model
        for folder in (self._silhouettes, self._joints, self._overlays):
            folder.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, frame: RgbdFrame, result: PipelineResult) -> None:
        """Write the results of one frame; `name` is the name of the files without ending.

        Raises:
            RecordingError: A file cannot be written.
        """
        mask = np.zeros(frame.depth_m.shape, dtype=np.uint8)
        if result.silhouette is not None:
            mask[result.silhouette.full_mask()] = PERSON
        _write(self._silhouettes / f"{name}.png", mask)
        text = json.dumps(joints_of(result), indent=1, allow_nan=False)
        write_new(self._joints / f"{name}.json", f"{text}\n".encode())
        vertices_m = None if result.body is None else result.body.vertices_m
        content = OverlayContent(result.silhouette, result.joints, vertices_m, result.exercise.classification)
        picture = draw_overlay(frame, content, self._model)
        _write(self._overlays / f"{name}.jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def joints_of(result: PipelineResult) -> dict[str, Any]:
    """Return the joints of a frame as JSON values.

    Positions are in metres in the camera's optical frame (x right, y down, z forward), null where a joint is missing;
    the list is empty if no person was found.
    """
    return {
        "frame_id": result.frame_id,
        "stamp_ns": result.stamp_ns,
        "unit": "m",
        "joints": _entries(result),
    }


def _entries(result: PipelineResult) -> list[dict[str, Any]]:
    if result.joints is None:
        return []
    numbers: dict[str, list[float | None]] = frame_summary(result)["joints"]
    return [
        {
            "name": name,
            "x": x,
            "y": y,
            "z": z,
            "confidence": confidence,
            "visibility": JointVisibility(visibility).name.lower(),
        }
        for (name, (x, y, z, confidence)), visibility in zip(numbers.items(), result.joints.visibility, strict=True)
    ]


def _write(file: Path, picture: NDArray[Any]) -> None:
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if file.suffix == ".jpg" else []
    encoded, content = cv2.imencode(file.suffix, picture, options)
    if not encoded:
        msg = f"images: expected to write {file}, the picture cannot be encoded"
        raise RecordingError(msg)
    write_new(file, content.tobytes())
