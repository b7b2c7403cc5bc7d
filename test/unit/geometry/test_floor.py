"""FloorTracker in rooms of planes, for cameras in any attitude."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.geometry.floor import FloorTracker

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAMERA = CameraIntrinsics(160, 120, 115.0, 115.0, 79.5, 59.5)
HEIGHT_M, WALL_M = 1.2, 3.5
"""Height of the camera above the floor and its distance from the wall in front [m]."""


def attitude(pitch_deg: float, roll_deg: float) -> NDArray[np.float64]:
    """Return the rotation from a level camera's axes to those of a camera pitched down, then turned clockwise."""
    pitch, roll = np.radians(pitch_deg), np.radians(roll_deg)
    tilt = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    turn = np.array([[np.cos(roll), np.sin(roll), 0], [-np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(turn @ tilt, dtype=np.float64).reshape(3, 3)


def room(rotation: NDArray[np.float64], *, floor: bool = True, height_m: float = HEIGHT_M) -> NDArray[np.float32]:
    """Return the depth image of a floor and a wall."""
    rays = CAMERA.back_project_image(np.ones((120, 160))) @ rotation  # in the axes of the level camera
    with np.errstate(divide="ignore"):
        to_floor = np.where(rays[..., 1] > 0, height_m / rays[..., 1], np.inf) if floor else np.inf
        to_wall = np.where(rays[..., 2] > 0, WALL_M / rays[..., 2], np.inf)
    depth = np.minimum(to_floor, to_wall)
    return np.where(depth < 8.0, depth, np.nan).astype(np.float32)


def error_deg(plane: NDArray[np.float64], up: NDArray[np.float64]) -> float:
    return float(np.degrees(np.arccos(np.clip(plane[:3] @ up, -1.0, 1.0))))


@pytest.mark.parametrize("roll_deg", [0.0, 20.0, 90.0, -90.0, 180.0])
def test_the_floor_is_found_whichever_way_the_camera_is_turned(roll_deg: float) -> None:
    rotation = attitude(15.0, roll_deg)
    plane = FloorTracker().track(room(rotation), CAMERA)
    assert error_deg(plane, rotation @ [0.0, -1.0, 0.0]) < 0.5
    assert plane[3] == pytest.approx(HEIGHT_M, abs=0.02)


@pytest.mark.parametrize(("pitch_deg", "height_m"), [(-5.0, 0.5), (30.0, 1.5), (60.0, 2.2)])
def test_the_floor_is_found_by_tilted_cameras(pitch_deg: float, height_m: float) -> None:
    rotation = attitude(pitch_deg, 0.0)
    plane = FloorTracker().track(room(rotation, height_m=height_m), CAMERA)
    assert error_deg(plane, rotation @ [0.0, -1.0, 0.0]) < 0.5


@pytest.mark.parametrize(("pitch_deg", "roll_deg"), [(60.0, 90.0), (60.0, 180.0), (5.0, 180.0), (40.0, -45.0)])
def test_a_measured_direction_finds_the_floor_in_any_attitude(pitch_deg: float, roll_deg: float) -> None:
    rotation = attitude(pitch_deg, roll_deg)
    up = rotation @ np.array([0.0, -1.0, 0.0])
    wrong_by_four_degrees = up + 0.07 * (rotation @ np.array([0.0, 0.0, 1.0]))
    plane = FloorTracker().track(room(rotation), CAMERA, wrong_by_four_degrees / np.linalg.norm(wrong_by_four_degrees))
    assert error_deg(plane, up) < 0.5


def test_a_wall_is_no_floor_where_gravity_was_measured() -> None:
    rotation = attitude(-30.0, 0.0)
    wall = room(rotation, floor=False)
    assert np.isnan(FloorTracker().track(wall, CAMERA, rotation @ np.array([0.0, -1.0, 0.0]))).all()


def test_a_wall_in_front_of_a_level_camera_is_no_floor() -> None:
    assert np.isnan(FloorTracker().track(room(attitude(0.0, 0.0), floor=False), CAMERA)).all()


def test_a_mounting_leaves_the_tilt_open() -> None:
    rotation = attitude(50.0, 90.0)
    plane = FloorTracker().track(room(rotation, height_m=2.0), CAMERA, np.array([-1.0, 0.0, 0.0]))
    assert error_deg(plane, rotation @ [0.0, -1.0, 0.0]) < 0.5


def test_the_plane_is_forgotten_when_the_measured_direction_changes() -> None:
    tracker = FloorTracker()
    before, after = attitude(15.0, 0.0), attitude(15.0, 90.0)
    up_before, up_after = before @ np.array([0.0, -1.0, 0.0]), after @ np.array([0.0, -1.0, 0.0])
    assert error_deg(tracker.track(room(before), CAMERA, up_before), up_before) < 0.5
    assert error_deg(tracker.track(room(after), CAMERA, up_after), up_after) < 0.5


def test_a_refused_plane_is_not_taken_again() -> None:
    tracker = FloorTracker()
    rotation = attitude(15.0, 90.0)
    assert np.isfinite(tracker.track(room(rotation), CAMERA)).all()
    tracker.refuse()
    for _ in range(12):
        assert np.isnan(tracker.track(room(rotation), CAMERA)).all()
    tracker.reset()
    assert np.isfinite(tracker.track(room(rotation), CAMERA)).all()
