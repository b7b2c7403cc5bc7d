"""CameraCalibration: effect of binning and window on the pinhole, checks of the distortion model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rehab_pose.errors import InputError
from rehab_pose.geometry.calibration import CameraCalibration
from rehab_pose.geometry.camera import CameraIntrinsics

PLAIN = CameraCalibration(640, 480, k=(600.0, 0.0, 320.0, 0.0, 610.0, 241.0, 0.0, 0.0, 1.0))


def test_binning_halves_the_pinhole_about_the_corner_of_the_image() -> None:
    binned = replace(PLAIN, binning=(2, 2)).rectified()
    assert binned == CameraIntrinsics(320, 240, 300.0, 305.0, (320.0 + 0.5) / 2 - 0.5, (241.0 + 0.5) / 2 - 0.5)
    # The mean of four neighbouring pixels' positions is the binned pixel's position.
    point = np.array([0.3, -0.2, 2.0])
    np.testing.assert_allclose(2.0 * binned.project(point) + 0.5, PLAIN.rectified().project(point))


def test_a_window_shifts_the_pinhole_and_is_counted_in_unbinned_pixels() -> None:
    assert replace(PLAIN, roi_px=(100, 50, 200, 300)).rectified() == PLAIN.rectified().cropped((100, 50, 200, 300))
    both = replace(PLAIN, roi_px=(100, 50, 200, 300), binning=(2, 2))
    assert both.rectified() == PLAIN.rectified().cropped((100, 50, 200, 300)).scaled(100, 150)
    assert both.image_size_px == (100, 150)


def test_the_rectified_camera_is_p_or_k_without_p() -> None:
    with_p = replace(PLAIN, p=(500.0, 0.0, 310.0, 0.0, 500.0, 240.0, 0.0, 0.0, 1.0))
    assert with_p.rectified().fx == 500.0
    assert with_p.raw().fx == PLAIN.rectified().fx == 600.0
    assert with_p.needs_rectification()
    assert not PLAIN.needs_rectification()
    assert not replace(PLAIN, d=(0.0,) * 5, p=PLAIN.k).needs_rectification()


def test_equal_calibrations_compare_equal() -> None:
    assert replace(PLAIN, d=(0.1,) * 5) == replace(PLAIN, d=(0.1,) * 5) != PLAIN


def test_an_unknown_lens_and_a_wrong_number_of_coefficients_are_errors() -> None:
    with pytest.raises(InputError, match="got 'thin_prism'; use the driver's rectified images"):
        replace(PLAIN, distortion_model="thin_prism", d=(0.1, 0.0)).coefficients()
    with pytest.raises(InputError, match="expected 4 or 5 distortion coefficients of plumb_bob, got 3"):
        replace(PLAIN, d=(0.1, 0.0, 0.2)).coefficients()
    with pytest.raises(InputError, match="expected 9 numbers in k, got 4"):
        CameraCalibration(640, 480, k=(1.0,) * 4)
    with pytest.raises(InputError, match=r"positive focal length K\[0\], got 0.0"):
        CameraCalibration(640, 480, k=(0.0,) * 9)
    with pytest.raises(InputError, match=r"an image of 1 to 16384 pixels a side, got .* in 0x0"):
        replace(PLAIN, width_px=0, height_px=0)


def test_an_unknown_lens_without_distortion_is_accepted() -> None:
    assert not replace(PLAIN, distortion_model="", d=(0.0, 0.0)).coefficients().any()
