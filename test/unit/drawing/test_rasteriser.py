"""Rasteriser compared with ray casting, an analytic sphere and an analytic plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.loader import load_body_model
from rehab_pose.body.skinning import pose_vertices
from rehab_pose.datatypes import BodyParameters
from rehab_pose.drawing.rasteriser import draw_mesh, empty_buffers, render_person, shade, vertex_normals
from rehab_pose.geometry.camera import CameraIntrinsics

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = CameraIntrinsics(48, 64, 60.0, 62.0, 23.3, 31.1)


def rays(intrinsics: CameraIntrinsics) -> NDArray[np.float64]:
    columns, rows = np.meshgrid(np.arange(intrinsics.width_px), np.arange(intrinsics.height_px))
    pixels = np.stack([columns, rows], axis=-1)
    return intrinsics.back_project(pixels, np.ones(columns.shape))


def cast(
    vertices: NDArray[np.float64], faces: NDArray[np.int32], directions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the depth along z of the first intersection of each ray (Moeller and Trumbore 1997); NaN = none."""
    depth = np.full(directions.shape[:2], np.inf)
    a = vertices[faces[:, 0]]
    first, second = vertices[faces[:, 1]] - a, vertices[faces[:, 2]] - a
    for pixel in np.ndindex(depth.shape):
        across = np.cross(directions[pixel], second)
        determinant = (first * across).sum(axis=1)
        usable = np.abs(determinant) > 1e-12
        scale = 1.0 / np.where(usable, determinant, 1.0)
        u = -(a * across).sum(axis=1) * scale
        other = np.cross(-a, first)
        v = (other @ directions[pixel]) * scale
        t = (second * other).sum(axis=1) * scale
        hit = usable & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
        if hit.any():
            depth[pixel] = t[hit].min()
    return np.where(np.isfinite(depth), depth, np.nan)


def sphere(
    radius_m: float, centre: tuple[float, float, float], subdivisions: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return a closed mesh of a sphere, anticlockwise from outside."""
    polar, around = np.linspace(0.0, np.pi, subdivisions + 1), np.linspace(0.0, 2.0 * np.pi, 2 * subdivisions + 1)
    grid = np.stack(
        [np.outer(np.sin(polar), np.cos(around)), np.outer(np.sin(polar), np.sin(around)),
         np.outer(np.cos(polar), np.ones_like(around))], axis=-1
    )  # fmt: skip
    index = np.arange(grid.shape[0] * grid.shape[1]).reshape(grid.shape[:2])
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return (radius_m * grid.reshape(-1, 3) + centre).astype(np.float32), faces.astype(np.int32)


def body_in_camera() -> NDArray[np.float32]:
    rotations = np.random.default_rng(0).normal(0.0, 0.3, (24, 3))
    rotations[0] = [np.pi, 0.0, 0.0]
    return pose_vertices(load_body_model(), BodyParameters(np.zeros(10), rotations, np.array([0.0, 0.0, 2.2])))


def test_the_depth_of_a_body_equals_ray_casting() -> None:
    model, vertices = load_body_model(), body_in_camera()
    depth, triangle = render_person(model, vertices, SMALL)
    truth = cast(vertices.astype(np.float64), model.faces, rays(SMALL))
    # In single precision a ray through an edge may be on either side of it.
    assert np.count_nonzero(np.isfinite(depth) != np.isfinite(truth)) <= 2
    both = np.isfinite(depth) & np.isfinite(truth)
    assert np.count_nonzero(both) > 200
    np.testing.assert_allclose(depth[both], truth[both], atol=2e-5)
    assert ((triangle >= 0) == np.isfinite(depth)).all()


def test_a_sphere_has_its_analytic_depth() -> None:
    vertices, faces = sphere(0.5, (0.1, -0.05, 2.0), 200)
    inverse_depth, triangle = empty_buffers(SMALL)
    draw_mesh(vertices, faces, SMALL, inverse_depth, triangle)
    directions, centre = rays(SMALL), np.array([0.1, -0.05, 2.0])
    a, b = (directions**2).sum(axis=-1), directions @ centre
    root = b**2 - a * (centre @ centre - 0.5**2)
    inside = root > 0.02
    truth = (b - np.sqrt(np.where(inside, root, 0.0))) / a
    np.testing.assert_allclose(1.0 / inverse_depth[inside], truth[inside], atol=5e-4)
    assert (triangle[root < -0.02] == -1).all()


def test_a_tilted_plane_has_its_analytic_depth() -> None:
    corners = np.array([[-1, -1, 1.0], [1, -1, 3.0], [1, 1, 3.0], [-1, 1, 1.0]], dtype=np.float32)
    corners[:, :2] *= corners[:, 2:]
    inverse_depth, triangle = empty_buffers(SMALL)
    draw_mesh(corners, np.array([[0, 2, 1], [0, 3, 2]], dtype=np.int32), SMALL, inverse_depth, triangle)
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0]).astype(np.float64)
    truth = (normal @ corners[0]) / (rays(SMALL) @ normal)
    drawn = triangle >= 0
    assert drawn.mean() > 0.9
    np.testing.assert_allclose(1.0 / inverse_depth[drawn], truth[drawn], rtol=1e-5)


def test_the_nearer_mesh_occludes_the_other_in_any_order() -> None:
    near, faces = sphere(0.3, (0.0, 0.0, 1.5), 24)
    far, _ = sphere(0.6, (0.0, 0.0, 3.0), 24)
    images = []
    for order in ((0, 1), (1, 0)):
        inverse_depth, triangle = empty_buffers(SMALL)
        for which in order:
            draw_mesh((near, far)[which], faces, SMALL, inverse_depth, triangle, first_id=which * len(faces))
        images.append((inverse_depth, triangle))
    np.testing.assert_array_equal(images[0][0], images[1][0])
    np.testing.assert_array_equal(images[0][1], images[1][1])
    assert (images[0][1][31, 23] >= 0) & (images[0][1][31, 23] < len(faces))


def test_a_mesh_behind_the_camera_is_not_drawn() -> None:
    vertices, faces = sphere(0.3, (0.0, 0.0, -1.5), 12)
    inverse_depth, triangle = empty_buffers(SMALL)
    draw_mesh(vertices, faces, SMALL, inverse_depth, triangle)
    assert (triangle == -1).all()
    assert (inverse_depth == 0).all()


def test_normals_of_a_sphere_point_outwards() -> None:
    vertices, faces = sphere(1.0, (0.0, 0.0, 0.0), 40)
    normals = vertex_normals(vertices, faces)
    away_from_seam = np.abs(vertices[:, 2]) < 0.9
    assert ((normals * vertices).sum(axis=1)[away_from_seam] > 0.98).all()


def test_shading_colours_only_the_drawn_pixels() -> None:
    model, vertices = load_body_model(), body_in_camera()
    _, triangle = render_person(model, vertices, SMALL)
    color = np.zeros((64, 48, 3), dtype=np.uint8)
    colors = np.full((len(model.faces), 3), 100.0, dtype=np.float32)
    shade(vertices, model.faces, np.full(len(vertices), 1.5, dtype=np.float32), colors, SMALL, triangle, color)
    assert (color[triangle < 0] == 0).all()
    assert np.abs(color[triangle >= 0].astype(int) - 150).max() <= 1
