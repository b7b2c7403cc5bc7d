"""Intersections of pixel rays with surfaces equal distances computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose_sim.rays import (
    NO_SURFACE,
    WorldCamera,
    intersect_box,
    intersect_cylinder,
    intersect_ellipsoid,
    intersect_plane,
)

CAMERA = WorldCamera(
    CameraIntrinsics(21, 21, 20.0, 20.0, 10.0, 10.0), np.diag([1.0, -1.0, -1.0]), np.array([0, 1.0, 3])
)
MIDDLE = (10, 10)


def empty() -> np.ndarray:
    return np.full((21, 21), np.inf, np.float32)


def test_a_wall_has_the_same_depth_everywhere() -> None:
    depth_m = empty()
    intersect_plane(depth_m, CAMERA.eye_m, CAMERA.rays(), np.array([0.0, 0.0, 1.0]), 1.0)
    np.testing.assert_allclose(depth_m, 4.0)


def test_the_floor_is_visible_below_the_horizon() -> None:
    depth_m = empty()
    intersect_plane(depth_m, CAMERA.eye_m, CAMERA.rays(), np.array([0.0, 1.0, 0.0]), 0.0)
    assert np.isinf(depth_m[:11]).all()
    assert depth_m[20, 10] == pytest.approx(2.0)


def test_the_front_face_of_a_box_hides_its_back() -> None:
    depth_m, hit = empty(), np.full((21, 21), NO_SURFACE, np.int16)
    box = (np.array([0.0, 0.5, 0.0]), np.array([1.0, 1.0, 1.0]), 0.0)
    intersect_box(depth_m, hit, 2, (CAMERA.eye_m, CAMERA.rays()), box)
    assert depth_m[MIDDLE] == pytest.approx(2.5)
    assert hit[MIDDLE] == 3 * 2 + 2, "the face across z"
    assert hit[0, 0] == NO_SURFACE


def test_a_cylinder_is_nearest_in_its_middle() -> None:
    depth_m = empty()
    intersect_cylinder(depth_m, CAMERA.eye_m, CAMERA.rays(), np.zeros(3), (0.5, 2.0))
    assert depth_m[MIDDLE] == pytest.approx(2.5)
    assert depth_m.min() == depth_m[MIDDLE]


def test_an_ellipsoid_is_nearest_in_its_middle() -> None:
    depth_m = empty()
    radii_m = np.array([0.3, 0.4, 0.5])
    intersect_ellipsoid(depth_m, CAMERA.eye_m, CAMERA.rays(), np.array([0.0, 1.0, 0.0]), radii_m)
    assert depth_m[MIDDLE] == pytest.approx(2.5)
    assert depth_m.min() == depth_m[MIDDLE]
    assert np.isinf(depth_m[0, 0])


def test_the_floor_plane_and_the_transform_agree() -> None:
    points_m = np.array([[0.3, 0.0, 0.5], [-1.0, 0.7, 2.0]])
    height_m = CAMERA.in_camera(points_m) @ CAMERA.floor_plane[:3] + CAMERA.floor_plane[3]
    np.testing.assert_allclose(height_m, points_m[:, 1], atol=1e-12)
