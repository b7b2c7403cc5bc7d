"""The direction against gravity in the camera's frame: from an IMU, and what follows from it for the image.

A camera may be mounted turned by a quarter or half turn, or tilted. Networks that were trained on upright images see
the image turned upright, by whole quarter turns (`quarter_turns`) or by the angle (`roll_rad`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from rehab_pose.datatypes import unknown_direction

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Vector: TypeAlias = tuple[float, float, float]

__all__ = ["GravityFilter", "is_known", "quarter_turns", "roll_rad", "turned_points"]

MIN_UP_IN_IMAGE = 0.2
"""A camera that looks up or down so steeply that less than this of the vertical is in the image plane has no upright
orientation: 0.2 is 78 degrees of tilt."""
STANDARD_GRAVITY_M_S2 = 9.80665
"""Standard acceleration of gravity (ISO 80000-3) [m/s^2]."""
MAX_DEVIATION_M_S2 = 1.0
"""Measurements whose magnitude differs by more than this from gravity are left out: the camera is accelerated. A robot
that brakes at 2 m/s^2 changes the magnitude by 0.2 and the direction by 11.5 degrees, which `TIME_CONSTANT_S` limits
[m/s^2]."""
TIME_CONSTANT_S = 1.0
"""Time constant of the low pass for acceleration [s]: braking for 0.5 s turns the estimate by at most 4.5 degrees."""
MAX_GAP_S = 0.5
"""After a longer gap between measurements the filter starts again [s]."""
MIN_SAMPLES = 5
"""Measurements before the direction is reported; a single one may be of a moving camera."""


def is_known(up: NDArray[np.float64] | None) -> bool:
    """Return whether a direction (3) was measured: it is given and has no NaN."""
    return up is not None and bool(np.isfinite(up).all())


def roll_rad(up: NDArray[np.float64]) -> float:
    """Return the clockwise angle in the image from the image's up direction to `up` (3), -pi to pi [rad].

    An image turned counter-clockwise by this angle is upright. 0 for an unknown direction and for a camera that looks
    straight up or down.
    """
    if not is_known(up) or np.hypot(up[0], up[1]) < MIN_UP_IN_IMAGE:
        return 0.0
    return float(np.arctan2(up[0], -up[1]))


def quarter_turns(up: NDArray[np.float64]) -> int:
    """Return the number k, 0 to 3, for which `numpy.rot90(image, k)` is upright to within an eighth of a turn.

    Args:
        up: (3) unit vector against gravity in the camera's frame; NaN = unknown, taken as upright.
    """
    return round(roll_rad(up) / (0.5 * np.pi)) % 4


class GravityFilter:
    """Estimates the direction against gravity from the measurements of an IMU, in the frame of its axes."""

    def __init__(self) -> None:
        self.reset()

    @property
    def up(self) -> NDArray[np.float64]:
        """(3) unit vector against gravity, NaN until it is known."""
        return np.array(self._up) if self._samples >= MIN_SAMPLES else unknown_direction()

    def reset(self) -> None:
        """Forget all measurements."""
        self._up: _Vector = (math.nan, math.nan, math.nan)
        self._stamp_s, self._samples = -math.inf, 0

    def add_acceleration(
        self, stamp_s: float, acceleration_m_s2: NDArray[np.float64], angular_velocity_rad_s: NDArray[np.float64]
    ) -> None:
        """Add one measurement.

        Args:
            stamp_s: Time of the measurement [s]; earlier than the last one starts the filter again.
            acceleration_m_s2: (3) as an accelerometer measures it: gravity points up at rest [m/s^2].
            angular_velocity_rad_s: (3) of the IMU in its own axes [rad/s]; NaN = not measured.
        """
        elapsed_s = stamp_s - self._stamp_s
        if not 0.0 <= elapsed_s <= MAX_GAP_S:
            self.reset()
            elapsed_s = 0.0
        self._stamp_s = stamp_s
        # Plain numbers: an IMU sends 200 or more measurements a second, and a call of numpy costs more than these.
        x, y, z = self._up
        turn_x, turn_y, turn_z = map(float, angular_velocity_rad_s)
        if self._samples and math.isfinite(turn_x + turn_y + turn_z):
            # A direction that is fixed in the room turns the other way in the axes of the IMU.
            x, y, z = _unit(
                x - elapsed_s * (turn_y * z - turn_z * y),
                y - elapsed_s * (turn_z * x - turn_x * z),
                z - elapsed_s * (turn_x * y - turn_y * x),
            )
            self._up = x, y, z
        force_x, force_y, force_z = map(float, acceleration_m_s2)
        magnitude = math.sqrt(force_x * force_x + force_y * force_y + force_z * force_z)
        if not abs(magnitude - STANDARD_GRAVITY_M_S2) <= MAX_DEVIATION_M_S2:
            return
        self._samples += 1
        # The first measurements are averaged; after that each one weighs as in a low pass.
        weight = min(
            max(1.0 / self._samples if self._samples <= MIN_SAMPLES else 0.0, elapsed_s / TIME_CONSTANT_S), 1.0
        )
        measured_x, measured_y, measured_z = force_x / magnitude, force_y / magnitude, force_z / magnitude
        if self._samples == 1:
            self._up = measured_x, measured_y, measured_z
        else:
            self._up = _unit(
                x + weight * (measured_x - x), y + weight * (measured_y - y), z + weight * (measured_z - z)
            )

    def add_orientation(self, stamp_s: float, quaternion_xyzw: NDArray[np.float64]) -> None:
        """Take the direction from an orientation that the IMU has computed.

        Args:
            stamp_s: Time of the measurement [s].
            quaternion_xyzw: (4) rotation from the axes of the IMU to a frame whose z axis points up.
        """
        x, y, z, w = (quaternion_xyzw / np.linalg.norm(quaternion_xyzw)).tolist()
        # The third row of the rotation matrix: the room's z axis along the axes of the IMU.
        self._up = 2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)
        self._stamp_s, self._samples = stamp_s, MIN_SAMPLES


def _unit(x: float, y: float, z: float) -> _Vector:
    """Return the vector of this direction with length 1."""
    length = math.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


def turned_points(points: NDArray[Any], turns: int) -> NDArray[Any]:
    """Return points or directions (..., 3) in the axes of a camera whose image is `numpy.rot90(image, turns)`."""
    x, y, z = np.moveaxis(points, -1, 0)
    for _ in range(turns % 4):
        x, y = y, -x
    return np.stack([x, y, z], axis=-1)
