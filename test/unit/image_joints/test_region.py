"""Region of the network: affine maps, orientation, cutting."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.image_joints.region import CROP_PX, Region


def test_a_region_without_rotation_maps_the_crops_middle_to_its_centre() -> None:
    region = Region(100.0, 80.0, 512.0, 0.0)
    middle = np.array([(CROP_PX - 1) / 2.0, (CROP_PX - 1) / 2.0, 1.0])
    assert region.image_from_crop @ middle == pytest.approx([100.0, 80.0])


@pytest.mark.parametrize("angle_rad", [0.0, 0.6, -1.4, np.pi])
def test_the_region_of_a_person_has_the_hips_in_the_middle_and_the_head_above(angle_rad: float) -> None:
    up = np.array([np.sin(angle_rad), -np.cos(angle_rad)])
    hips_px, circle_px = np.array([320.0, 240.0]), np.array([320.0, 240.0]) + 100.0 * up
    region = Region.around_person(hips_px, circle_px)
    assert region.side_px == pytest.approx(250.0)
    # The middle of the crop's upper half is above the hips, in the direction of the head.
    head_px = region.in_image(np.array([[CROP_PX / 2.0, CROP_PX / 4.0]]))[0]
    along = (head_px - hips_px) / np.linalg.norm(head_px - hips_px)
    assert along == pytest.approx(up, abs=0.02)


@pytest.mark.parametrize("angle_rad", [0.0, 0.5, 2.0])
def test_a_spot_of_the_image_is_cut_to_the_pixel_that_maps_back_to_it(angle_rad: float) -> None:
    color = np.zeros((480, 640, 3), np.uint8)
    color[238:243, 348:353] = 255
    region = Region(330.0, 230.0, 256.0, angle_rad)
    crop = region.cut(color)[0, :, :, 0]
    rows, columns = np.nonzero(crop > 0.5)
    # Landmarks are counted from the corner of the crop: the centre of pixel i is i + 0.5.
    found_px = region.in_image(np.array([[columns.mean() + 0.5, rows.mean() + 0.5]]))[0]
    assert found_px == pytest.approx([350.0, 240.0], abs=0.3)


def test_pixels_outside_the_image_are_black() -> None:
    crop = Region(0.0, 0.0, 200.0, 0.0).cut(np.full((100, 100, 3), 200, np.uint8))
    assert crop[0, :100, :100].max() == 0.0
    assert crop.max() == pytest.approx(200.0 / 255.0)
