"""The direction against gravity in the camera's optical frame, from an IMU in the camera or from its mounting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import unknown_direction
from rehab_pose.geometry.gravity import GravityFilter, is_known

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.capture.settings import CaptureSettings

__all__ = ["GravitySource", "ImuMeasurement"]

MOUNTINGS = {
    "upright": (0.0, -1.0, 0.0),
    "turned_left": (1.0, 0.0, 0.0),
    "turned_right": (-1.0, 0.0, 0.0),
    "upside_down": (0.0, 1.0, 0.0),
}
"""Direction against gravity in the optical frame (x right, y down, z forward) for each mounting."""
OPTICAL_SUFFIX = "optical_frame"
"""End of the frame_id of IMUs whose axes are those of an optical frame (REP-103)."""
OPTICAL_FROM_BODY = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""Rotation of a vector from body axes (x forward, y left, z up) to optical axes (REP-103)."""
UNIT_QUATERNION = (0.9, 1.1)
"""Norms of a quaternion that is taken as an orientation; drivers without one send zeros."""
MAX_DISAGREEMENT_DEG = 30.0
"""An orientation whose up direction is farther than this from the acceleration is none: drivers that do not compute it
often send the identity [deg]."""


@dataclass(frozen=True, eq=False)
class ImuMeasurement:
    """One measurement of an IMU in its own axes."""

    stamp_s: float
    frame_id: str
    acceleration_m_s2: NDArray[np.float64]
    """(3) including gravity, which points up at rest [m/s^2]; NaN = not measured."""
    angular_velocity_rad_s: NDArray[np.float64]
    """(3) [rad/s]; NaN = not measured."""
    orientation_xyzw: NDArray[np.float64]
    """(4) quaternion to a frame whose z axis points up; NaN = not measured."""


class GravitySource:
    """Gives the newest direction against gravity: that of an IMU if there is one, else that of the mounting."""

    def __init__(self, settings: CaptureSettings) -> None:
        self._axes = settings.imu_axes
        self._mounting = np.array(MOUNTINGS[settings.mounting]) if settings.mounting in MOUNTINGS else None
        self._filter = GravityFilter()
        self._optical_from_imu = np.eye(3)

    @property
    def up(self) -> NDArray[np.float64]:
        """(3) unit vector against gravity in the optical frame; NaN = unknown."""
        measured = self._filter.up
        if is_known(measured):
            return np.asarray(self._optical_from_imu @ measured)
        return unknown_direction() if self._mounting is None else self._mounting.copy()

    def add(self, measurement: ImuMeasurement) -> None:
        """Take a measurement of the IMU."""
        optical = self._axes == "optical" or (self._axes == "auto" and measurement.frame_id.endswith(OPTICAL_SUFFIX))
        self._optical_from_imu = np.eye(3) if optical else OPTICAL_FROM_BODY
        if _has_orientation(measurement):
            self._filter.add_orientation(measurement.stamp_s, measurement.orientation_xyzw)
        elif np.isfinite(measurement.acceleration_m_s2).all():
            self._filter.add_acceleration(
                measurement.stamp_s, measurement.acceleration_m_s2, measurement.angular_velocity_rad_s
            )


def _has_orientation(measurement: ImuMeasurement) -> bool:
    """Return whether the IMU has computed an orientation, as far as can be seen."""
    quaternion, acceleration = measurement.orientation_xyzw, measurement.acceleration_m_s2
    if not UNIT_QUATERNION[0] < np.linalg.norm(quaternion) < UNIT_QUATERNION[1]:
        return False
    magnitude = np.linalg.norm(acceleration)
    if not magnitude > 0.0:
        return True
    alone = GravityFilter()
    alone.add_orientation(measurement.stamp_s, quaternion)
    return bool(alone.up @ acceleration > magnitude * np.cos(np.radians(MAX_DISAGREEMENT_DEG)))
