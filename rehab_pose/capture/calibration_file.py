"""Reading of the JSON file with the cameras of a recording and the pose of the depth camera.

    {"width": 1280, "height": 720, "fx": 920.0, "fy": 920.0, "cx": 639.5, "cy": 359.5,
     "distortion_model": "plumb_bob", "d": [0.1, -0.2, 0.001, 0.0, 0.05],
     "depth": {"width": 640, "height": 480, "fx": 460.0, "fy": 460.0, "cx": 319.5, "cy": 239.5},
     "color_from_depth": [[1, 0, 0, 0.05], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]}

Only the first line is required; depth is then already registered to colour and the images are rectified. Files of
Open3D (`intrinsic_matrix` in column-major order) are read as well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import InputError, RecordingError
from rehab_pose.geometry.calibration import CameraCalibration
from rehab_pose.geometry.rotations import is_rotation

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["DepthCalibration", "RgbdCalibration", "read_calibration"]

MAX_FILE_BYTES = 1 << 20
"""Largest file; a calibration has less than 2 kB [bytes]."""
RIGID_TOLERANCE = 1e-2
"""Largest difference of R R^T from the identity: files with three digits are accepted."""
LARGEST_BASELINE_M = 1.0
"""Largest distance of the two cameras of one device [m]; RealSense and Kinect have 0.015 to 0.06."""


@dataclass(frozen=True, eq=False)
class DepthCalibration:
    """A depth camera that is not the colour camera."""

    camera: CameraCalibration
    color_from_depth: NDArray[np.float64]
    """(4, 4) rigid motion from the depth to the colour camera's optical frame [m]."""


@dataclass(frozen=True, eq=False)
class RgbdCalibration:
    """The cameras of a calibration file."""

    color: CameraCalibration
    depth: DepthCalibration | None
    """None = depth is registered to colour."""


def read_calibration(path: str | os.PathLike[str]) -> RgbdCalibration:
    """Return the cameras of a calibration file.

    Raises:
        RecordingError: The file is missing or has another content.
        InputError: The numbers are not those of a calibrated camera.
    """
    file = Path(path)
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            msg = (
                f"intrinsics: expected a JSON file of at most {MAX_FILE_BYTES} bytes, {file} has {file.stat().st_size}"
            )
            raise RecordingError(msg)
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        msg = f"intrinsics: expected a JSON file at {file}: {error}"
        raise RecordingError(msg) from error
    if not isinstance(values, dict):
        msg = f"intrinsics: expected width, height, fx, fy, cx, cy by name in {file}, got {type(values).__name__}"
        raise RecordingError(msg)
    color = _camera(values, str(file))
    if "depth" not in values:
        return RgbdCalibration(color, None)
    camera = _camera(values["depth"], f'{file}, section "depth"')
    try:
        motion = np.asarray(values["color_from_depth"], dtype=np.float64).reshape(4, 4)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        msg = (
            f'intrinsics: expected "color_from_depth", four rows of four numbers (metres), with "depth" in {file}: '
            f'{error}; leave "depth" out where depth is registered to colour'
        )
        raise RecordingError(msg) from error
    _check_rigid(motion, file)
    return RgbdCalibration(color, DepthCalibration(camera, motion))


def _check_rigid(motion: NDArray[np.float64], file: Path) -> None:
    """Check that a matrix (4, 4) moves one camera of a device to the other.

    Raises:
        InputError: It is not finite, not rigid, or the cameras are too far from each other.
    """
    last_row = bool(np.isfinite(motion).all()) and np.allclose(motion[3], (0.0, 0.0, 0.0, 1.0))
    if not last_row or not is_rotation(motion[:3, :3], RIGID_TOLERANCE):
        msg = (
            f"intrinsics: expected a rotation and a translation as color_from_depth in {file}, got {motion.tolist()}; "
            "its upper left 3x3 is a rotation and its last row 0 0 0 1"
        )
        raise InputError(msg)
    distance_m = float(np.linalg.norm(motion[:3, 3]))
    if distance_m > LARGEST_BASELINE_M:
        msg = (
            f"intrinsics: expected cameras of one device, at most {LARGEST_BASELINE_M:g} m apart, got {distance_m:g} m "
            f"in color_from_depth of {file}; is it in millimetres?"
        )
        raise InputError(msg)


def _camera(values: Any, source: str) -> CameraCalibration:  # noqa: ANN401  (a JSON value)
    try:
        if "intrinsic_matrix" in values:
            # Open3D writes the matrix in column-major order.
            matrix = np.asarray(values["intrinsic_matrix"], dtype=np.float64).reshape(3, 3).T
            fx, fy, cx, cy = (float(value) for value in (matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]))
        else:
            fx, fy, cx, cy = (float(values[name]) for name in ("fx", "fy", "cx", "cy"))
        width, height = int(values["width"]), int(values["height"])
        coefficients = tuple(float(value) for value in values.get("d", ()))
        model = str(values.get("distortion_model", "plumb_bob"))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        msg = (
            f"intrinsics: expected width, height, fx, fy, cx, cy (or Open3D's intrinsic_matrix of nine numbers, column "
            f"by column) in {source}: {error}"
        )
        raise RecordingError(msg) from error
    calibration = CameraCalibration(
        width_px=width,
        height_px=height,
        k=(fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0),
        distortion_model=model,
        d=coefficients,
    )
    calibration.rectified()  # raises here for impossible numbers, where the file is known
    calibration.coefficients()
    return calibration
