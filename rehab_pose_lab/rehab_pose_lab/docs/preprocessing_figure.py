"""The steps of the paper's depth preprocessing, each as a picture: of the simulated person, never of a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.capture.cleaning import DepthCleaner
from rehab_pose.errors import RecordingError
from rehab_pose.geometry.floor import FloorTracker
from rehab_pose_lab.methods.depth_preprocessing import preprocess
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.methods.depth_preprocessing import PreprocessedDepth

__all__ = ["preprocessing_figure", "write_preprocessing_figure"]

FRAME = 96
"""In the middle of the first repetition."""
SETTINGS = SimulationSettings(exercise="arm_lifting")
PANEL_PX = (360, 270)
COLUMNS = 3
TITLE_HEIGHT_PX = 26
FLOOR_RGB = (200, 60, 50)
MISSING_RGB = (40, 40, 70)


def preprocessing_figure() -> NDArray[np.uint8]:
    """Return an RGB picture (H, W, 3): the simulated depth image and each step of `preprocess`."""
    frame = SimulatedCamera(SETTINGS).frame(FRAME).frame
    depth_m = DepthCleaner().clean(np.array(frame.depth_m))
    plane = FloorTracker().track(depth_m, frame.intrinsics)
    steps = preprocess(depth_m, frame.intrinsics, plane)
    panels = [
        _panel("depth, 0.3-6 m, blue: no return", _depth_picture(depth_m)),
        _panel("floor, |residual| < 3 cm (Eq 14-16)", _floor_picture(depth_m, steps)),
        _panel("min-max to 8 bit (Eq 17)", _gray(steps.normalised)),
        _panel("CLAHE (Eq 18)", _gray(steps.equalised)),
        _panel("three equal channels (Eq 19)", steps.three_channels),
        _panel("bilateral filter (Eq 20)", steps.smoothed),
    ]
    rows = [np.hstack(panels[start : start + COLUMNS]) for start in range(0, len(panels), COLUMNS)]
    return np.vstack(rows)


def write_preprocessing_figure(output: Path) -> None:
    """Write the picture.

    Raises:
        RecordingError: The file's ending is no picture's.
    """
    picture = cv2.cvtColor(preprocessing_figure(), cv2.COLOR_RGB2BGR)
    if output.suffix not in {".png", ".jpg"}:
        msg = f"docs: expected a picture file such as preprocessing.png, got {output}"
        raise RecordingError(msg)
    _, content = cv2.imencode(output.suffix, picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(content.tobytes())


def _gray(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(levels[..., None], 3, axis=2)


def _depth_picture(depth_m: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return depth as grey, near bright; pixels without return in a colour that no depth has."""
    measured = np.isfinite(depth_m)
    near = np.clip(1.0 - np.nan_to_num(depth_m) / 6.0, 0.0, 1.0)
    return np.where(measured[..., None], _gray((255.0 * near).astype(np.uint8)), MISSING_RGB).astype(np.uint8)


def _floor_picture(depth_m: NDArray[np.float32], steps: PreprocessedDepth) -> NDArray[np.uint8]:
    return np.where(steps.floor[..., None], FLOOR_RGB, _depth_picture(depth_m)).astype(np.uint8)


def _panel(title: str, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    small = cv2.resize(picture, PANEL_PX, interpolation=cv2.INTER_AREA)
    bar = np.full((TITLE_HEIGHT_PX, PANEL_PX[0], 3), 255, dtype=np.uint8)
    cv2.putText(bar, title, (6, TITLE_HEIGHT_PX - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return np.asarray(np.vstack([bar, small]), dtype=np.uint8)
