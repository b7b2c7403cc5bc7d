"""`rehab-pose process` on folders of images: files for each frame, depth only, a depth camera, and invalid input."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from rehab_pose.cli.main import main
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = 3
FIRST = 45
CAMERA = {"width": 640, "height": 480, "fx": 460.0, "fy": 460.0, "cx": 319.5, "cy": 239.5}
NAMES = [f"frame_{index:03d}" for index in range(FRAMES)]


@pytest.fixture(scope="module")
def truth() -> list[Any]:
    camera = SimulatedCamera(SimulationSettings(exercise="arm_lifting", rate_hz=15))
    return [camera.frame(FIRST + index) for index in range(FRAMES)]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory, truth: list[Any]) -> Path:
    """Return a folder with color/, depth/ and camera.json of the simulated person."""
    folder = tmp_path_factory.mktemp("images")
    for kind in ("color", "depth"):
        (folder / kind).mkdir()
    for name, simulated in zip(NAMES, truth, strict=True):
        cv2.imwrite(str(folder / "color" / f"{name}.png"), cv2.cvtColor(simulated.frame.color, cv2.COLOR_RGB2BGR))
        cv2.imwrite(str(folder / "depth" / f"{name}.png"), units(simulated.frame.depth_m))
    (folder / "camera.json").write_text(json.dumps(CAMERA))
    return folder


def units(depth_m: Any, m_per_unit: float = 0.001) -> Any:  # noqa: ANN401
    return np.rint(np.nan_to_num(depth_m, nan=0.0) / m_per_unit).astype(np.uint16)


def process(images: Path, output: Path, *more: str, color: bool = True) -> int:
    command = ["process", "--depth", str(images / "depth"), "--intrinsics", str(images / "camera.json")]
    command += ["--color", str(images / "color")] if color else []
    return main([*command, "-o", str(output), *more])


def silhouette(output: Path, name: str) -> Any:  # noqa: ANN401
    mask = cv2.imread(str(output / "silhouettes" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) <= {0, 255}
    return mask > 0


def overlap(mask: Any, expected: Any) -> float:  # noqa: ANN401
    return float((mask & expected).sum() / (mask | expected).sum())


def test_each_image_has_a_silhouette_joints_and_an_overlay(images: Path, truth: list[Any], tmp_path: Path) -> None:
    assert process(images, tmp_path / "out", "--rate", "15") == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert [frame["name"] for frame in summary["frames"]] == NAMES
    for index, name in enumerate(NAMES):
        assert overlap(silhouette(tmp_path / "out", name), truth[index].truth.silhouette) > 0.85
        joints_file = json.loads((tmp_path / "out" / "joints" / f"{name}.json").read_text())
        assert joints_file["frame_id"] == "camera_color_optical_frame"
        assert (
            joints_file["stamp_ns"] == summary["frames"][index]["stamp_ns"] == 1_000_000_000 + round(index * 1e9 / 15)
        )
        assert [joint["name"] for joint in joints_file["joints"]] == list(SMPL_24.joint_names)
        for joint, truth_m in zip(joints_file["joints"], truth[index].truth.joints_m, strict=True):
            assert set(joint) == {"name", "x", "y", "z", "confidence", "visibility"}
            assert joint["visibility"] in {"missing", "observed", "occluded", "predicted"}
            if joint["visibility"] == "observed":
                assert np.linalg.norm(np.array([joint["x"], joint["y"], joint["z"]]) - truth_m) < 0.3
        picture = cv2.imread(str(tmp_path / "out" / "overlays" / f"{name}.jpg"))
        assert picture is not None
        assert picture.shape == (480, 2 * 640, 3)


def test_depth_without_colour_in_another_unit_is_processed(images: Path, truth: list[Any], tmp_path: Path) -> None:
    shutil.copytree(images, tmp_path / "in")
    for name, simulated in zip(NAMES, truth, strict=True):
        cv2.imwrite(str(tmp_path / "in" / "depth" / f"{name}.png"), units(simulated.frame.depth_m, 0.0002))
    assert process(tmp_path / "in", tmp_path / "out", "--depth-scale", "0.0002", color=False) == 0
    for name, simulated in zip(NAMES, truth, strict=True):
        assert overlap(silhouette(tmp_path / "out", name), simulated.truth.silhouette) > 0.85


def test_depth_of_another_camera_is_registered(images: Path, truth: list[Any], tmp_path: Path) -> None:
    shutil.copytree(images, tmp_path / "in")
    small = {"width": 320, "height": 240, "fx": 230.0, "fy": 230.0, "cx": 159.5, "cy": 119.5}
    cameras = CAMERA | {"depth": small, "color_from_depth": np.eye(4).tolist()}
    (tmp_path / "in" / "camera.json").write_text(json.dumps(cameras))
    for name, simulated in zip(NAMES, truth, strict=True):
        cv2.imwrite(str(tmp_path / "in" / "depth" / f"{name}.png"), units(simulated.frame.depth_m[::2, ::2]))
    assert process(tmp_path / "in", tmp_path / "out") == 0
    for name, simulated in zip(NAMES, truth, strict=True):
        assert overlap(silhouette(tmp_path / "out", name), simulated.truth.silhouette) > 0.8


def test_an_empty_room_gives_empty_results(images: Path, tmp_path: Path) -> None:
    (tmp_path / "in" / "depth").mkdir(parents=True)
    shutil.copy(images / "camera.json", tmp_path / "in")
    cv2.imwrite(str(tmp_path / "in" / "depth" / "wall.png"), np.full((480, 640), 3000, np.uint16))
    assert process(tmp_path / "in", tmp_path / "out", color=False) == 0
    assert not silhouette(tmp_path / "out", "wall").any()
    assert json.loads((tmp_path / "out" / "joints" / "wall.json").read_text())["joints"] == []


def damage(folder: Path, fault: str) -> None:
    file = folder / "depth" / f"{NAMES[1]}.png"
    if fault == "no folder":
        shutil.rmtree(folder / "depth")
    elif fault == "empty folder":
        for path in (folder / "depth").iterdir():
            path.unlink()
    elif fault == "unpaired":
        file.unlink()
    elif fault == "damaged":
        file.write_bytes(file.read_bytes()[:40])
    else:
        pixels: dict[str, Any] = {"size": np.zeros((240, 320), np.uint16), "8 bit": np.zeros((480, 640), np.uint8)}
        cv2.imwrite(str(file), pixels.get(fault, np.zeros((480, 640, 3), np.uint8)))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("no folder", "expected a folder of depth images at"),
        ("empty folder", "expected depth images (.png) in"),
        ("unpaired", "1 have no partner"),
        ("damaged", "cannot be decoded; the file is damaged"),
        ("size", "expected 640x480 pixels as in the intrinsics"),
        ("8 bit", "has 8 bits and 1 channel(s)"),
        ("colour", "has 8 bits and 3 channel(s)"),
    ],
)
def test_an_invalid_image_is_refused_and_named(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str, message: str
) -> None:
    shutil.copytree(images, tmp_path / "in")
    damage(tmp_path / "in", fault)
    assert process(tmp_path / "in", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists(), "invalid input must not leave partial output"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a bag, or --depth and --intrinsics, got neither"),
        (["--depth", "d"], "expected a bag, or --depth and --intrinsics, got --depth"),
        (["some_bag", "--rate", "3"], "expected either bags or folders of images"),
        (["--depth", "d", "--intrinsics", "i", "--mesh"], "--mesh and --silhouettes with a bag only"),
        (["--depth", "d", "--intrinsics", "i.json"], "expected a JSON file at i.json"),
    ],
)
def test_invalid_combinations_of_arguments_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["process", *arguments, "-o", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("option", "message"), [("--rate", "a rate above 0"), ("--depth-scale", "a depth scale")])
def test_numbers_out_of_range_are_refused(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, message: str
) -> None:
    assert process(images, tmp_path / "out", option, "0") == 2
    assert message in capsys.readouterr().err


def test_existing_results_are_not_overwritten(images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out" / "joints").mkdir(parents=True)
    assert process(images, tmp_path / "out") == 2
    assert "exists already" in capsys.readouterr().err


def test_the_help_warns_that_pictures_show_the_person(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["process", "--help"])
    assert "SHOWS THE PERSON" in capsys.readouterr().out
