"""DepthRegistration: identity, planes, occlusion, and agreement with a reference implementation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from rehab_pose.capture.registration import BORDER_PX, FOOTPRINT_MARGIN, MIN_REACH_PX, DepthRegistration
from rehab_pose.errors import ContractError, InputError
from rehab_pose.geometry.camera import CameraIntrinsics

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = CameraIntrinsics(64, 48, 46.0, 46.0, 31.5, 23.5)
VGA = CameraIntrinsics(640, 480, 460.0, 460.0, 319.5, 239.5)


def motion(shift_m: tuple[float, float, float], rotation_rad: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Any:  # noqa: ANN401
    matrix = np.eye(4)
    matrix[:3, :3] = cv2.Rodrigues(np.array(rotation_rad))[0]
    matrix[:3, 3] = shift_m
    return matrix


def register_reference(
    depth_m: NDArray[np.float32],
    depth: CameraIntrinsics,
    color: CameraIntrinsics,
    color_from_depth: Any,  # noqa: ANN401
) -> NDArray[np.float64]:
    """Return the result of `register`, computed pixel by pixel in double precision."""
    out = np.full((color.height_px, color.width_px), np.inf)
    rows, columns = np.nonzero(np.isfinite(depth_m))
    for row, column in zip(rows, columns, strict=True):
        z = depth_m[row, column]
        point = depth.back_project(np.array([column, row]), z) @ color_from_depth[:3, :3].T + color_from_depth[:3, 3]
        if point[2] <= 0:
            continue
        u, v = color.project(point)
        reach = 0.5 * FOOTPRINT_MARGIN * z / point[2] * np.array([color.fx / depth.fx, color.fy / depth.fy])
        reach_u, reach_v = np.clip(reach, MIN_REACH_PX, BORDER_PX / 2)
        for y in range(max(int(np.floor(v - reach_v)) + 1, 0), min(int(np.floor(v + reach_v)) + 1, color.height_px)):
            for x in range(max(int(np.floor(u - reach_u)) + 1, 0), min(int(np.floor(u + reach_u)) + 1, color.width_px)):
                out[y, x] = min(out[y, x], point[2])
    return np.where(np.isfinite(out), out, np.nan)


def scene(camera: CameraIntrinsics, seed: int) -> NDArray[np.float32]:
    """Return blocks at random depths with holes."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0.6, 4.0, (camera.height_px // 8, camera.width_px // 8)).astype(np.float32)
    depth_m = np.kron(coarse, np.ones((8, 8), np.float32))
    depth_m[random.random(depth_m.shape) < 0.1] = np.nan
    return depth_m


def test_the_identity_returns_the_image_exactly() -> None:
    random = np.random.default_rng(0)
    depth_m = random.uniform(0.3, 6.0, (480, 640)).astype(np.float32)
    depth_m[random.random(depth_m.shape) < 0.2] = np.nan
    np.testing.assert_array_equal(DepthRegistration(VGA, VGA, np.eye(4)).register(depth_m), depth_m)


@pytest.mark.parametrize("baseline_m", [-0.05, 0.03])
def test_a_frontal_plane_moves_by_focal_length_times_baseline_over_depth(baseline_m: float) -> None:
    # Every point of a frontal plane at 2 m moves by f b / z and keeps its depth.
    depth_m = np.full((480, 640), 2.0, np.float32)
    depth_m[100:110, 200:230] = np.nan
    registered = DepthRegistration(VGA, VGA, motion((baseline_m, 0.0, 0.0))).register(depth_m)
    moved_px = VGA.fx * baseline_m / 2.0
    columns = np.arange(640)
    valid = (columns >= np.ceil(moved_px - 0.575)) & (columns <= np.floor(639 + moved_px + 0.575))
    np.testing.assert_array_equal(np.isfinite(registered[50]), valid)
    assert np.all(registered[np.isfinite(registered)] == np.float32(2.0))
    hole = np.nonzero(np.isnan(registered[105]) & valid)[0]
    assert hole.min() == pytest.approx(200 + moved_px, abs=1.1)
    assert hole.max() == pytest.approx(229 + moved_px, abs=1.1)


