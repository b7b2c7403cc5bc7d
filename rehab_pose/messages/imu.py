"""Measurements of an IMU from sensor_msgs/Imu."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.capture.gravity_source import ImuMeasurement
from rehab_pose.messages.checks import whole_message
from rehab_pose.messages.factory import stamp_ns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.messages.factory import Message

__all__ = ["imu_from_message"]

NOT_MEASURED = -1.0
"""First element of a covariance whose quantity is not measured, by the definition of the message."""


@whole_message("sensor_msgs/Imu")
def imu_from_message(message: Message) -> ImuMeasurement:
    """Return the measurement of a sensor_msgs/Imu."""
    turn, rate, acceleration = message.orientation, message.angular_velocity, message.linear_acceleration
    return ImuMeasurement(
        stamp_s=stamp_ns(message.header.stamp) * 1e-9,
        frame_id=message.header.frame_id,
        acceleration_m_s2=_measured(
            (acceleration.x, acceleration.y, acceleration.z), message.linear_acceleration_covariance
        ),
        angular_velocity_rad_s=_measured((rate.x, rate.y, rate.z), message.angular_velocity_covariance),
        orientation_xyzw=_measured((turn.x, turn.y, turn.z, turn.w), message.orientation_covariance),
    )


def _measured(values: tuple[float, ...], covariance: Sequence[float]) -> NDArray[np.float64]:
    """Return the values, or NaN if their covariance says that they are not measured."""
    return np.full(len(values), np.nan) if covariance[0] == NOT_MEASURED else np.array(values, dtype=np.float64)
