"""Sensor errors: their size, the places without return, and repeatability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose_sim.depth_noise import SENSORS, DepthNoise

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAMERA = CameraIntrinsics(320, 240, 230.0, 230.0, 159.5, 119.5)


def with_errors(kind: str, exact: NDArray[np.float32], index: int = 0) -> NDArray[np.float32]:
    color = np.full((240, 320, 3), 128, dtype=np.uint8)
    return DepthNoise(kind, CAMERA, seed=3).add_errors(index, exact, color)


@pytest.mark.parametrize("kind", list(SENSORS))
@pytest.mark.parametrize("distance_m", [1.0, 2.0, 4.0])
def test_the_error_on_a_wall_has_the_models_standard_deviation(kind: str, distance_m: float) -> None:
    depth = with_errors(kind, np.full((240, 320), distance_m, dtype=np.float32))
    model = SENSORS[kind]
    expected = model.constant_sigma_m + model.square_sigma_m * distance_m**2
    rounding = model.step_m / np.sqrt(12.0)
    assert np.nanstd(depth) == pytest.approx(np.hypot(expected, rounding), rel=0.15)
    assert np.nanmean(depth) == pytest.approx(distance_m, abs=expected)
    assert np.isnan(depth).mean() == pytest.approx(model.lost_fraction, abs=0.01)


def test_depth_is_a_multiple_of_the_sensors_unit() -> None:
    depth = with_errors("realsense", np.full((240, 320), 2.0, dtype=np.float32))
    steps = depth[np.isfinite(depth)].astype(np.float64) / 0.001
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)


def test_stereo_has_no_return_left_of_a_near_surface() -> None:
    exact = np.full((240, 320), 4.0, dtype=np.float32)
    exact[60:180, 120:200] = 1.0
    depth = with_errors("realsense", exact)
    shadow_px = 230.0 * 0.05 * (1.0 / 1.0 - 1.0 / 4.0)
    lost = np.isnan(depth[80:160]).mean(axis=0)
    assert lost[round(120 - 0.8 * shadow_px) : 119].min() > 0.95
    assert lost[round(120 - 2.5 * shadow_px) : round(120 - 1.4 * shadow_px)].mean() < 0.2
    assert lost[202:230].mean() < 0.2


def test_flying_pixels_occur_only_at_edges_and_between_near_and_far() -> None:
    exact = np.full((240, 320), 3.0, dtype=np.float32)
    exact[:, 160:] = 1.5
    depth = with_errors("kinect", exact)
    between = (depth > 1.6) & (depth < 2.9)
    columns = np.flatnonzero(between.any(axis=0))
    assert set(columns) == {159, 160}
    assert between[:, 159:161].mean() > 0.15


def test_without_noise_only_infinity_becomes_nan() -> None:
    exact = np.full((240, 320), 2.0, dtype=np.float32)
    exact[0, 0] = np.inf
    depth = with_errors("none", exact)
    assert np.isnan(depth[0, 0])
    assert (depth.ravel()[1:] == 2.0).all()


def test_the_noise_differs_between_frames_and_repeats_for_a_frame() -> None:
    exact = np.full((240, 320), 2.0, dtype=np.float32)
    np.testing.assert_array_equal(with_errors("realsense", exact, 4), with_errors("realsense", exact, 4))
    assert not np.array_equal(with_errors("realsense", exact, 4), with_errors("realsense", exact, 5))
