"""The person crop: metres in, metres out, whatever the camera."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.joints.crop import CROP_PX, CROP_SIDE_M, crop_box

BOX = (200, 80, 150, 300)


@given(focal=st.floats(300.0, 900.0), x=st.floats(-0.8, 0.8), y=st.floats(-1.0, 1.0), z=st.floats(1.5, 3.5))
def test_positions_come_back_from_the_crop(focal: float, x: float, y: float, z: float) -> None:
    camera = CameraIntrinsics(640, 480, focal, focal, 320.0, 240.0)
    crop = crop_box(np.full((BOX[3], BOX[2]), 2.5, np.float32), BOX, camera)
    assert crop is not None
    point = np.array([[x, y, z]])
    fractions, relative = crop.targets(point, camera)
    np.testing.assert_allclose(crop.points_m(fractions, relative, camera), point, atol=1e-9)


def test_a_pixel_of_the_crop_shows_the_surface_that_projects_there() -> None:
    camera = CameraIntrinsics(640, 480, 600.0, 600.0, 320.0, 240.0)
    depth = np.full((BOX[3], BOX[2]), np.nan, np.float32)
    depth[96:108, 56:68] = 2.0
    crop = crop_box(depth, BOX, camera)
    assert crop is not None
    point = camera.back_project(np.array([[BOX[0] + 61.5, BOX[1] + 101.5]]), np.array([2.0]))
    fractions, _ = crop.targets(point, camera)
    column, row = np.floor(fractions[0] * CROP_PX).astype(int)
    assert crop.encoded[1, row, column] == 1.0
    assert crop.encoded[1].sum() < 20
    np.testing.assert_allclose(crop.side_px, CROP_SIDE_M / 2.0 * 600.0)


def test_no_depth_gives_no_crop() -> None:
    camera = CameraIntrinsics(640, 480, 600.0, 600.0, 320.0, 240.0)
    assert crop_box(np.full((300, 150), np.nan, np.float32), BOX, camera) is None
