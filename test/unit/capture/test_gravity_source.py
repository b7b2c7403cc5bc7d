"""GravitySource: mounting, IMU axes, and orientations that are none."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.capture.gravity_source import GravitySource, ImuMeasurement
from rehab_pose.capture.settings import CaptureSettings

IDENTITY = (0.0, 0.0, 0.0, 1.0)
MISSING = (np.nan,) * 4


def measured(
    acceleration: tuple[float, float, float],
    frame_id: str = "camera_imu_optical_frame",
    orientation: tuple[float, ...] = MISSING,
    **settings: str,
) -> GravitySource:
    """Return a source after ten equal measurements."""
    source = GravitySource(CaptureSettings(**settings))  # type: ignore[arg-type]
    for index in range(10):
        source.add(
            ImuMeasurement(0.01 * index, frame_id, np.array(acceleration), np.full(3, np.nan), np.array(orientation))
        )
    return source


@pytest.mark.parametrize(
    ("mounting", "up"),
    [
        ("upright", (0.0, -1.0, 0.0)),
        ("turned_left", (1.0, 0.0, 0.0)),
        ("turned_right", (-1.0, 0.0, 0.0)),
        ("upside_down", (0.0, 1.0, 0.0)),
    ],
)
def test_a_mounting_gives_the_direction_until_an_imu_is_heard(mounting: str, up: tuple[float, ...]) -> None:
    np.testing.assert_array_equal(GravitySource(CaptureSettings(mounting=mounting)).up, up)
    np.testing.assert_allclose(measured((0.0, -9.7, 1.3), mounting=mounting).up, [0.0, -0.991, 0.133], atol=0.001)


def test_without_imu_and_mounting_nothing_is_known() -> None:
    assert np.isnan(GravitySource(CaptureSettings()).up).all()


@pytest.mark.parametrize(
    ("acceleration", "frame_id", "axes"),
    [
        ((0.0, -9.8, 0.0), "camera_imu_optical_frame", "auto"),
        ((0.0, 0.0, 9.8), "camera_imu_frame", "auto"),
        ((0.0, -9.8, 0.0), "imu", "optical"),
        ((0.0, 0.0, 9.8), "camera_imu_optical_frame", "body"),
    ],
)
def test_axes_follow_the_frame_or_the_parameter(
    acceleration: tuple[float, float, float], frame_id: str, axes: str
) -> None:
    np.testing.assert_allclose(measured(acceleration, frame_id, imu_axes=axes).up, [0.0, -1.0, 0.0], atol=1e-9)


def test_a_camera_on_its_side_is_seen_in_body_axes() -> None:
    # Turned left: the camera's right side, minus y of its body, points up.
    np.testing.assert_allclose(measured((0.0, -9.8, 0.0), "camera_imu_frame").up, [1.0, 0.0, 0.0], atol=1e-9)


def test_an_orientation_is_used_only_if_the_acceleration_agrees() -> None:
    agreeing = measured((0.0, 0.0, 9.8), "imu_link", IDENTITY)
    np.testing.assert_allclose(agreeing.up, [0.0, -1.0, 0.0], atol=1e-9)
    # A driver without orientation sends the identity while the sensor lies on its side.
    np.testing.assert_allclose(measured((0.0, -9.8, 0.0), "imu_link", IDENTITY).up, [1.0, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(measured((0.0, 0.0, 9.8), "imu_link", (0.0,) * 4).up, [0.0, -1.0, 0.0], atol=1e-9)


def test_a_gyroscope_alone_gives_no_direction() -> None:
    assert np.isnan(measured((0.0, 0.0, 0.0)).up).all()
