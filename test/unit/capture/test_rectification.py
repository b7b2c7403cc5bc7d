"""Rectification: the tables agree with OpenCV's projection of points."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from rehab_pose.capture.rectification import Rectification, source_pixels
from rehab_pose.errors import InputError
from rehab_pose.geometry.calibration import CameraCalibration

if TYPE_CHECKING:
    from numpy.typing import NDArray

K = (460.0, 0.0, 318.0, 0.0, 462.0, 243.0, 0.0, 0.0, 1.0)
PLUMB_BOB = CameraCalibration(640, 480, K, d=(-0.12, 0.05, 0.001, -0.0015, 0.01))
RATIONAL = CameraCalibration(
    640,
    480,
    K,
    p=(430.0, 0.0, 320.0, 0.0, 430.0, 240.0, 0.0, 0.0, 1.0),
    distortion_model="rational_polynomial",
    d=(0.5, -2.6, 0.0003, -0.0002, 1.5, 0.4, -2.4, 1.4),
)
EQUIDISTANT = CameraCalibration(640, 480, K, distortion_model="equidistant", d=(0.05, -0.01, 0.002, -0.0005))
ROTATED = replace(PLUMB_BOB, r=tuple(cv2.Rodrigues(np.array([0.01, -0.02, 0.015]))[0].ravel().tolist()))
LENSES = {"plumb_bob": PLUMB_BOB, "rational": RATIONAL, "equidistant": EQUIDISTANT, "rotated": ROTATED}


def raw_pixels(calibration: CameraCalibration, rectified_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pixels (N, 2) of the uncropped raw image of rectified pixels (N, 2), by OpenCV's projection."""
    rays = calibration.rectified().back_project(rectified_px, np.ones(len(rectified_px)))
    rays = rays @ calibration.rotation()  # raw_from_rectified = R^T
    matrix, zero = np.array(calibration.k).reshape(3, 3), np.zeros(3)
    if calibration.distortion_model == "equidistant":
        pixels, _ = cv2.fisheye.projectPoints(rays[:, None], zero, zero, matrix, np.array(calibration.d))
    else:
        pixels, _ = cv2.projectPoints(rays, zero, zero, matrix, np.array(calibration.d))
    return np.asarray(pixels[:, 0], dtype=np.float64)


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize(("roi", "binning"), [((0, 0, 0, 0), 1), ((80, 40, 400, 320), 1), ((80, 40, 400, 320), 2)])
def test_a_rectified_pixel_takes_the_raw_pixel_of_the_same_ray(lens: str, roi: Any, binning: int) -> None:  # noqa: ANN401
    calibration = replace(LENSES[lens], roi_px=roi, binning=(binning, binning))
    columns, rows = source_pixels(calibration)
    assert (columns.shape[1], columns.shape[0]) == calibration.image_size_px
    pixels = np.stack(np.meshgrid(np.arange(0, columns.shape[1], 23), np.arange(0, columns.shape[0], 19)), -1)
    pixels = pixels.reshape(-1, 2)
    expected = (raw_pixels(calibration, pixels.astype(np.float64)) - roi[:2] + 0.5) / binning - 0.5
    sources = np.stack([columns[pixels[:, 1], pixels[:, 0]], rows[pixels[:, 1], pixels[:, 0]]], axis=1)
    np.testing.assert_allclose(sources, expected, atol=0.01)


@pytest.mark.parametrize("lens", LENSES)
def test_a_dot_of_the_raw_image_moves_to_its_pinhole_projection(lens: str) -> None:
    calibration = LENSES[lens]
    points = np.array([[200.0, 150.0], [330.0, 250.0], [450.0, 140.0], [180.0, 350.0], [470.0, 330.0]])
    raw = raw_pixels(calibration, points)
    rows, columns = np.mgrid[0:480, 0:640]
    image = np.zeros((480, 640))
    for u, v in raw:
        image += 250.0 * np.exp(-((columns - u) ** 2 + (rows - v) ** 2) / (2.0 * 2.5**2))
    rectified = Rectification(calibration).rectify_color(np.repeat(image.astype(np.uint8)[..., None], 3, axis=2))
    for point in points:
        near = np.hypot(columns - point[0], rows - point[1]) < 12.0
        weight = rectified[..., 0] * near
        centre = np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()
        np.testing.assert_allclose(centre, point, atol=0.1)


def test_the_new_camera_agrees_with_opencvs_undistorted_points() -> None:
    raw = np.array([[100.0, 80.0], [320.0, 240.0], [600.0, 420.0]])
    matrix, coefficients = np.array(RATIONAL.k).reshape(3, 3), np.array(RATIONAL.d)
    rays = cv2.undistortPoints(raw[:, None], matrix, coefficients)[:, 0]
    pixels = Rectification(RATIONAL).intrinsics.project(np.column_stack([rays, np.ones(3)]))
    np.testing.assert_allclose(raw_pixels(RATIONAL, pixels), raw, atol=0.1)


def test_without_distortion_the_same_image_object_is_returned() -> None:
    rectification = Rectification(CameraCalibration(640, 480, K, d=(0.0,) * 5))
    color, depth = np.zeros((480, 640, 3), np.uint8), np.zeros((480, 640), np.uint16)
    assert rectification.rectify_color(color) is color
    assert rectification.rectify_depth(depth) is depth


@pytest.mark.parametrize(("dtype", "missing"), [(np.uint16, 0.0), (np.float32, np.nan)])
def test_rectified_depth_is_never_averaged_and_outside_is_missing(dtype: Any, missing: float) -> None:  # noqa: ANN401
    near_far = np.where(np.arange(640) < 320, 1, 3).astype(dtype)
    wide = replace(RATIONAL, p=(200.0, 0.0, 320.0, 0.0, 200.0, 240.0, 0.0, 0.0, 1.0))
    rectified = Rectification(wide).rectify_depth(np.tile(near_far, (480, 1)))
    assert rectified.dtype == dtype
    np.testing.assert_equal(rectified[0, 0], missing)
    values = rectified[(rectified > 0) & np.isfinite(rectified)]
    assert set(np.unique(values)) == {1, 3}


def test_an_unknown_distortion_model_or_another_size_is_refused() -> None:
    with pytest.raises(InputError, match="expected the distortion model"):
        Rectification(replace(PLUMB_BOB, distortion_model="mystery"))
    with pytest.raises(InputError, match="expected 640x480 pixels as in its calibration, got 320x240"):
        Rectification(PLUMB_BOB).rectify_color(np.zeros((240, 320, 3), np.uint8))
