"""CameraIntrinsics: projection against back-projection, crops and scales."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.errors import InputError
from rehab_pose.geometry.camera import CameraIntrinsics

CAMERA = CameraIntrinsics(640, 480, 617.0, 616.0, 317.0, 246.0)
coordinate = st.floats(-2.0, 2.0)


@given(x=coordinate, y=coordinate, z=st.floats(0.3, 6.0))
def test_back_projection_is_the_inverse_of_projection(x: float, y: float, z: float) -> None:
    point = np.array([x, y, z])
    np.testing.assert_allclose(CAMERA.back_project(CAMERA.project(point), np.array(z)), point, atol=1e-9)


def test_back_projecting_an_image_agrees_with_single_pixels() -> None:
    depth = np.random.default_rng(1).uniform(1.0, 3.0, (480, 640)).astype(np.float32)
    points = CAMERA.back_project_image(depth)
    pixels = np.array([[0, 0], [639, 479], [100, 300]])
    np.testing.assert_allclose(
        points[pixels[:, 1], pixels[:, 0]], CAMERA.back_project(pixels, depth[pixels[:, 1], pixels[:, 0]]), rtol=1e-5
    )


def test_a_crop_shifts_pixels_by_its_corner() -> None:
    point = np.array([0.2, -0.1, 2.0])
    crop = CAMERA.cropped((100, 50, 200, 300))
    np.testing.assert_allclose(crop.project(point), CAMERA.project(point) - [100, 50])


def test_scaling_keeps_pixel_areas_in_place() -> None:
    half = CAMERA.scaled(320, 240)
    point = np.array([0.2, -0.1, 2.0])
    np.testing.assert_allclose((half.project(point) + 0.5) * 2.0, CAMERA.project(point) + 0.5)


def test_points_behind_the_camera_have_no_pixel() -> None:
    assert np.isnan(CAMERA.project(np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]))).all()


def test_an_uncalibrated_camera_is_an_error() -> None:
    with pytest.raises(InputError, match="not calibrated"):
        CameraIntrinsics(640, 480, 0.0, 0.0, 0.0, 0.0)
