"""KeypointDetector on drawn shapes with known corners and medial axes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from rehab_pose.datatypes import Silhouette
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.keypoints.detector import KeypointDetector, _Box, _Detections
from rehab_pose.keypoints.medial_axis import end_and_branch_points, thin
from rehab_pose.keypoints.settings import KeypointSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import KeypointFamily

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
    )


def textured() -> Silhouette:
    random = np.random.default_rng(3)
    small = random.integers(0, 255, (30, 20, 3), dtype=np.uint8)
    color = cv2.resize(small, (BOX[2], BOX[3]), interpolation=cv2.INTER_CUBIC)
    inside = np.zeros((BOX[3], BOX[2]), np.bool_)
    cv2.ellipse(view := inside.astype(np.uint8), (80, 120), (70, 110), 0, 0, 360, 1, -1)
    return silhouette(view.astype(np.bool_), color.astype(np.uint8))


def test_contour_points_of_a_rectangle_are_its_corners() -> None:
    inside = np.zeros((100, 80), np.bool_)
    inside[10:90, 20:60] = True
    keypoints = KeypointDetector().detect(silhouette(inside))
    contour = next(family for family in keypoints.families if family.detector == "contour")
    corners = {(120.0, 60.0), (159.0, 60.0), (159.0, 139.0), (120.0, 139.0)}
    assert {(float(u), float(v)) for u, v in contour.pixels} == corners
    np.testing.assert_allclose(contour.depth_m, 2.0)


def test_every_family_has_points_in_the_box_and_its_own_descriptor_size() -> None:
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


def test_half_resolution_gives_the_same_positions_as_full_resolution() -> None:
    rows, columns = np.indices((BOX[3], BOX[2]))
    squares = ((rows // 24 + columns // 24) % 2 * 200 + 30).astype(np.uint8)
    figure = silhouette(np.ones((BOX[3], BOX[2]), np.bool_), np.repeat(squares[..., None], 3, axis=2))
    # A corner of the squares is half a pixel to the left of and above the first pixel of the next square.
    corner = np.stack([np.arange(1, 6) * 24 - 0.5 + BOX[0], np.full(5, 120 - 0.5 + BOX[1])], axis=1)
    for half in (True, False):
        keypoints = KeypointDetector(KeypointSettings(half_resolution=half, maximum_points=200)).detect(figure)
        pixels = next(family for family in keypoints.families if family.detector == "shi_tomasi").pixels
        distance = np.linalg.norm(corner[:, None] - pixels[None], axis=2).min(axis=1)
        assert (distance < 2.5).all(), (half, distance)


def test_a_cross_has_four_end_points_and_one_branch_point() -> None:
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
def test_a_tiny_silhouette_has_all_families_without_error(size: tuple[int, int]) -> None:
    keypoints = KeypointDetector().detect(silhouette(np.ones(size, np.bool_)))
    assert {family.detector for family in keypoints.families} == ALL_FAMILIES


def families_of(figure: Silhouette, **changes: bool) -> dict[str, KeypointFamily]:
    keypoints = KeypointDetector(KeypointSettings.from_mapping(changes)).detect(figure)
    return {family.detector: family for family in keypoints.families}


@pytest.mark.parametrize(("name", "harris"), [("harris", True), ("shi_tomasi", False)])
def test_corner_responses_equal_opencvs_and_are_sorted(name: str, harris: bool) -> None:
    figure = textured()
    family = families_of(figure, half_resolution=False)[name]
    gray = cv2.cvtColor(np.array(figure.color), cv2.COLOR_RGB2GRAY)
    image = cv2.cornerHarris(gray, 3, 3, 0.04) if harris else cv2.cornerMinEigenVal(gray, 3, ksize=3)
    columns, rows = (family.pixels - BOX[:2]).astype(int).T
    np.testing.assert_allclose(family.response, image[rows, columns], rtol=1e-4)
    assert (np.diff(family.response) <= 0).all()


def test_depth_of_a_point_is_the_median_of_the_person_around_it() -> None:
    inside = np.zeros((100, 80), np.bool_)
    inside[10:90, 20:60] = True
    figure = silhouette(inside)
    depth_m = np.array(figure.depth_m)
    # Of the four pixels at the first corner one has no return and one is an outlier; the second corner has no return.
    depth_m[10:12, 20:22] = [[np.nan, 2.0], [2.1, 2.9]]
    depth_m[10:12, 58:60] = np.nan
    contour = families_of(replace(figure, depth_m=depth_m))["contour"]
    depth_at = {(float(u), float(v)): float(z) for (u, v), z in zip(contour.pixels, contour.depth_m, strict=True)}
    assert depth_at[120.0, 60.0] == pytest.approx(2.1)
    assert np.isnan(depth_at[159.0, 60.0])
    assert depth_at[120.0, 139.0] == pytest.approx(2.0)


def test_no_point_is_off_the_person() -> None:
    figure = textured()
    # Texture outside the person, which the silhouette stage would not leave, must not give points.
    color = np.array(figure.color)
    color[:40, :40] = np.random.default_rng(0).integers(0, 255, (40, 40, 3))
    near = np.pad(figure.inside, 2).astype(np.uint8)
    near = cv2.dilate(near, np.ones((5, 5), np.uint8)).astype(np.uint8)
    for half in (True, False):
        for family in families_of(replace(figure, color=color), half_resolution=half).values():
            columns, rows = np.rint(family.pixels - BOX[:2]).astype(int).T + 2
            assert near[rows, columns].all(), family.detector


def test_points_more_than_two_pixels_off_the_person_are_left_out() -> None:
    box = _Box(textured(), half=False)
    points = np.array([[80, 120], [80, 8], [80, 7], [0, 0], [-3, 120]], np.float32)
    families = box.families([_Detections("contour", points, response=np.arange(5, dtype=np.float32))])
    # The first row of the ellipse is 10: row 8 is two pixels outside, row 7 three.
    np.testing.assert_array_equal(families[0].response, [0.0, 1.0])


def test_descriptors_have_points_on_a_narrow_person() -> None:
    random = np.random.default_rng(5)
    color = cv2.resize(random.integers(0, 255, (40, 12, 3), dtype=np.uint8), (100, 360), interpolation=cv2.INTER_CUBIC)
    inside = np.zeros((360, 100), np.bool_)
    inside[5:355, 10:90] = True
    families = families_of(silhouette(inside, color.astype(np.uint8)))
    for name in ("orb", "brisk", "sift", "akaze"):
        assert len(families[name].pixels) > 10, name


def test_thinning_equals_opencvs_zhang_suen() -> None:
    random = np.random.default_rng(2)
    for size in (1.0, 2.0, 4.0):
        inside = cv2.GaussianBlur(random.random((90, 70)), (0, 0), size) > 0.5
        padded = cv2.copyMakeBorder(inside.astype(np.uint8) * 255, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        expected = cv2.ximgproc.thinning(padded, thinningType=cv2.ximgproc.THINNING_ZHANGSUEN) > 0
        np.testing.assert_array_equal(thin(inside) > 0, expected)


def test_disabled_detectors_give_no_family() -> None:
    everything_off = dict.fromkeys(
        ("contour", "harris", "shi_tomasi", "orb", "brisk", "sift", "akaze", "skeleton"), False
    )
    assert families_of(textured(), **everything_off) == {}
