"""Overlay: drawn pixels and layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from rehab_pose.body.loader import load_body_model
from rehab_pose.datatypes import ExerciseClassification, Joints, RgbdFrame, Silhouette
from rehab_pose.drawing.overlay import OverlayContent, draw_overlay, write_picture
from rehab_pose.errors import RecordingError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from pathlib import Path

CAMERA = CameraIntrinsics(40, 30, 30.0, 30.0, 19.5, 14.5)
FRAME = RgbdFrame(1, "camera", CAMERA, np.full((30, 40, 3), 90, np.uint8), np.full((30, 40), 2.0, np.float32))


def test_without_content_the_frame_is_shown_twice() -> None:
    picture = draw_overlay(FRAME, OverlayContent(None, None, None, None), load_body_model())
    np.testing.assert_array_equal(picture, np.hstack([FRAME.color, FRAME.color]))


def test_a_silhouette_colours_its_pixels_on_the_left_only() -> None:
    inside = np.zeros((14, 10), np.bool_)
    inside[3:11, 2:8] = True
    silhouette = Silhouette(
        1, "camera", CAMERA, (5, 6, 10, 14), inside, np.zeros((14, 10, 3), np.uint8), np.ones((14, 10), np.float32)
    )
    picture = draw_overlay(FRAME, OverlayContent(silhouette, None, None, None), load_body_model())
    changed = (picture != 90).any(axis=2)
    assert changed[9:17, 7:13].all()
    # The outline is two pixels wide.
    near = cv2.dilate(silhouette.full_mask().astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert not changed[:, :40][~near].any()
    assert not changed[:, 40:].any()


def test_pictures_are_laid_out_in_rows_and_filled_with_white(tmp_path: Path) -> None:
    pictures = [np.full((4, 6, 3), value, np.uint8) for value in (50, 100, 150)]
    write_picture(pictures, 2, tmp_path / "new" / "overlay.png")
    image = cv2.imread(str(tmp_path / "new" / "overlay.png"))
    assert image is not None
    blocks = image.reshape(2, 4, 2, 6, 3)
    np.testing.assert_array_equal(blocks[:, 0, :, 0, 0], [[50, 100], [150, 255]])
    assert (blocks == blocks[:, :1, :, :1]).all()


def test_one_picture_has_no_empty_place_beside_it(tmp_path: Path) -> None:
    write_picture([np.full((4, 6, 3), 50, np.uint8)], 2, tmp_path / "overlay.png")
    image = cv2.imread(str(tmp_path / "overlay.png"))
    assert image is not None
    assert image.shape == (4, 6, 3)


def test_exercise_and_sides_are_named_and_fit_into_a_narrow_picture() -> None:
    joints = Joints(
        1, "camera", SMPL_24, np.full((24, 3), np.nan), np.zeros(24), np.zeros(24), np.zeros(24, dtype=np.uint8)
    )
    label = ExerciseClassification(1, "camera", 0, "lateral_trunk_tilt", 0.9, np.array([0.1, 0.9]), False, "m")
    wide = RgbdFrame(
        1,
        "camera",
        CameraIntrinsics(640, 480, 460.0, 460.0, 319.5, 239.5),
        np.full((480, 640, 3), 90, np.uint8),
        np.full((480, 640), 2.0, np.float32),
    )
    picture = draw_overlay(wide, OverlayContent(None, joints, None, label), load_body_model())
    coloured = (picture.max(axis=2).astype(int) - picture.min(axis=2)) > 60
    assert coloured[450:, :640].any(), "the legend has the colours of the sides"
    assert (picture[:28, :640] != 90).any()
    assert not (picture[:, 640:] != 90).any()
    small = draw_overlay(FRAME, OverlayContent(None, joints, None, label), load_body_model())
    assert small.shape == (30, 80, 3)


def test_no_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="at least one frame"):
        write_picture([], 2, tmp_path / "overlay.png")
