"""The camera's topics among those of a recording of everything that a driver publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from rehab_pose.bags.camera_names import CAMERAS
from rehab_pose.bags.camera_topics import CameraTopics, camera_preset, find_camera_topics
from rehab_pose.bags.reader import BagReader
from rehab_pose.bags.writer import BagWriter
from rehab_pose.errors import RecordingError, SettingsError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.messages import topics
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.images import image_message
from rehab_pose.messages.topics import Topic
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose.messages.factory import Message

IMAGE, COMPRESSED, INFO = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/CameraInfo"
CAMERA = CameraIntrinsics(width_px=16, height_px=12, fx=15.0, fy=15.0, cx=7.5, cy=5.5)

REALSENSE = {
    "/camera/camera/color/image_raw": "rgb8",
    "/camera/camera/color/image_raw/compressed": "rgb8; jpeg compressed bgr8",
    "/camera/camera/color/camera_info": "",
    "/camera/camera/infra1/image_rect_raw": "mono8",
    "/camera/camera/infra2/image_rect_raw": "mono8",
    "/camera/camera/depth/image_rect_raw": "16UC1",
    "/camera/camera/depth/camera_info": "",
    "/camera/camera/aligned_depth_to_color/image_raw": "16UC1",
    "/camera/camera/aligned_depth_to_color/image_raw/compressedDepth": "16UC1; compressedDepth png",
}


def found(encodings: dict[str, str], given: CameraTopics | None = None) -> CameraTopics:
    types = {
        name: INFO if not encoding else COMPRESSED if ";" in encoding or encoding == "jpeg" else IMAGE
        for name, encoding in encodings.items()
    }
    return find_camera_topics(types, encodings.__getitem__, given or CameraTopics(), "bag")


def test_the_topics_of_a_known_driver_are_used_among_all_others() -> None:
    assert found(REALSENSE) == camera_preset("realsense")


def test_transports_of_a_known_driver_are_used_where_there_is_no_raw_image() -> None:
    raw = ("/camera/camera/color/image_raw", "/camera/camera/aligned_depth_to_color/image_raw")
    topics_found = found({name: encoding for name, encoding in REALSENSE.items() if name not in raw})
    assert topics_found.color == f"{raw[0]}/compressed"
    assert topics_found.depth == f"{raw[1]}/compressedDepth"


def test_depth_as_png_by_the_transport_compressed_is_depth() -> None:
    names = {"/a/color/compressed": "jpeg", "/a/camera_info": "", "/a/depth/compressed": "16UC1; png compressed "}
    assert found(names) == CameraTopics("/a/color/compressed", "/a/camera_info", "/a/depth/compressed")


def test_the_raw_image_is_preferred_to_its_transports() -> None:
    names = {"/a/color": "bgr8", "/a/color/compressed": "bgr8; jpeg", "/a/camera_info": "", "/a/depth": "16UC1"}
    assert found(names | {"/a/depth/compressedDepth": "16UC1; compressedDepth"}) == CameraTopics(
        "/a/color", "/a/camera_info", "/a/depth"
    )


def test_default_names_come_before_known_drivers() -> None:
    names = {f"/{topic.name}": encoding for topic, encoding in ((topics.COLOR, "rgb8"), (topics.DEPTH, "16UC1"))}
    chosen = found(REALSENSE | names | {f"/{topics.CAMERA_INFO.name}": ""})
    assert chosen.color == f"/{topics.COLOR.name}"


def test_a_chosen_topic_is_used_and_the_others_are_found() -> None:
    given = CameraTopics(depth="/camera/camera/depth/image_rect_raw")
    with pytest.raises(RecordingError, match="expected one colour image topic in bag"):
        found(REALSENSE, given)
    given = CameraTopics(color="/camera/camera/color/image_raw", depth="/camera/camera/depth/image_rect_raw")
    assert found(REALSENSE, given).camera_info == "/camera/camera/color/camera_info"
    with pytest.raises(RecordingError, match=r"expected the topic /missing with messages, bag has /camera"):
        found(REALSENSE, CameraTopics(color="/missing"))


def test_known_cameras_are_the_files_of_the_configuration(repository: Path) -> None:
    files = {file.stem for file in (repository / "config" / "cameras").glob("*.yaml")}
    assert set(CAMERAS) == files
    for name in CAMERAS:
        assert all(vars(camera_preset(name)).values())
    with pytest.raises(SettingsError, match="expected one of azure_kinect"):
        camera_preset("webcam")


def write_images(bag: BagWriter, index: int, *, color: bool) -> None:
    """Write depth as PNG by the transport `compressed`, and raw colour where it is wanted, at 30 frames a second."""
    stamp_ns = NS_PER_S + index * NS_PER_S // 30
    stamp = header(bag.factory, stamp_ns, "cam")
    values = np.full((12, 16), 2000 + index, np.uint16)
    _, png = cv2.imencode(".png", values)
    depth: Message = bag.factory.make(COMPRESSED, header=stamp, format="16UC1; png compressed ", data=png.reshape(-1))
    bag.write(Topic("depth/image/compressed", COMPRESSED), stamp_ns, depth)
    if color:
        pixels = np.random.default_rng(index).integers(0, 255, (12, 16, 3), dtype=np.uint8)
        bag.write(Topic("color/image", IMAGE), stamp_ns, image_message(bag.factory, stamp, "rgb8", pixels))
        bag.write(Topic("color/camera_info", INFO), stamp_ns, camera_info_message(bag.factory, stamp, CAMERA))


@pytest.mark.parametrize("every", [1, 2])
def test_slower_colour_is_no_loss(tmp_path: Path, every: int) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        for index in range(12):
            write_images(bag, index, color=index % every == 0)
    with BagReader(tmp_path / "bag") as reader:
        frames = list(reader.frames())
        assert len(frames) == 12 // every
        assert np.nanmedian(frames[-1].depth_m) == pytest.approx(2.0 + 0.001 * (12 - every))
        assert reader.losses.unpaired_images == 0


def test_single_colour_images_that_are_missing_are_a_loss(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        for index in range(12):
            write_images(bag, index, color=index not in {4, 7})
    with BagReader(tmp_path / "bag") as reader:
        assert len(list(reader.frames())) == 10
        assert reader.losses.unpaired_images == 2
