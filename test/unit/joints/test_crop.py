"""PersonCrop: transforms between the crop and the camera."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.joints.crop import CROP_PX, CROP_SIDE_M, DEPTH_SCALE_M, crop_box

BOX = (200, 80, 150, 300)


@given(focal=st.floats(300.0, 900.0), u=st.floats(0.0, 1.0), v=st.floats(0.0, 1.0), depth=st.floats(-1.5, 1.5))
def test_a_point_of_the_crop_projects_to_its_place_in_the_square(
    focal: float, u: float, v: float, depth: float
) -> None:
    camera = CameraIntrinsics(640, 480, focal, focal, 320.0, 240.0)
    crop = crop_box(np.full((BOX[3], BOX[2]), 2.5, np.float32), BOX, camera)
    assert crop is not None
    point = crop.points_m(np.array([[u, v]]), np.array([depth]), camera)
    # Pixel centres have integer coordinates; the square begins at the edge of its first pixel.
    column, row = camera.project(point)[0] + 0.5
    np.testing.assert_allclose((column - crop.left_px) / crop.side_px, u, atol=1e-9)
    np.testing.assert_allclose((row - crop.top_px) / crop.side_px, v, atol=1e-9)
    np.testing.assert_allclose(point[0, 2], 2.5 + depth * DEPTH_SCALE_M)


def test_a_pixel_of_the_crop_contains_the_surface_that_projects_there() -> None:
    camera = CameraIntrinsics(640, 480, 600.0, 600.0, 320.0, 240.0)
    depth = np.full((BOX[3], BOX[2]), np.nan, np.float32)
    depth[96:108, 56:68] = 2.0
    crop = crop_box(depth, BOX, camera)
    assert crop is not None
    column, row = (BOX[0] + 62.0 - crop.left_px) / crop.side_px, (BOX[1] + 102.0 - crop.top_px) / crop.side_px
    assert crop.encoded[1, int(row * CROP_PX), int(column * CROP_PX)] == 1.0
    assert crop.encoded[1].sum() < 20
    np.testing.assert_allclose(crop.side_px, CROP_SIDE_M / 2.0 * 600.0)


def test_a_silhouette_without_depth_gives_no_crop() -> None:
    camera = CameraIntrinsics(640, 480, 600.0, 600.0, 320.0, 240.0)
    assert crop_box(np.full((300, 150), np.nan, np.float32), BOX, camera) is None
