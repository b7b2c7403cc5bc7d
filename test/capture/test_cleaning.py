"""DepthCleaner: units, missing values, edges."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.capture.cleaning import DepthCleaner
from rehab_pose.capture.settings import CaptureSettings
from rehab_pose.errors import InputError


def test_millimetres_become_metres_and_zero_becomes_nan() -> None:
    depth = np.full((4, 5), 1500, dtype=np.uint16)
    depth[1, 2] = 0
    cleaned = DepthCleaner().clean(depth)
    assert cleaned.dtype == np.float32
    assert np.isnan(cleaned[1, 2])
    np.testing.assert_allclose(np.delete(cleaned.ravel(), 7), 1.5, rtol=1e-6)


def test_metres_stay_and_infinity_becomes_nan() -> None:
    depth = np.full((4, 5), 2.25, dtype=np.float32)
    depth[0, 0], depth[0, 1] = np.inf, np.nan
    cleaned = DepthCleaner().clean(depth)
    assert np.isnan(cleaned[0, :2]).all()
    assert cleaned[3, 4] == np.float32(2.25)
    assert depth[0, 0] == np.inf, "the camera's image must not be written to"


def test_out_of_range_is_no_return() -> None:
    cleaned = DepthCleaner(CaptureSettings(depth_minimum_m=1.0, depth_maximum_m=2.0)).clean(
        np.array([[500, 1000, 2000, 2001]], dtype=np.uint16)
    )
    np.testing.assert_array_equal(np.isnan(cleaned), [[True, False, False, True]])


def test_a_pixel_between_two_surfaces_is_dropped_and_the_surfaces_stay() -> None:
    depth = np.full((9, 9), 3.0, dtype=np.float32)
    depth[:, :4] = 2.0
    depth[:, 4] = 2.5
    cleaned = DepthCleaner().clean(depth)
    assert np.isnan(cleaned[1:-1, 4]).all()
    assert np.isfinite(np.delete(cleaned, 4, axis=1)).all()


def test_a_slope_is_not_an_edge() -> None:
    depth = np.tile(np.linspace(1.0, 2.0, 50, dtype=np.float32), (10, 1))
    assert np.isfinite(DepthCleaner().clean(depth)).all()


@pytest.mark.parametrize("bad", [np.zeros((3, 4, 1), np.uint16), np.zeros((3, 4), np.float64)])
def test_other_images_are_refused_with_what_is_accepted(bad: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    with pytest.raises(InputError, match="expected"):
        DepthCleaner().clean(bad)