def test_a_tilted_plane_has_its_transformed_equation() -> None:
    # n . X = d in the depth camera; the same plane in the colour camera is n' = R n, d' = d + n' . t.
    normal, distance = np.array([0.3, -0.2, 1.0]), 2.0
    pixels = np.stack(np.meshgrid(np.arange(640), np.arange(480)), axis=-1)
    rays = VGA.back_project(pixels, np.ones((480, 640)))
    color_from_depth = motion((0.05, -0.01, 0.02), (0.02, -0.05, 0.01))
    registered = DepthRegistration(VGA, VGA, color_from_depth).register((distance / (rays @ normal)).astype(np.float32))
    rotated = color_from_depth[:3, :3] @ normal
    expected = (distance + rotated @ color_from_depth[:3, 3]) / (rays @ rotated)
    valid = np.isfinite(registered)
    assert valid.mean() > 0.85
    # A pixel has the depth of a point at most 0.6 px away.
    np.testing.assert_allclose(registered[valid], expected[valid], atol=0.6 * np.abs(np.diff(expected)).max() * 2.0)


def test_the_nearest_surface_occludes_the_others() -> None:
    depth_m = np.full((480, 640), 3.0, np.float32)
    depth_m[:, 300:340] = 1.0
    registered = DepthRegistration(VGA, VGA, motion((-0.05, 0.0, 0.0))).register(depth_m)
    # The bar moves by 23 px, the wall behind it by 7.7 px: the bar covers the wall and leaves a gap without return.
    np.testing.assert_array_equal(registered[:, 278:316], np.float32(1.0))
    assert np.isnan(registered[:, 319:330]).all()
    np.testing.assert_array_equal(registered[:, 334:600], np.float32(3.0))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("color", [SMALL, CameraIntrinsics(96, 54, 70.0, 71.0, 47.0, 27.5), SMALL.scaled(32, 24)])
def test_the_kernel_equals_the_reference_implementation(seed: int, color: CameraIntrinsics) -> None:
    random = np.random.default_rng(seed)
    color_from_depth = motion(tuple(random.uniform(-0.1, 0.1, 3)), tuple(random.uniform(-0.1, 0.1, 3)))
    depth_m = scene(SMALL, seed)
    registered = DepthRegistration(SMALL, color, color_from_depth).register(depth_m)
    expected = register_reference(depth_m, SMALL, color, color_from_depth)
    same = np.isclose(registered, expected, rtol=1e-5, equal_nan=True)
    assert same.mean() > 0.998, "only where a footprint ends on a pixel centre, single and double precision may differ"


def test_a_surface_has_no_holes_in_a_colour_image_of_higher_resolution() -> None:
    color = CameraIntrinsics(1280, 720, 920.0, 920.0, 639.5, 359.5)
    pixels = np.stack(np.meshgrid(np.arange(640), np.arange(480)), axis=-1)
    slope = VGA.back_project(pixels, np.ones((480, 640))) @ np.array([0.8, 0.3, 1.0])
    registered = DepthRegistration(VGA, color, motion((0.05, 0.0, 0.0), (0.0, 0.05, 0.02))).register(
        (2.0 / slope).astype(np.float32)
    )
    inside = registered[60:-60, 160:-100]
    assert np.isnan(inside).mean() < 0.01


def test_points_behind_or_far_outside_the_colour_camera_are_left_out() -> None:
    depth_m = np.full((48, 64), 1.0, np.float32)
    assert np.isnan(DepthRegistration(SMALL, SMALL, motion((0.0, 0.0, -1.5))).register(depth_m)).all()
    assert np.isnan(DepthRegistration(SMALL, SMALL, motion((1e6, -1e6, 0.0))).register(depth_m)).all()


def test_another_matrix_or_image_size_is_refused() -> None:
    with pytest.raises(ContractError, match="expected a rigid motion"):
        DepthRegistration(SMALL, SMALL, np.diag([1.0, 1.0, -1.0, 1.0]))
    with pytest.raises(ContractError, match="expected a rigid motion"):
        DepthRegistration(SMALL, SMALL, np.diag([1000.0, 1000.0, 1000.0, 1.0]))
    with pytest.raises(InputError, match="expected 64x48 pixels"):
        DepthRegistration(SMALL, SMALL, np.eye(4)).register(np.zeros((480, 640), np.float32))
