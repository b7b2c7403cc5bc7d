"""Random cameras of training samples: any height, distance, tilt and roll from which a person is filmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose_sim.rays import WorldCamera

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FOCAL_PX", "View", "random_camera", "up_with_errors"]

FOCAL_PX, FOCAL_WIDTH_PX = 154.0, 160.0
"""Mean focal length for an image of this width [px]."""
HEIGHT_M = (0.3, 2.5)
"""Range of the camera's height above the floor [m]."""
COMMON_FRACTION, COMMON_HEIGHT_M = 0.5, (0.6, 2.0)
"""Fraction of the cameras at a common height, and its range [m]."""
MAX_PITCH_RAD = 1.05
"""Largest angle by which a camera looks down or up at the person [rad]."""
UP_ROLL_STD_RAD, UP_ROLL_MAX_RAD, UP_PITCH_STD_RAD = 0.08, 0.21, 0.05
"""Errors of the measured direction of gravity: roll (also its limit, 12 degrees) and pitch [rad]."""


@dataclass(frozen=True)
class View:
    """The part of a camera's place that the kind of sample decides."""

    width_px: int
    height_px: int
    distance_m: float
    aim_m: float
    """Height that the camera aims at [m]."""
    centred: bool
    """The person is near the middle of the image."""
    roll_rad: float
    """Angle by which the camera is turned about its optical axis [rad]."""


def random_camera(view: View, random: np.random.Generator) -> WorldCamera:
    """Return a camera that looks at a person at the origin, from about +z."""
    focal = random.uniform(0.8, 1.25) * FOCAL_PX * max(view.width_px, view.height_px) / FOCAL_WIDTH_PX
    intrinsics = CameraIntrinsics(
        view.width_px,
        view.height_px,
        focal,
        focal,
        view.width_px / 2.0 + random.normal(0.0, 2.0),
        view.height_px / 2.0 + random.normal(0.0, 2.0),
    )
    yaw = random.normal(0.0, 0.45)
    height = random.uniform(*(COMMON_HEIGHT_M if random.random() < COMMON_FRACTION else HEIGHT_M))
    steepest = np.sin(MAX_PITCH_RAD) * view.distance_m
    rise = float(np.clip(height - view.aim_m, -0.7 * steepest, steepest))
    along = float(np.sqrt(view.distance_m**2 - rise**2))
    eye = np.array([np.sin(yaw) * along, max(view.aim_m + rise, HEIGHT_M[0]), np.cos(yaw) * along])
    sideways_std = 0.1 if view.centred else 0.55
    target = np.array(
        [
            random.normal(0.0, sideways_std) * view.distance_m / 2.5,
            random.normal(view.aim_m, (0.15 if view.centred else 0.35) * min(view.distance_m / 2.5, 1.0)),
            0.0,
        ]
    )
    forward = target - eye
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, -np.cross(right, forward), forward])
    rotation = matrices_from_axis_angles(np.array([0.0, 0.0, view.roll_rad])) @ rotation
    return WorldCamera(intrinsics, rotation, eye)


def up_with_errors(up: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return the direction against gravity (3) in the camera's frame as a floor plane or a sensor would give it.

    Args:
        up: (3) the true direction in the camera's frame.
        random: Seeded generator.
    """
    roll = np.clip(random.normal(0.0, UP_ROLL_STD_RAD), -UP_ROLL_MAX_RAD, UP_ROLL_MAX_RAD)
    pitch = random.normal(0.0, UP_PITCH_STD_RAD)
    rolled, pitched = matrices_from_axis_angles(np.array([[0.0, 0.0, roll], [pitch, 0.0, 0.0]]))
    return np.asarray(rolled @ pitched @ up)
