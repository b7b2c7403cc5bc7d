"""Stabiliser: a person keeps the place in the reference frame, whatever the camera does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.datatypes import Joints
from rehab_pose.exercise.rigid_motion import deformation_range_m
from rehab_pose.exercise.stabiliser import Stabiliser
from rehab_pose.exercise.window_features import FEATURE_INDEX
from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose.geometry.rotations import matrices_from_axis_angles

if TYPE_CHECKING:
    from numpy.typing import NDArray

Film = Callable[..., list[Joints]]
TURN_RAD, SWAY_M, WAVE_HZ = np.radians(4.0), 0.12, 0.3
CAMERA_HEIGHT_M = 1.2


def camera_path(way: str, times_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rotations (T, 3, 3) and places (T, 3) [m] of the camera in its frame at rest."""
    wave = np.sin(2.0 * np.pi * WAVE_HZ * times_s)
    turns, places = np.zeros((len(times_s), 3)), np.zeros((len(times_s), 3))
    if way in {"pitch", "pan", "roll"}:
        turns[:, ("pitch", "pan", "roll").index(way)] = TURN_RAD * wave
    else:
        places[:, 0 if way == "sideways" else 2] = SWAY_M * wave
    return matrices_from_axis_angles(turns), places


def seen(frames: list[Joints], way: str) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return stamps (T) [ns], joints (T, 24, 3) [m] and poses (T, 4, 4) of the moving camera in a z-up frame."""
    stamps_ns = np.array([joints.stamp_ns for joints in frames])
    rotations, places_m = camera_path(way, (stamps_ns - stamps_ns[0]) * 1e-9)
    points_m = np.array([joints.positions_m for joints in frames])
    z_up = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
    poses = np.tile(np.eye(4), (len(frames), 1, 1))
    poses[:, :3, :3], poses[:, :3, 3] = z_up @ rotations, places_m @ z_up.T
    return stamps_ns, (points_m - places_m[:, None]) @ rotations, poses


def stabilised(
    stabiliser: Stabiliser, stamps_ns: NDArray[np.int64], points_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.array([stabiliser.process(int(ns), points)[0] for ns, points in zip(stamps_ns, points_m, strict=True)])


@pytest.mark.parametrize("way", ["pitch", "pan", "sideways", "forwards"])
def test_the_pelvis_keeps_its_place_over_planted_feet(make_film: Film, way: str) -> None:
    stamps_ns, points_m, _ = seen(make_film("none", 3), way)
    moved = stabilised(Stabiliser(), stamps_ns, points_m)
    pelvis_m = moved[60:, FEATURE_INDEX["pelvis"]]
    low, high = np.percentile(pelvis_m, (2, 98), axis=0)
    raw_low, raw_high = np.percentile(points_m[60:, 0], (2, 98), axis=0)
    assert (raw_high - raw_low).max() > 0.2
    # Height and distance: what gravity leaves is the lean of the body by the camera's own angle.
    assert (high - low)[1] < 0.05
    assert (high - low).max() < 0.5 * (raw_high - raw_low).max()


@pytest.mark.parametrize("way", ["pitch", "pan", "roll", "sideways", "forwards"])
def test_a_fixed_frame_leaves_only_the_noise(make_film: Film, way: str) -> None:
    stamps_ns, points_m, poses = seen(make_film("none", 2), way)
    stabiliser, moved = Stabiliser(), []
    for stamp_ns, points, pose in zip(stamps_ns, points_m, poses, strict=True):
        stabiliser.set_camera_pose(pose)
        moved.append(stabiliser.process(int(stamp_ns), points)[0])
    assert np.array(moved).std(axis=0).max() < 0.012
    neck_over_pelvis = np.mean(moved, axis=0)[FEATURE_INDEX["neck"]] - np.mean(moved, axis=0)[FEATURE_INDEX["pelvis"]]
    assert neck_over_pelvis @ CAMERA_UP > 0.99 * np.linalg.norm(neck_over_pelvis)


def test_without_a_moving_camera_a_squat_is_left_as_it_is(make_film: Film) -> None:
    frames = make_film("squat", 3)
    stamps_ns, points_m = np.array([joints.stamp_ns for joints in frames]), np.array([j.positions_m for j in frames])
    # Ankles that follow the body by 10 cm, as a Kinect's do.
    drop_m = points_m[:, 0, 1] - points_m[0, 0, 1]
    points_m[:, [7, 8, 10, 11], 2] -= (0.4 * drop_m)[:, None]
    moved = stabilised(Stabiliser(), stamps_ns, points_m)
    np.testing.assert_allclose(moved[:, FEATURE_INDEX["pelvis"]], points_m[:, 0], atol=1e-9)


def test_a_lifted_foot_does_not_move_the_body(make_film: Film) -> None:
    frames = make_film("none", 4)
    stamps_ns, points_m = np.array([joints.stamp_ns for joints in frames]), np.array([j.positions_m for j in frames])
    lift_m = 0.3 * np.clip(np.sin(np.arange(len(frames)) / 15.0), 0.0, None)
    points_m[:, [7, 10], 1] -= lift_m[:, None]
    points_m[:, 4, 1] -= 0.5 * lift_m
    moved = stabilised(Stabiliser(), stamps_ns, points_m)
    assert np.ptp(moved[:, FEATURE_INDEX["pelvis"], 1]) < 0.09


def test_gravity_that_becomes_known_turns_what_was_before(make_film: Film) -> None:
    frames = make_film("none", 1)
    tilt = matrices_from_axis_angles(np.array([0.35, 0.0, 0.0]))
    stabiliser = Stabiliser()
    before, correction = stabiliser.process(frames[0].stamp_ns, frames[0].positions_m @ tilt)
    assert correction is None
    stabiliser.set_floor_plane(np.append(tilt.T @ CAMERA_UP, CAMERA_HEIGHT_M))
    after, correction = stabiliser.process(frames[1].stamp_ns, frames[1].positions_m @ tilt)
    assert correction is not None
    np.testing.assert_allclose(correction.moved(before), after, atol=0.06)
    trunk = after[FEATURE_INDEX["neck"]] - after[FEATURE_INDEX["pelvis"]]
    assert trunk @ CAMERA_UP > 0.98 * np.linalg.norm(trunk)


def test_feet_that_are_missing_leave_the_last_displacement(make_film: Film) -> None:
    stamps_ns, points_m, _ = seen(make_film("none", 2), "sideways")
    points_m[100:130, [7, 8, 10, 11]] = np.nan
    moved = stabilised(Stabiliser(), stamps_ns, points_m)
    assert np.isfinite(moved[100:130, FEATURE_INDEX["pelvis"]]).all()


@pytest.mark.parametrize("way", ["pitch", "roll"])
def test_the_deformation_tells_a_moving_camera_from_a_moving_person(make_film: Film, way: str) -> None:
    features = [np.array(seen(make_film(label, 3), way)[1]) for label in ("none", "squat")]
    still, squat = (
        stabilised(Stabiliser(), np.arange(20) * 100_000_000, points[100:160:3]).astype(np.float32)
        for points in features
    )
    assert np.ptp(features[0][100:160, 15], axis=0).max() > 0.05  # the head
    assert deformation_range_m(still) < 0.03
    assert deformation_range_m(squat) > 0.06
