"""Checks of what a reader accepted, written independently of the checks in the code under test."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.body.model import BodyModel
from rehab_pose.capture.calibration_file import DepthCalibration
from rehab_pose.datatypes import (
    Body,
    Bones,
    ExerciseClassification,
    FloorPlane,
    JointAngles,
    Joints,
    Repetition,
    RepetitionProgress,
    RgbdFrame,
    Silhouette,
)
from rehab_pose.geometry.calibration import CameraCalibration
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose_lab.datasets.clip import Clip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["implausible"]

FARTHEST_M = 20.0
"""Largest coordinate of a person in front of a depth camera [m]."""
LARGEST_IMAGE_PX = 16384
RIGID_TOLERANCE = 1e-2
HEIGHT_M = (0.4, 2.6)
"""Height of a body at rest [m]: from a small child to the tallest person."""
LAST_NS = 2**31 * 10**9
"""End of ROS's time [ns]."""


def implausible(value: Any) -> str:  # noqa: ANN401  (any record, or a sequence of them)
    """Return the first sentence about what is not plausible in records; '' = nothing."""
    return next(_sentences(value), "")


def _sentences(value: Any) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, (list, tuple)):
        for entry in value:
            yield from _sentences(entry)
        return
    for kind, check in _CHECKS.items():
        if isinstance(value, kind):
            yield from check(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for item in dataclasses.fields(value):
            inner = getattr(value, item.name)
            if item.name == "stamp_ns" and not 0 <= inner < LAST_NS:
                yield f"{type(value).__name__}.stamp_ns is {inner}"
            if dataclasses.is_dataclass(inner):
                yield from _sentences(inner)


def _near(name: str, array: NDArray[Any]) -> Iterator[str]:
    with np.errstate(invalid="ignore"):
        if (np.abs(array) > FARTHEST_M).any():
            yield f"{name}: up to {np.nanmax(np.abs(array)):g} m"


def _fraction(name: str, values: Any) -> Iterator[str]:  # noqa: ANN401
    array = np.asarray(values, dtype=np.float64)
    if ((array < 0.0) | (array > 1.0)).any():
        yield f"{name}: expected 0 to 1, got {array.min():g} to {array.max():g}"


def _not_negative(name: str, values: Any) -> Iterator[str]:  # noqa: ANN401
    array = np.asarray(values, dtype=np.float64)
    if (array < 0.0).any() or np.isinf(array).any():
        yield f"{name}: negative or infinite"


def _rotation(name: str, matrices: NDArray[Any]) -> Iterator[str]:
    known = matrices.reshape(-1, 3, 3)
    known = known[np.isfinite(known).all(axis=(1, 2))]
    wrong = np.abs(known @ known.swapaxes(1, 2) - np.eye(3)).max(initial=0.0) > RIGID_TOLERANCE
    if wrong or (np.linalg.det(known) < 0).any():
        yield f"{name}: no rotation"


def _intrinsics(camera: CameraIntrinsics) -> Iterator[str]:
    numbers = np.array([camera.fx, camera.fy, camera.cx, camera.cy])
    longest = max(camera.width_px, camera.height_px)
    if not np.isfinite(numbers).all() or min(camera.fx, camera.fy) <= 0:
        yield f"intrinsics {numbers}"
    if not 0 < min(camera.width_px, camera.height_px) <= longest <= LARGEST_IMAGE_PX:
        yield f"image size {camera.width_px}x{camera.height_px}"


def _calibration(camera: CameraCalibration) -> Iterator[str]:
    numbers = np.array([*camera.k, *camera.p, *camera.r, *camera.d])
    if not np.isfinite(numbers).all():
        yield "calibration with NaN or infinity"
    if max(camera.k[0], camera.k[4]) > 200 * max(camera.width_px, camera.height_px):
        yield f"calibration with a focal length of {camera.k[0]:g} px"
    yield from _rotation("calibration.r", np.array(camera.r).reshape(3, 3))
    yield from _intrinsics(camera.rectified())


def _depth_calibration(depth: DepthCalibration) -> Iterator[str]:
    motion = depth.color_from_depth
    if not np.isfinite(motion).all() or not np.allclose(motion[3], (0, 0, 0, 1)):
        yield "color_from_depth is not rigid"
    yield from _rotation("color_from_depth", motion[:3, :3])
    if np.linalg.norm(motion[:3, 3]) > 1.0:
        yield "depth and colour camera are more than 1 m apart"


def _joints(joints: Joints) -> Iterator[str]:
    yield from _near("joints", joints.positions_m)
    yield from _fraction("joints.confidence", joints.confidence)
    yield from _not_negative("joints.sigma_m", joints.sigma_m)
    if (joints.visibility > 3).any():
        yield "joints.visibility above 3"


def _body(body: Body) -> Iterator[str]:
    yield from _near("body", body.joint_positions_m)
    yield from _near("body.translation", body.parameters.translation_m)
    yield from _near("body.vertices", body.vertices_m)
    yield from _rotation("body.joint_rotations", body.joint_rotations)
    yield from _not_negative("body.joint_sigma_m", body.joint_sigma_m)
    yield from _not_negative("body.residual_m", body.residual_m)
    if np.isinf(body.parameters.betas).any() or (np.abs(body.parameters.betas) > 100.0).any():
        yield "body.betas beyond any person"


def _bones(bones: Bones) -> Iterator[str]:
    yield from _near("bones", bones.camera_from_bone[:, :3, 3])
    yield from _rotation("bones", bones.camera_from_bone[:, :3, :3])
    for name, values in (("length", bones.length_m), ("radius", bones.radius_m)):
        yield from _not_negative(f"bones.{name}", values)
        yield from _near(f"bones.{name}", values)


def _angles(angles: JointAngles) -> Iterator[str]:
    with np.errstate(invalid="ignore"):
        if (np.abs(angles.angles_rad) > 4 * np.pi).any() or np.isinf(angles.velocities_rad_s).any():
            yield "angles of more than two turns, or infinite speeds"
    yield from _fraction("angles.confidence", angles.confidence)
    yield from _not_negative("angles.sigma", angles.sigma_rad)


def _classification(classification: ExerciseClassification) -> Iterator[str]:
    yield from _fraction("classification.confidence", classification.confidence)
    yield from _fraction("classification.probabilities", classification.probabilities)
    if not 0 <= classification.start_ns <= classification.stamp_ns:
        yield "classification: the window starts after its end"


def _repetition(repetition: Repetition) -> Iterator[str]:
    for name in ("quality", "quality_low", "quality_high"):
        yield from _fraction(f"repetition.{name}", getattr(repetition, name))
    if not 0 <= repetition.start_ns <= repetition.end_ns <= repetition.stamp_ns or repetition.count < 1:
        yield "repetition: stamps do not increase, or its number is below 1"
    if repetition.turn_ns and not repetition.start_ns <= repetition.turn_ns <= repetition.end_ns:
        yield "repetition: turns outside of its cycle"
    if np.isinf([repetition.signal_minimum, repetition.signal_maximum, repetition.smoothness]).any():
        yield "repetition: infinite"
    if abs(repetition.asymmetry) > 1.0:
        yield "repetition.asymmetry beyond 1"


def _progress(progress: RepetitionProgress) -> Iterator[str]:
    if np.isinf([progress.signal, progress.elapsed_s]).any() or progress.elapsed_s < 0:
        yield "progress: infinite or negative"


def _floor(floor: FloorPlane) -> Iterator[str]:
    known = np.isfinite(floor.plane).all()
    if not known and not np.isnan(floor.plane).all():
        yield "floor plane known in parts"
    if known and (abs(np.linalg.norm(floor.plane[:3]) - 1.0) > RIGID_TOLERANCE or abs(floor.plane[3]) > FARTHEST_M):
        yield f"floor plane {floor.plane}"


def _up(frame: RgbdFrame | Silhouette) -> Iterator[str]:
    if not np.isnan(frame.up).all() and not abs(np.linalg.norm(frame.up) - 1.0) <= RIGID_TOLERANCE:
        yield f"up {frame.up}"


def _clip(clip: Clip) -> Iterator[str]:
    yield from _near("clip", clip.positions_m)
    yield from _fraction("clip.confidence", clip.confidence)
    if len(clip.stamps_ns) > 1 and not (np.diff(clip.stamps_ns) > 0).all():
        yield "clip: stamps do not increase"
    if np.isfinite(clip.positions_m).any() and clip.duration_s > 86400.0:
        yield "clip of more than a day"


def _model(model: BodyModel) -> Iterator[str]:
    extent = np.ptp(model.v_template, axis=0)
    if not HEIGHT_M[0] <= extent[1] <= HEIGHT_M[1]:
        yield f"body {extent[1]:g} m high"
    joints = model.joint_template
    if not joints[15, 1] > joints[0, 1] > joints[7, 1]:
        yield "body whose head is not above its feet along y"


_CHECKS: dict[type, Callable[[Any], Iterator[str]]] = {
    CameraIntrinsics: _intrinsics,
    CameraCalibration: _calibration,
    DepthCalibration: _depth_calibration,
    Joints: _joints,
    Body: _body,
    Bones: _bones,
    JointAngles: _angles,
    ExerciseClassification: _classification,
    Repetition: _repetition,
    RepetitionProgress: _progress,
    FloorPlane: _floor,
    RgbdFrame: _up,
    Silhouette: _up,
    Clip: _clip,
    BodyModel: _model,
}
