"""KeypointDetector on drawn shapes whose corners and medial axis are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from rehab_pose.datatypes import Silhouette, unknown_plane
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.keypoints.detector import KeypointDetector
from rehab_pose.keypoints.medial_axis import end_and_branch_points
from rehab_pose.keypoints.settings import KeypointSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

BOX = (100, 50, 160, 240)
ALL_FAMILIES = {
    "contour",
    "harris",
    "shi_tomasi",
    "orb",
    "brisk",
    "sift",
    "akaze",
    "skeleton_end",
    "skeleton_branch",
}


def silhouette(inside: NDArray[np.bool_], color: NDArray[np.uint8] | None = None) -> Silhouette:
    height, width = inside.shape
    if color is None:
        color = np.full((height, width, 3), 200, np.uint8)
    return Silhouette(
        stamp_ns=5,
        frame_id="camera",
        intrinsics=CameraIntrinsics(640, 480, 600.0, 600.0, 320.0, 240.0),
        box_px=(BOX[0], BOX[1], width, height),
        inside=inside,
        color=color * inside[..., None],
        depth_m=np.where(inside, np.float32(2.0), np.float32(np.nan)),
        floor_plane=unknown_plane(),
    )


def textured() -> Silhouette:
    random = np.random.default_rng(3)
    small = random.integers(0, 255, (30, 20, 3), dtype=np.uint8)
    color = cv2.resize(small, (BOX[2], BOX[3]), interpolation=cv2.INTER_CUBIC)
    inside = np.zeros((BOX[3], BOX[2]), np.bool_)
    cv2.ellipse(view := inside.astype(np.uint8), (80, 120), (70, 110), 0, 0, 360, 1, -1)
    return silhouette(view.astype(np.bool_), color.astype(np.uint8))


def test_the_corners_of_a_rectangle_are_its_contour_points() -> None:
    inside = np.zeros((100, 80), np.bool_)
    inside[10:90, 20:60] = True
    keypoints = KeypointDetector().detect(silhouette(inside))
    contour = next(family for family in keypoints.families if family.detector == "contour")
    corners = {(120.0, 60.0), (159.0, 60.0), (159.0, 139.0), (120.0, 139.0)}
    assert {(float(u), float(v)) for u, v in contour.pixels} == corners
    np.testing.assert_allclose(contour.depth_m, 2.0)


def test_every_family_finds_points_inside_the_box_with_its_own_columns() -> None:
    keypoints = KeypointDetector().detect(textured())
    families = {family.detector: family for family in keypoints.families}
    assert set(families) == ALL_FAMILIES
    x, y, width, height = BOX
    for name, family in families.items():
        if name.startswith("skeleton"):
            continue
        assert len(family.pixels) > 3, name
        assert (family.pixels >= (x - 1, y - 1)).all()
        assert (family.pixels <= (x + width + 1, y + height + 1)).all()
    for name, columns, dtype in (("orb", 32, np.uint8), ("brisk", 64, np.uint8), ("sift", 128, np.float32)):
        descriptors = families[name].descriptors
        assert descriptors is not None
        assert descriptors.shape == (len(families[name].pixels), columns)
        assert descriptors.dtype == dtype
        assert np.isfinite(families[name].size_px).all()
        assert np.isfinite(families[name].response).all()
    assert np.isnan(families["harris"].size_px).all()
    assert families["harris"].descriptors is None


def test_half_resolution_points_lie_where_full_resolution_ones_do() -> None:
    rows, columns = np.indices((BOX[3], BOX[2]))
    squares = ((rows // 24 + columns // 24) % 2 * 200 + 30).astype(np.uint8)
    figure = silhouette(np.ones((BOX[3], BOX[2]), np.bool_), np.repeat(squares[..., None], 3, axis=2))
    # The corners of the squares lie half a pixel before the pixel that starts the next square.
    corner = np.stack([np.arange(1, 6) * 24 - 0.5 + BOX[0], np.full(5, 120 - 0.5 + BOX[1])], axis=1)
    for half in (True, False):
        keypoints = KeypointDetector(KeypointSettings(half_resolution=half, maximum_points=200)).detect(figure)
        found = next(family for family in keypoints.families if family.detector == "shi_tomasi").pixels
        distance = np.linalg.norm(corner[:, None] - found[None], axis=2).min(axis=1)
        assert (distance < 2.5).all(), (half, distance)


def test_a_cross_has_four_ends_and_one_branch() -> None:
    inside = np.zeros((101, 101), np.bool_)
    inside[48:53, 10:91] = True
    inside[10:91, 48:53] = True
    ends, branches = end_and_branch_points(inside)
    assert len(ends) == 4
    assert len(branches) == 1
    np.testing.assert_allclose(branches[0], (50, 50), atol=2)


def test_thinning_reaches_the_image_border() -> None:
    inside = np.ones((9, 60), np.bool_)
    ends, branches = end_and_branch_points(inside)
    assert len(ends) == 2
    assert len(branches) == 0


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (15, 15)])
def test_a_tiny_silhouette_gives_no_error(size: tuple[int, int]) -> None:
    keypoints = KeypointDetector().detect(silhouette(np.ones(size, np.bool_)))
    assert {family.detector for family in keypoints.families} == ALL_FAMILIES
