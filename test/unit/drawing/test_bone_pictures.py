"""Pictures of bones: views and proportions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import BoneMesh
from rehab_pose.drawing.bone_pictures import draw_bones

if TYPE_CHECKING:
    from numpy.typing import NDArray


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> BoneMesh:
    """Return a box in the body frame: left, up, front [m]."""
    corners = np.array([[(low, high)[(i >> axis) & 1][axis] for axis in range(3)] for i in range(8)], np.float32)
    quads = [(0, 4, 6, 2), (1, 3, 7, 5), (0, 1, 5, 4), (2, 6, 7, 3), (0, 2, 3, 1), (4, 5, 7, 6)]
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32)
    return BoneMesh(corners, faces, np.array([0, 8]), np.array([0, 12]))


def drawn(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((picture < 255).any(axis=2))


def test_the_views_have_the_proportions_of_the_body() -> None:
    mesh = box((-0.2, 0.0, -0.1), (0.2, 1.0, 0.1))
    front, side = (draw_bones(mesh, None, np.eye(3), height_px=200, views_rad=(angle,)) for angle in (0.0, np.pi / 2))
    for picture, width_m in ((front, 0.4), (side, 0.2)):
        rows, columns = np.nonzero(drawn(picture))
        height_px, width_px = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert abs(width_px / height_px - width_m) < 0.02
        assert 0.9 < height_px / 200 < 0.96


def test_the_back_view_is_the_mirror_image_of_the_front_view() -> None:
    # A bone on the left side; from the front the left is at the right of the picture.
    body, bone = box((-0.3, 0.0, -0.1), (0.3, 1.0, 0.1)), box((0.1, 0.3, -0.1), (0.25, 0.6, 0.1))
    views = draw_bones(bone, (body.vertices_m, body.faces[:0]), np.eye(3), height_px=200, views_rad=(0.0, np.pi))
    front, back = np.split(drawn(views), 2, axis=1)
    assert np.nonzero(front)[1].min() > front.shape[1] // 2
    mirrored = back[:, ::-1]
    # The borders may differ by a pixel.
    assert np.count_nonzero(front & mirrored) > 0.9 * np.count_nonzero(front | mirrored)


def test_views_are_side_by_side() -> None:
    mesh = box((-0.2, 0.0, -0.2), (0.2, 1.0, 0.2))
    one = draw_bones(mesh, None, np.eye(3), height_px=100, views_rad=(0.0,))
    three = draw_bones(mesh, None, np.eye(3), height_px=100, views_rad=(0.0, 0.5 * np.pi, np.pi))
    assert three.shape == (100, 3 * one.shape[1], 3)
    np.testing.assert_array_equal(three[:, : one.shape[1]], one)
