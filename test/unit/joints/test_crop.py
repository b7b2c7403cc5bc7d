"""PersonCrop: transforms between the crop and the camera, for every attitude of the camera."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.joints.crop import CROP_PX, CROP_SIDE_M, DEPTH_SCALE_M, PersonCrop, crop_box

BOX = (200, 80, 150, 300)
CAMERA = CameraIntrinsics(640, 480, 600.0, 600.0, 320.0, 240.0)


def place_in_square(crop: PersonCrop, pixel: np.ndarray) -> tuple[float, float]:
    """Return u, v of a pixel whose centre has integer coordinates."""
    offset = (pixel + 0.5 - crop.centre_px) / crop.side_px
    return float(offset @ crop.right) + 0.5, float(offset @ crop.down) + 0.5


@pytest.mark.no_cover
@given(
    focal=st.floats(300.0, 900.0),
    roll=st.floats(-np.pi, np.pi),
    pitch=st.floats(-1.0, 1.0),
    u=st.floats(0.0, 1.0),
    v=st.floats(0.0, 1.0),
    depth=st.floats(-1.5, 1.5),
)
def test_a_point_of_the_crop_projects_to_its_place_in_the_square(
    focal: float, roll: float, pitch: float, u: float, v: float, depth: float
) -> None:
    camera = CameraIntrinsics(640, 480, focal, focal, 320.0, 240.0)
    rolled, pitched = matrices_from_axis_angles(np.array([[0.0, 0.0, roll], [pitch, 0.0, 0.0]]))
    up = rolled @ pitched @ np.array([0.0, -1.0, 0.0])
    crop = crop_box(np.full((BOX[3], BOX[2]), 2.5, np.float32), BOX, camera, up)
    assert crop is not None
    point = crop.points_m(np.array([[u, v]]), np.array([depth]), camera)
    np.testing.assert_allclose(place_in_square(crop, camera.project(point)[0]), (u, v), atol=1e-9)
    np.testing.assert_allclose(point[0, 2], 2.5 + depth * DEPTH_SCALE_M)
    # Gravity points down in the crop: a point farther along it lies farther down, in the same column.
    below = camera.project(point - 0.05 * (up - up[2] * np.array([0.0, 0.0, 1.0])))[0]
    column, row = place_in_square(crop, below)
    assert column == pytest.approx(u, abs=1e-9)
    assert row > v


@pytest.mark.parametrize("roll_deg", [0.0, 90.0, 180.0, -30.0])
def test_a_pixel_of_the_crop_contains_the_surface_that_projects_there(roll_deg: float) -> None:
    depth = np.full((BOX[3], BOX[2]), np.nan, np.float32)
    depth[96:108, 56:68] = 2.0
    depth[200:202, 40:80] = 2.0
    up = np.array([np.sin(np.radians(roll_deg)), -np.cos(np.radians(roll_deg)), 0.0])
    crop = crop_box(depth, BOX, CAMERA, up)
    assert crop is not None
    u, v = place_in_square(crop, np.array([BOX[0] + 61.5, BOX[1] + 101.5]))
    row, column = int(v * CROP_PX), int(u * CROP_PX)
    assert crop.encoded[1, row, column] == 1.0
    assert crop.encoded[1].sum() < 40
    np.testing.assert_allclose(crop.side_px, CROP_SIDE_M / 2.0 * 600.0)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_camera_gives_the_same_crop(turns: int) -> None:
    camera = CameraIntrinsics(480, 480, 500.0, 500.0, 239.5, 239.5)
    rows, columns = np.mgrid[100:400, 180:300]
    depth = np.full((480, 480), np.nan, np.float32)
    depth[100:400, 180:300] = 2.0 + 0.001 * rows + 0.0005 * columns
    depth[120:160, 300:380] = 2.2
    upright = crop_box(depth, (0, 0, 480, 480), camera, np.array([0.0, -1.0, 0.0]))
    up = np.rint([-np.sin(turns * np.pi / 2), -np.cos(turns * np.pi / 2), 0.0])
    turned = crop_box(np.ascontiguousarray(np.rot90(depth, turns)), (0, 0, 480, 480), camera, up)
    assert upright is not None
    assert turned is not None
    same = np.isclose(upright.encoded, turned.encoded, atol=0.02).mean()
    assert same > 0.98, "pixels at the border between two samples may fall to either side"


def test_the_third_channel_is_the_height_along_gravity() -> None:
    pitch = 0.7
    up = np.array([0.0, -np.cos(pitch), -np.sin(pitch)])
    rows, columns = np.mgrid[0 : BOX[3], 0 : BOX[2]]
    depth = (2.0 + 0.002 * rows + 0.001 * columns).astype(np.float32)
    crop = crop_box(depth, BOX, CAMERA, up)
    assert crop is not None
    centres = (np.arange(CROP_PX) + 0.5) / CROP_PX
    inside = crop.encoded[1] > 0
    u, v = np.meshgrid(centres, centres)
    fractions, relative = np.stack([u[inside], v[inside]], axis=1), crop.encoded[0][inside].astype(np.float64)
    heights = crop.points_m(fractions, relative, CAMERA) @ up
    expected = (heights - np.median(heights)) / DEPTH_SCALE_M
    np.testing.assert_allclose(crop.encoded[2][inside], np.clip(expected, -1.5, 1.5), atol=0.01)
    assert (crop.encoded[:, ~inside] == 0.0).all()


def test_a_person_who_is_cut_off_below_gets_room_for_the_legs() -> None:
    depth = np.full((300, 150), 2.0, np.float32)
    whole = crop_box(depth, (200, 100, 150, 300), CAMERA)
    cut = crop_box(depth, (200, 180, 150, 300), CAMERA)
    assert whole is not None
    assert cut is not None
    assert place_in_square(whole, np.array([275.0, 249.5]))[1] == pytest.approx(0.5, abs=0.01)
    top = place_in_square(cut, np.array([275.0, 179.5]))[1]
    assert top * CROP_SIDE_M == pytest.approx(0.15, abs=0.01)


def test_unknown_gravity_gives_a_crop_that_is_not_turned() -> None:
    depth = np.full((BOX[3], BOX[2]), 2.5, np.float32)
    for up in (None, np.full(3, np.nan), np.array([0.0, 0.0, -1.0])):
        crop = crop_box(depth, BOX, CAMERA, up)
        assert crop is not None
        np.testing.assert_array_equal(crop.right, [1.0, 0.0])
        np.testing.assert_array_equal(crop.down, [0.0, 1.0])


def test_a_silhouette_without_depth_gives_no_crop() -> None:
    assert crop_box(np.full((300, 150), np.nan, np.float32), BOX, CAMERA) is None
