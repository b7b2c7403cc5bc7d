"""DepthCleaner: units, missing values, range and flying pixels."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.capture.cleaning import DepthCleaner
from rehab_pose.capture.settings import CaptureSettings
from rehab_pose.errors import InputError
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings


def test_millimetres_become_metres_and_zero_becomes_nan() -> None:
    depth = np.full((4, 5), 1500, dtype=np.uint16)
    depth[1, 2] = 0
    cleaned = DepthCleaner().clean(depth)
    assert cleaned.dtype == np.float32
    assert np.isnan(cleaned[1, 2])
    np.testing.assert_allclose(np.delete(cleaned.ravel(), 7), 1.5, rtol=1e-6)


def test_metres_are_unchanged_and_infinity_becomes_nan() -> None:
    depth = np.full((4, 5), 2.25, dtype=np.float32)
    depth[0, 0], depth[0, 1] = np.inf, np.nan
    cleaned = DepthCleaner().clean(depth)
    assert np.isnan(cleaned[0, :2]).all()
    assert cleaned[3, 4] == np.float32(2.25)
    assert depth[0, 0] == np.inf, "the input must not be changed"


def test_depth_out_of_range_becomes_nan() -> None:
    cleaned = DepthCleaner(CaptureSettings(depth_minimum_m=1.0, depth_maximum_m=2.0)).clean(
        np.array([[500, 1000, 2000, 2001]], dtype=np.uint16)
    )
    np.testing.assert_array_equal(np.isnan(cleaned), [[True, False, False, True]])


def test_only_the_pixel_between_two_surfaces_is_removed() -> None:
    depth = np.full((9, 9), 3.0, dtype=np.float32)
    depth[:, :4] = 2.0
    depth[:, 4] = 2.5
    cleaned = DepthCleaner().clean(depth)
    assert np.isnan(cleaned[1:-1, 4]).all()
    assert np.isfinite(np.delete(cleaned, 4, axis=1)).all()


def test_an_inclined_surface_is_kept() -> None:
    depth = np.tile(np.linspace(1.0, 2.0, 50, dtype=np.float32), (10, 1))
    assert np.isfinite(DepthCleaner().clean(depth)).all()


def test_an_isolated_pixel_is_removed_and_a_wire_is_kept() -> None:
    depth = np.full((9, 9), np.nan, dtype=np.float32)
    depth[2, 2] = 2.0
    depth[1:8, 6] = 2.0
    cleaned = DepthCleaner().clean(depth)
    assert np.isnan(cleaned[2, 2])
    assert np.isfinite(cleaned[2:7, 6]).all()


@pytest.mark.parametrize("noise", ["realsense", "kinect"])
def test_flying_pixels_of_the_simulated_person_are_removed_and_valid_ones_kept(noise: str) -> None:
    simulated = SimulatedCamera(SimulationSettings(noise=noise)).frame(77)
    noisy, exact = np.array(simulated.frame.depth_m), np.nan_to_num(simulated.truth.depth_m, posinf=50.0)
    padded = np.pad(exact, 1, mode="edge")
    around = np.stack([padded[y : y + 480, x : x + 640] for y in range(3) for x in range(3)])
    off_m = np.abs(noisy - around).min(axis=0)
    between = (noisy > around.min(axis=0) + 0.05) & (noisy < around.max(axis=0) - 0.05)
    in_range = (noisy >= 0.3) & (noisy <= 6.0)
    flying = in_range & between & (off_m > 0.05)
    removed = in_range & np.isnan(DepthCleaner().clean(noisy))
    assert flying.sum() > 100
    assert removed[flying].mean() > 0.93
    valid_on_person = in_range & ~flying & simulated.truth.silhouette
    assert removed[valid_on_person].mean() < 0.005
    assert removed[in_range & ~flying].mean() < 0.001


@pytest.mark.parametrize("bad", [np.zeros((3, 4, 1), np.uint16), np.zeros((3, 4), np.float64)])
def test_other_shapes_and_types_are_refused(bad: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    with pytest.raises(InputError, match="expected"):
        DepthCleaner().clean(bad)
