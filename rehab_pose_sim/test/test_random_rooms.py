"""Random rooms: the floor is at the camera's height, and furniture has the requested heights."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose_sim.random_rooms import random_furniture_depth_m, random_room_depth_m, random_table_depth_m
from rehab_pose_sim.rays import WorldCamera

CAMERA_HEIGHT_M, DISTANCE_M, SEAT_HEIGHT_M = 1.2, 2.0, 0.45


def level_camera() -> WorldCamera:
    """Return a camera 1.2 m above the floor that looks along -z."""
    rotation = np.diag([1.0, -1.0, -1.0])
    eye_m = np.array([0.0, CAMERA_HEIGHT_M, DISTANCE_M])
    return WorldCamera(CameraIntrinsics(80, 64, 77.0, 77.0, 40.0, 32.0), rotation, eye_m)


def test_the_floor_is_at_the_cameras_height() -> None:
    camera = level_camera()
    depth_m = random_room_depth_m(camera, np.zeros(3), np.random.default_rng(0))
    points_m = camera.intrinsics.back_project_image(depth_m)
    lowest = points_m[-1, :, 1]
    assert np.median(np.abs(lowest - CAMERA_HEIGHT_M)) < 0.3
    assert np.nanmax(points_m[..., 1]) < CAMERA_HEIGHT_M + 1e-3


def test_the_height_of_depth_is_the_height_above_the_floor() -> None:
    camera = level_camera()
    a, b, c, d = camera.height_of_depth()
    assert d == pytest.approx(CAMERA_HEIGHT_M)
    # The optical axis is level; 16 pixels below it a point at 2 m is 2 * 16 / 77 m lower than the camera.
    assert 2.0 * (a * 40.0 + b * 48.0 + c) + d == pytest.approx(CAMERA_HEIGHT_M - 2.0 * 16.0 / 77.0)


def test_a_seat_under_the_person_has_the_requested_height() -> None:
    camera = level_camera()
    with_seat = 0
    for seed in range(10):
        depth_m = random_furniture_depth_m(
            camera, np.zeros(3), np.random.default_rng(seed), seat_height_m=SEAT_HEIGHT_M
        )
        assert (depth_m > 0).all()
        points_m = camera.intrinsics.back_project_image(np.where(np.isfinite(depth_m), depth_m, np.float32(np.nan)))
        height_m = CAMERA_HEIGHT_M - points_m[..., 1]
        with_seat += int(np.count_nonzero(np.abs(height_m - SEAT_HEIGHT_M) < 0.005) > 20)
    assert with_seat >= 5, "the top of the seat is visible in most images"


def test_a_table_is_in_front_of_the_person() -> None:
    camera = level_camera()
    visible = 0
    for seed in range(10):
        column = random_table_depth_m(camera, np.zeros(3), np.random.default_rng(seed))[:, 40]
        table = np.isfinite(column)
        visible += int(table.any())
        assert (column[table] < DISTANCE_M).all()
    assert visible >= 5, "the others are below the image"
