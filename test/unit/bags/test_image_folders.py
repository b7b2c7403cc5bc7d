"""Image folders: conversion to a bag, and errors for missing, unpaired and damaged files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from rehab_pose.bags.image_folders import bag_from_images, intrinsics_from_file, paired_files
from rehab_pose.bags.reader import BagReader
from rehab_pose.cli.main import main
from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    from pathlib import Path

CAMERA_FACTS = {"width": 16, "height": 12, "fx": 20.0, "fy": 21.0, "cx": 7.5, "cy": 5.5}


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for name in ("color", "depth"):
        (tmp_path / name).mkdir()
    for index in range(3):
        cv2.imwrite(str(tmp_path / "color" / f"{index:03}.png"), random.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        depth = random.integers(500, 4000, (12, 16)).astype(np.uint16)
        cv2.imwrite(str(tmp_path / "depth" / f"{index:03}.png"), depth)
    (tmp_path / "camera.json").write_text(json.dumps(CAMERA_FACTS))
    return tmp_path


def convert(folders: Path, rate_hz: float = 10.0) -> int:
    camera = intrinsics_from_file(folders / "camera.json")
    return bag_from_images(folders / "color", folders / "depth", camera, rate_hz, folders / "bag")


def test_frames_of_the_bag_equal_the_images(folders: Path) -> None:
    assert convert(folders) == 3
    with BagReader(folders / "bag") as bag:
        frames = list(bag.frames())
    assert [frame.stamp_ns for frame in frames] == [1_000_000_000, 1_100_000_000, 1_200_000_000]
    bgr = cv2.imread(str(folders / "color" / "001.png"))
    assert bgr is not None
    np.testing.assert_array_equal(frames[1].color, bgr[..., ::-1])
    assert frames[0].intrinsics == intrinsics_from_file(folders / "camera.json")


def test_open3ds_column_major_matrix_gives_the_same_camera(tmp_path: Path) -> None:
    matrix = [20.0, 0, 0, 0, 21.0, 0, 7.5, 5.5, 1]
    (tmp_path / "plain.json").write_text(json.dumps(CAMERA_FACTS))
    (tmp_path / "open3d.json").write_text(json.dumps({"width": 16, "height": 12, "intrinsic_matrix": matrix}))
    assert intrinsics_from_file(tmp_path / "plain.json") == intrinsics_from_file(tmp_path / "open3d.json")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"width": 16, "height": 12, "intrinsic_matrix": [1]}'])
def test_intrinsics_with_another_content_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "camera.json").write_text(content)
    with pytest.raises(RecordingError, match="intrinsics: expected"):
        intrinsics_from_file(tmp_path / "camera.json")


def test_an_image_without_a_partner_is_refused(folders: Path) -> None:
    (folders / "depth" / "001.png").unlink()
    with pytest.raises(RecordingError, match=r"1 have no partner: .*color/001\.png"):
        paired_files(folders / "color", folders / "depth")


def test_an_empty_folder_is_refused(folders: Path) -> None:
    (folders / "empty").mkdir()
    with pytest.raises(RecordingError, match=r"expected depth images .*empty, found none"):
        paired_files(folders / "color", folders / "empty")


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((6, 8), np.uint16), "expected 16x12 pixels"),
        (np.zeros((12, 16), np.uint8), "expected 16-bit depth"),
        (None, "expected a PNG or JPEG"),
    ],
)
def test_an_invalid_depth_image_is_refused(folders: Path, pixels: Any, message: str) -> None:  # noqa: ANN401
    file = folders / "depth" / "001.png"
    if pixels is None:
        file.write_bytes(b"damaged")
    else:
        cv2.imwrite(str(file), pixels)
    with pytest.raises(RecordingError, match=rf"{message}.*" if pixels is None else message) as raised:
        convert(folders)
    assert "001.png" in str(raised.value)


def test_the_command_converts_and_reports_an_error_in_one_line(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["bag", "from-images", "--color", str(folders / "color"), "--depth", str(folders / "depth")]
    command += ["--intrinsics", str(folders / "camera.json"), "--rate", "15", "-o", str(folders / "bag")]
    assert main(command) == 0
    assert "wrote 3 frames of 16x12" in capsys.readouterr().out
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.startswith("rehab-pose bag: expected a new place for the results")
    assert error.count("\n") == 1
    assert main(["bag", "info", str(folders / "bag")]) == 0
    assert "/depth_registered/image_rect" in capsys.readouterr().out


def test_the_real_clip_is_converted(shared_data: Path, tmp_path: Path) -> None:
    clip = shared_data / "rgbd_realsense" / "two_people_n40"
    if not clip.is_dir():
        pytest.skip(f"the real clip is not at {clip}")
    camera = intrinsics_from_file(clip / "cam_params_realsense.json")
    assert bag_from_images(clip / "color", clip / "depth", camera, 15.0, tmp_path / "bag") == 40
    with BagReader(tmp_path / "bag") as bag:
        frame = next(bag.frames())
    assert frame.intrinsics.fx == pytest.approx(617.25)
    assert 1.0 < np.nanmedian(frame.depth_m) < 5.0


def test_numbers_in_names_are_compared_as_numbers_and_hidden_files_are_no_frames(tmp_path: Path) -> None:
    for folder, ending in (("color", "jpg"), ("depth", "png")):
        (tmp_path / folder).mkdir()
        for number in (0, 1, 2, 9, 10, 11, 100):
            (tmp_path / folder / f"frame_{number}.{ending}").touch()
        (tmp_path / folder / f"._frame_0.{ending}").write_bytes(b"Mac OS X")
    names = [depth.stem for _, depth in paired_files(tmp_path / "color", tmp_path / "depth")]
    assert names == [f"frame_{number}" for number in (0, 1, 2, 9, 10, 11, 100)]
