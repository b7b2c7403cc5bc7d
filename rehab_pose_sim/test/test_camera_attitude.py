"""A camera that is turned about its axis or pitched far down: image and ground truth turn together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

SMALL = SimulationSettings(
    width_px=240, height_px=240, fx=200.0, fy=200.0, noise="none", exercise="none", posture="kneeling", aim="pitch"
)


@pytest.mark.parametrize(("roll_deg", "turns"), [(90.0, 1), (-90.0, -1), (180.0, 2)])
def test_a_turned_camera_gives_the_image_turned_the_other_way(roll_deg: float, turns: int) -> None:
    upright = SimulatedCamera(SMALL).frame(40)
    turned = SimulatedCamera(replace(SMALL, roll_deg=roll_deg)).frame(40)
    silhouette = np.rot90(upright.truth.silhouette, turns)
    assert np.count_nonzero(silhouette != turned.truth.silhouette) < 0.01 * np.count_nonzero(silhouette)
    both = silhouette & turned.truth.silhouette
    depth = np.abs(np.rot90(upright.frame.depth_m, turns) - turned.frame.depth_m)[both]
    assert np.percentile(depth, 99) < 1e-3
    color = np.abs(np.rot90(upright.frame.color, turns).astype(int) - turned.frame.color)[both]
    assert np.percentile(color, 99) <= 1


@pytest.mark.parametrize("roll_deg", [0.0, 35.0, 90.0, 180.0, -120.0])
def test_the_truth_of_a_turned_camera_fits_its_image(roll_deg: float) -> None:
    shot = SimulatedCamera(replace(SMALL, roll_deg=roll_deg, imu=True)).frame(10)
    truth, up = shot.truth, shot.frame.up
    np.testing.assert_allclose(up, truth.floor_plane[:3], atol=1e-12)
    # "Clockwise, seen from behind" moves the direction up to the image's left.
    angle = np.arctan2(-up[0], -up[1])
    assert np.degrees(angle) == pytest.approx((roll_deg + 180.0) % 360.0 - 180.0, abs=0.5) or roll_deg == 180.0
    pixels = np.rint(shot.frame.intrinsics.project(truth.joints_m)).astype(int)
    inside = [truth.silhouette[v - 2 : v + 3, u - 2 : u + 3].any() for u, v in pixels]
    assert np.mean(inside) > 0.8
    points = shot.frame.intrinsics.back_project_image(shot.frame.depth_m)[~truth.silhouette].astype(np.float64)
    height = points @ truth.floor_plane[:3] + truth.floor_plane[3]
    assert np.nanmin(height) > -1e-3


def test_frames_carry_no_direction_of_gravity_without_the_sensor() -> None:
    assert np.isnan(SimulatedCamera(SMALL).frame(0).frame.up).all()


def test_a_camera_that_aims_by_height_keeps_its_pitch() -> None:
    truth = SimulatedCamera(replace(SMALL, aim="height", pitch_deg=60.0, distance_m=1.2)).frame(0).truth
    assert np.degrees(np.arcsin(-truth.floor_plane[2])) == pytest.approx(60.0)
    rows, columns = np.nonzero(truth.silhouette)
    assert abs(rows.mean() - 119.5) < 40
    assert abs(columns.mean() - 119.5) < 20
