"""Depth preprocessing of the paper: properties of each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.datatypes import unknown_plane
from rehab_pose.errors import ContractError
from rehab_pose.geometry.floor import FloorTracker, height_above_floor_m
from rehab_pose_lab.methods.depth_preprocessing import (
    FLOOR_DISTANCE_M,
    PreprocessedDepth,
    equalise,
    min_max,
    preprocess,
    smooth,
)
from rehab_pose_sim.camera import SimulatedCamera

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_sim.camera import SimulatedFrame

ALL = np.ones((64, 64), dtype=np.bool_)


@pytest.fixture(scope="module")
def simulated() -> SimulatedFrame:
    return SimulatedCamera().frame(60)


@pytest.fixture(scope="module")
def steps(simulated: SimulatedFrame) -> PreprocessedDepth:
    plane = FloorTracker().track(simulated.frame.depth_m, simulated.frame.intrinsics)
    return preprocess(simulated.frame.depth_m, simulated.frame.intrinsics, plane)


def test_removed_points_are_within_epsilon_of_the_plane(simulated: SimulatedFrame, steps: PreprocessedDepth) -> None:
    plane = FloorTracker().track(simulated.frame.depth_m, simulated.frame.intrinsics)
    height_m = height_above_floor_m(simulated.frame.intrinsics.back_project_image(simulated.frame.depth_m), plane)
    assert steps.floor.sum() > 20_000
    assert np.abs(height_m[steps.floor]).max() < FLOOR_DISTANCE_M
    assert np.abs(height_m[steps.measured]).min() >= FLOOR_DISTANCE_M
    assert not (steps.floor & steps.measured).any()
    np.testing.assert_array_equal(steps.floor | steps.measured, np.isfinite(simulated.frame.depth_m))


def test_the_person_remains_and_the_metric_depth_is_unchanged(
    simulated: SimulatedFrame, steps: PreprocessedDepth
) -> None:
    person = simulated.truth.silhouette & np.isfinite(simulated.frame.depth_m)
    assert steps.measured[person].mean() > 0.97, "all except the soles"
    kept = steps.without_floor_m[steps.measured]
    np.testing.assert_array_equal(kept, simulated.frame.depth_m[steps.measured])


def test_min_max_is_linear_and_covers_all_levels(steps: PreprocessedDepth) -> None:
    levels, depth_m = steps.normalised[steps.measured], steps.without_floor_m[steps.measured]
    assert (levels.min(), levels.max()) == (0, 255)
    order = np.argsort(depth_m)
    assert np.all(np.diff(levels[order].astype(int)) >= 0)
    middle = 0.5 * (depth_m.min() + depth_m.max())
    assert levels[np.argmin(np.abs(depth_m - middle))] == pytest.approx(127.5, abs=1.0)


def test_missing_pixels_are_zero_in_every_image(steps: PreprocessedDepth) -> None:
    missing = ~steps.measured
    assert missing.any()
    for picture in (steps.normalised, steps.equalised, steps.three_channels, steps.smoothed):
        assert not picture[missing].any()
    assert np.isnan(steps.without_floor_m[missing]).all()


def test_clahe_increases_the_contrast_on_the_person(simulated: SimulatedFrame, steps: PreprocessedDepth) -> None:
    person = simulated.truth.silhouette & steps.measured
    assert steps.equalised[person].std() > steps.normalised[person].std()


def test_the_three_channels_are_equal(steps: PreprocessedDepth) -> None:
    for picture in (steps.three_channels, steps.smoothed):
        np.testing.assert_array_equal(picture[..., 0], picture[..., 1])
        np.testing.assert_array_equal(picture[..., 0], picture[..., 2])
    np.testing.assert_array_equal(steps.three_channels[..., 0], steps.equalised)


def test_the_bilateral_filter_removes_noise_and_keeps_edges() -> None:
    random = np.random.default_rng(3)
    step = np.where(np.arange(64) < 32, 60, 180)
    noisy = np.clip(step + random.normal(0.0, 8.0, (64, 64)), 0, 255).astype(np.uint8)
    image: NDArray[np.uint8] = np.repeat(noisy[..., None], 3, axis=2)
    filtered = smooth(image, ALL)[..., 0].astype(float)
    assert filtered[8:-8, 4:24].std() < 0.5 * noisy[8:-8, 4:24].std()
    assert (filtered[:, 32].mean() - filtered[:, 31].mean()) > 0.95 * 120


def test_images_without_depth_or_with_constant_depth_are_zero() -> None:
    assert not min_max(np.full((4, 4), np.nan, np.float32)).any()
    assert not min_max(np.full((4, 4), 2.0, np.float32)).any()
    assert not equalise(np.zeros((64, 64), np.uint8), ~ALL).any()


def test_without_a_plane_no_floor_is_removed_and_a_foreground_limits_the_pixels(simulated: SimulatedFrame) -> None:
    depth_m, camera = simulated.frame.depth_m, simulated.frame.intrinsics
    whole = preprocess(depth_m, camera, unknown_plane())
    assert not whole.floor.any()
    np.testing.assert_array_equal(whole.measured, np.isfinite(depth_m))
    person = preprocess(depth_m, camera, unknown_plane(), simulated.truth.silhouette)
    np.testing.assert_array_equal(person.measured, np.isfinite(depth_m) & simulated.truth.silhouette)


def test_images_of_another_size_are_refused(simulated: SimulatedFrame) -> None:
    with pytest.raises(ContractError, match=r"expected images of shape \(480, 640\)"):
        preprocess(np.zeros((4, 4), np.float32), simulated.frame.intrinsics, unknown_plane())
