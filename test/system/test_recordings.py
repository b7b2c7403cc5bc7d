"""From image folders to a bag, a result bag, a summary and a picture, for the simulated person and a real clip."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from rehab_pose.bags.reader import BagReader
from rehab_pose.cli.main import main
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = 12
RATE_HZ = 15


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bag made from folders of images of the simulated person."""
    folder = tmp_path_factory.mktemp("images")
    camera = SimulatedCamera(SimulationSettings(exercise="arm_lifting", rate_hz=RATE_HZ))
    for kind in ("color", "depth"):
        (folder / kind).mkdir()
    for index in range(FRAMES):
        frame = camera.frame(45 + index).frame
        cv2.imwrite(str(folder / f"color/{index:03d}.png"), cv2.cvtColor(frame.color, cv2.COLOR_RGB2BGR))
        depth_mm = np.nan_to_num(frame.depth_m * 1000.0, nan=0.0).astype(np.uint16)
        cv2.imwrite(str(folder / f"depth/{index:03d}.png"), depth_mm)
    intrinsics = {"width": 640, "height": 480, "fx": 460.0, "fy": 460.0, "cx": 319.5, "cy": 239.5}
    (folder / "camera.json").write_text(json.dumps(intrinsics))
    return bag_from(folder / "color", folder / "depth", folder / "camera.json", folder / "bag")


def bag_from(color: Path, depth: Path, intrinsics: Path, output: Path) -> Path:
    arguments = ["--color", str(color), "--depth", str(depth), "--intrinsics", str(intrinsics)]
    assert main(["bag", "from-images", *arguments, "--rate", str(RATE_HZ), "-o", str(output)]) == 0
    return output


def processed(recording: Path, output: Path) -> list[dict[str, Any]]:
    assert main(["process", str(recording), "-o", str(output)]) == 0
    frames: list[dict[str, Any]] = json.loads((output / "summary.json").read_text())["frames"]
    return frames


def contents(path: Path) -> list[tuple[str, int, bytes]]:
    with BagReader(path) as reader:
        return [(message.topic.name, message.time_ns, message.data) for message in reader.serialized()]


def test_processing_a_recording_twice_gives_identical_content(bag: Path, tmp_path: Path) -> None:
    first, second = processed(bag, tmp_path / "first"), processed(bag, tmp_path / "second")
    assert first == second
    assert contents(tmp_path / "first" / "results") == contents(tmp_path / "second" / "results")
    assert len(first) == FRAMES
    for frame in first:
        assert frame["silhouette_area_px"] > 5000
        assert len(frame["silhouette_box"]) == 4
        assert list(frame["joints"]) == list(SMPL_24.joint_names)
        assert all(len(joint) == 4 for joint in frame["joints"].values())
        # The recording is shorter than the history that a label requires.
        assert (frame["label"], frame["confidence"]) == ("none", 1.0)
    assert [frame["stamp_ns"] for frame in first] == sorted({frame["stamp_ns"] for frame in first})


def test_results_contain_no_image_by_default(bag: Path, tmp_path: Path) -> None:
    processed(bag, tmp_path / "out")
    with BagReader(tmp_path / "out" / "results") as reader:
        types = {topic.type_name for topic in reader.topics.values()}
    assert not types & {"sensor_msgs/msg/Image", "rehab_pose_msgs/msg/RgbdFrame", "rehab_pose_msgs/msg/Silhouette"}
    assert not types & {"rehab_pose_msgs/msg/BodyParts", "rehab_pose_msgs/msg/Keypoints"}, "they show the silhouette"
    assert {"rehab_pose_msgs/msg/Joints", "rehab_pose_msgs/msg/Body"} <= types


def test_the_overlay_has_the_requested_number_of_frames(bag: Path, tmp_path: Path) -> None:
    picture = tmp_path / "overlay.png"
    assert main(["overlay", str(bag), "-o", str(picture), "--frames", "3", "--columns", "2"]) == 0
    image = cv2.imread(str(picture))
    assert image is not None
    assert image.shape == (2 * 480, 2 * 2 * 640, 3)


def test_a_missing_or_damaged_recording_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["process", str(tmp_path / "nothing"), "-o", str(tmp_path / "out")]) == 2
    assert "expected a rosbag" in capsys.readouterr().err
    damaged = tmp_path / "damaged.mcap"
    damaged.write_bytes(b"\x89MCAP0\r\nthis is no recording")
    assert main(["process", str(damaged), "-o", str(tmp_path / "out")]) == 2
    assert str(damaged) in capsys.readouterr().err


def test_existing_results_are_not_overwritten(bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    processed(bag, tmp_path / "out")
    assert main(["process", str(bag), "-o", str(tmp_path / "out")]) == 2
    assert "exists already" in capsys.readouterr().err


def test_the_standing_man_of_the_real_clip_is_the_subject(shared_data: Path, tmp_path: Path) -> None:
    clip = shared_data / "rgbd_realsense" / "two_people_n40"
    if not clip.is_dir():
        pytest.skip(f"the clip is not at {clip}")
    recording = bag_from(clip / "color", clip / "depth", clip / "cam_params_realsense.json", tmp_path / "clip")
    frames = processed(recording, tmp_path / "out")
    assert len(frames) == 40
    for frame in frames:
        # The standing man is in the right half at 2.15 m, over the full height; the other man sits in the left half.
        x, y, width, height = frame["silhouette_box"]
        assert 380 < x + width / 2 < 520
        assert y < 70
        assert height > 350
        assert 20_000 < frame["silhouette_area_px"] < 60_000
        pelvis = frame["joints"]["pelvis"]
        assert 0.3 < pelvis[0] < 0.7
        assert 2.0 < pelvis[2] < 2.6
        assert frame["joints"]["head"][1] < frame["joints"]["neck"][1] < pelvis[1] < frame["joints"]["left_knee"][1]
        assert frame["joints"]["left_shoulder"][0] > frame["joints"]["right_shoulder"][0]
        assert frame["label"] == "none"
