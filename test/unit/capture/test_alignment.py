"""FrameAligner and calibration files: rectification and registration of images."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.capture.alignment import FrameAligner, named_raw
from rehab_pose.capture.calibration_file import read_calibration
from rehab_pose.capture.settings import CaptureSettings
from rehab_pose.errors import InputError, RecordingError, SettingsError
from rehab_pose.geometry.calibration import CameraCalibration

if TYPE_CHECKING:
    from pathlib import Path

COLOR = {"width": 64, "height": 48, "fx": 46.0, "fy": 46.0, "cx": 31.5, "cy": 23.5}
DEPTH = {"width": 32, "height": 24, "fx": 23.0, "fy": 23.0, "cx": 15.5, "cy": 11.5}
DISTORTED = CameraCalibration(64, 48, (46.0, 0.0, 31.5, 0.0, 46.0, 23.5, 0.0, 0.0, 1.0), d=(-0.3, 0.1, 0.0, 0.0, 0.0))
COLOR_IMAGE = np.tile((np.arange(64) * 4).astype(np.uint8)[None, :, None], (48, 1, 3))
DEPTH_MM = np.full((48, 64), 2000, np.uint16)


def file_of(folder: Path, **values: Any) -> Path:  # noqa: ANN401
    path = folder / "camera.json"
    path.write_text(json.dumps(COLOR | values))
    return path


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("/camera/camera/color/image_raw", True),
        ("/camera/color/image_raw/compressed", True),
        ("/zed/zed_node/rgb_raw/image_raw_color", True),
        ("/rgb/image_rect_color", False),
        ("/zed/zed_node/rgb/color/rect/image", False),
        ("/drawing/image", False),
        ("", False),
    ],
)
def test_raw_images_are_recognised_by_the_topic_name(name: str, raw: bool) -> None:
    assert named_raw(name) is raw


@pytest.mark.parametrize(
    ("choice", "raw", "changes"),
    [("auto", True, True), ("auto", False, False), ("always", False, True), ("never", True, False)],
)
def test_raw_images_are_rectified_and_rectified_images_are_unchanged(choice: str, raw: bool, changes: bool) -> None:
    aligner = FrameAligner(CaptureSettings(rectify=choice), raw_color=raw, raw_depth=raw)
    color, depth_m, intrinsics = aligner.align(COLOR_IMAGE, DEPTH_MM, DISTORTED)
    assert (color is COLOR_IMAGE) is not changes
    assert depth_m[24, 32] == np.float32(2.0)
    assert intrinsics == DISTORTED.rectified()
    again, _, _ = aligner.align(COLOR_IMAGE, DEPTH_MM, DISTORTED)
    np.testing.assert_array_equal(color, again)


def test_depth_of_a_separate_camera_is_registered(tmp_path: Path) -> None:
    shift = np.eye(4)
    shift[0, 3] = 0.1
    path = file_of(tmp_path, depth=DEPTH, color_from_depth=shift.tolist())
    calibration = read_calibration(path)
    aligner = FrameAligner(CaptureSettings(depth_calibration_path=str(path)))
    color, depth_m, intrinsics = aligner.align(COLOR_IMAGE, np.full((24, 32), 2000, np.uint16), calibration.color)
    assert color.shape[:2] == depth_m.shape == (intrinsics.height_px, intrinsics.width_px) == (48, 64)
    # 0.1 m at 2 m is 2.3 px of the colour camera: the first columns have no return.
    assert np.isnan(depth_m[:, 0]).all()
    assert np.all(depth_m[:, 3:] == np.float32(2.0))


def test_different_sizes_are_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"colour 64x48, depth 32x24, camera_info 64x48; .*depth_calibration_path"):
        FrameAligner().align(COLOR_IMAGE, np.zeros((24, 32), np.uint16), DISTORTED)
    path = file_of(tmp_path, depth=DEPTH, color_from_depth=np.eye(4).tolist())
    aligner = FrameAligner(CaptureSettings(depth_calibration_path=str(path)))
    with pytest.raises(InputError, match="expected 32x24 pixels as in its calibration, got 64x48"):
        aligner.align(COLOR_IMAGE, DEPTH_MM, DISTORTED)
    with pytest.raises(InputError, match="expected colour and camera_info of one size, got colour 32x24"):
        aligner.align(COLOR_IMAGE[:24, :32], DEPTH_MM, DISTORTED)


def test_a_file_contains_distortion_and_depth_camera(tmp_path: Path) -> None:
    path = file_of(tmp_path, d=[0.1, 0.0, 0.0, 0.0], depth=DEPTH, color_from_depth=np.eye(4).tolist())
    calibration = read_calibration(path)
    assert calibration.color.distorted
    assert calibration.depth is not None
    assert calibration.depth.camera.rectified().width_px == 32
    np.testing.assert_array_equal(calibration.depth.color_from_depth, np.eye(4))
    assert read_calibration(file_of(tmp_path)).depth is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"depth": DEPTH}, 'expected "color_from_depth"'),
        ({"depth": DEPTH, "color_from_depth": [1, 2, 3]}, 'expected "color_from_depth"'),
        ({"depth": {"width": 3}, "color_from_depth": np.eye(4).tolist()}, 'section "depth"'),
        ({"d": ["much"]}, "expected width, height, fx"),
    ],
)
def test_files_with_another_content_are_refused(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        read_calibration(file_of(tmp_path, **values))


def test_registration_needs_a_file_with_a_depth_camera(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match='expected the sections "depth"'):
        FrameAligner(CaptureSettings(depth_calibration_path=str(file_of(tmp_path))))
