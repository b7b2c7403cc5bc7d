"""BagReader and BagWriter: round trips, deterministic content, and the type hashes of ROS 2."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from rehab_pose.bags.camera_topics import CameraTopics
from rehab_pose.bags.message_types import BagMessageFactory, definition_folder, type_store
from rehab_pose.bags.reader import BagReader
from rehab_pose.bags.writer import BagWriter
from rehab_pose.capture.settings import CaptureSettings
from rehab_pose.datatypes import RgbdFrame
from rehab_pose.errors import RecordingError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.messages import topics
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.exercise import exercise_list_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.frames import frame_message
from rehab_pose.messages.images import depth_millimetres, image_message
from rehab_pose.messages.joints import joints_from_message, joints_message
from rehab_pose.messages.topics import Topic
from rehab_pose.units import NS_PER_S

CAMERA = CameraIntrinsics(width_px=16, height_px=12, fx=20.0, fy=20.0, cx=7.5, cy=5.5)
AS_MEASURED = CaptureSettings(remove_flying_pixels=False)


def frame(index: int) -> RgbdFrame:
    random = np.random.default_rng(index)
    color = random.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    depth = (random.integers(500, 4000, (12, 16)) / 1000).astype(np.float32)
    depth[0] = np.nan
    return RgbdFrame(NS_PER_S + index * 33_000_000, "cam", CAMERA, color, depth)


def write_camera(bag: BagWriter, given: RgbdFrame, prefix: str = "") -> None:
    stamp = header(bag.factory, given.stamp_ns, given.frame_id)
    for topic, message in (
        (topics.DEPTH, image_message(bag.factory, stamp, "16UC1", depth_millimetres(given.depth_m))),
        (topics.CAMERA_INFO, camera_info_message(bag.factory, stamp, CAMERA)),
        (topics.COLOR, image_message(bag.factory, stamp, "bgr8", given.color[..., ::-1])),
    ):
        bag.write(Topic(prefix + topic.name, topic.type_name, topic.delivery), given.stamp_ns, message)


@pytest.fixture
def bag_path(tmp_path: Path) -> Path:
    with BagWriter(tmp_path / "bag") as bag:
        for index in range(4):
            write_camera(bag, frame(index))
    return tmp_path / "bag"


def test_reading_begins_at_a_chosen_time(bag_path: Path) -> None:
    with BagReader(bag_path, capture=AS_MEASURED) as bag:
        stamps = [given.stamp_ns for given in bag.frames(since_s=0.05)]
        assert stamps == [frame(2).stamp_ns, frame(3).stamp_ns]
        assert len(list(bag.messages(topics.COLOR.name, since_s=10.0))) == 0
        assert not bag.losses


def test_read_frames_equal_the_written_ones(bag_path: Path) -> None:
    with BagReader(bag_path, capture=AS_MEASURED) as bag:
        read = list(bag.frames())
    assert len(read) == 4
    for index, result in enumerate(read):
        given = frame(index)
        assert (result.stamp_ns, result.frame_id, result.intrinsics) == (given.stamp_ns, "cam", CAMERA)
        np.testing.assert_array_equal(result.color, given.color)
        np.testing.assert_allclose(result.depth_m, given.depth_m, atol=1e-6)


def imu_message(bag: BagWriter, stamp_ns: int) -> Any:  # noqa: ANN401
    """Return the measurement of a sensor in an upside-down camera."""

    def vector(y: float) -> Any:  # noqa: ANN401
        return bag.factory.make("geometry_msgs/msg/Vector3", x=0.0, y=y, z=0.0)

    return bag.factory.make(
        "sensor_msgs/msg/Imu",
        header=header(bag.factory, stamp_ns, "imu_optical_frame"),
        orientation=bag.factory.make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=0.0, w=0.0),
        orientation_covariance=np.zeros(9),
        angular_velocity=vector(0.0),
        angular_velocity_covariance=np.zeros(9),
        linear_acceleration=vector(9.81),
        linear_acceleration_covariance=np.zeros(9),
    )


@pytest.mark.parametrize(("others", "known"), [((), True), (("robot/imu",), True), (("camera/base/imu",), False)])
def test_frames_carry_the_direction_of_the_cameras_own_imu(
    tmp_path: Path, others: tuple[str, ...], known: bool
) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        for index in range(4):
            given = frame(index)
            for name in ("camera/imu", *others):
                for part in range(4):
                    stamp_ns = given.stamp_ns - (4 - part) * 5_000_000
                    topic = Topic(name, topics.IMU.type_name, topics.IMU.delivery)
                    bag.write(topic, stamp_ns, imu_message(bag, stamp_ns))
            write_camera(bag, given, "camera/")
    with BagReader(tmp_path / "bag") as reader:
        last = list(reader.frames())[-1]
    np.testing.assert_allclose(last.up, [0.0, 1.0, 0.0] if known else [np.nan] * 3, atol=1e-9)


def test_two_bags_of_the_same_messages_are_identical(bag_path: Path, tmp_path: Path) -> None:
    with BagWriter(tmp_path / "again" / "bag") as bag:
        for index in range(4):
            write_camera(bag, frame(index))
    with BagReader(bag_path) as one, BagReader(tmp_path / "again" / "bag") as other:
        assert list(one.serialized()) == list(other.serialized())
    assert next(bag_path.glob("*.mcap")).read_bytes() == next((tmp_path / "again" / "bag").glob("*.mcap")).read_bytes()


def test_camera_topics_are_found_by_type_or_selected_by_name(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        write_camera(bag, frame(0), "front/")
        write_camera(bag, frame(1), "side/")
    given = CameraTopics("/side/rgb/image_rect_color", depth="/side/depth_registered/image_rect")
    with (
        BagReader(tmp_path / "bag") as bag,
        pytest.raises(
            RecordingError, match=r"one colour image topic .* /front/.*, /side/.*; name it with --color-topic"
        ),
    ):
        bag.camera_topics()
    with BagReader(tmp_path / "bag", given) as bag:
        assert bag.camera_topics().camera_info == "/side/rgb/camera_info"
        [result] = bag.frames()
        assert result.stamp_ns == frame(1).stamp_ns
    with (
        BagReader(tmp_path / "bag", CameraTopics("/nowhere")) as bag,
        pytest.raises(RecordingError, match="expected the topic /nowhere"),
    ):
        bag.camera_topics()


def test_compressed_images_are_decoded(tmp_path: Path) -> None:
    factory, given = BagMessageFactory(), frame(0)
    stamp = header(factory, given.stamp_ns, "cam")
    _, color = cv2.imencode(".png", given.color[..., ::-1])
    _, depth = cv2.imencode(".png", depth_millimetres(given.depth_m))
    kind = "sensor_msgs/msg/CompressedImage"
    color_message = factory.make(kind, header=stamp, format="rgb8; png compressed bgr8", data=color.reshape(-1))
    depth_data = np.concatenate([np.zeros(12, np.uint8), depth.reshape(-1)])
    depth_message = factory.make(kind, header=stamp, format="16UC1; compressedDepth png", data=depth_data)
    with BagWriter(tmp_path / "bag") as bag:
        bag.write(Topic("color/compressed", kind), given.stamp_ns, color_message)
        bag.write(Topic("depth/compressedDepth", kind), given.stamp_ns, depth_message)
        bag.write(topics.CAMERA_INFO, given.stamp_ns, camera_info_message(factory, stamp, CAMERA))
    with BagReader(tmp_path / "bag", capture=AS_MEASURED) as bag:
        [result] = bag.frames()
    np.testing.assert_array_equal(result.color, given.color)
    np.testing.assert_allclose(result.depth_m, given.depth_m, atol=1e-6)


def test_sqlite_bags_are_read(tmp_path: Path) -> None:
    factory, store = BagMessageFactory(), type_store()
    given = frame(0)
    message = frame_message(factory, given)
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        for topic, part in (
            (topics.COLOR, message.color),
            (topics.DEPTH, message.depth),
            (topics.CAMERA_INFO, message.camera_info),
        ):
            connection = writer.add_connection(f"/{topic.name}", topic.type_name, typestore=store)
            writer.write(connection, given.stamp_ns, store.serialize_cdr(part, topic.type_name))
    with BagReader(tmp_path / "bag", capture=AS_MEASURED) as bag:
        [result] = bag.frames()
    np.testing.assert_array_equal(result.color, given.color)


def test_messages_of_this_project_and_their_delivery_are_recorded(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        bag.write(topics.EXERCISE_LIST, NS_PER_S, exercise_list_message(bag.factory))
        bag.write(topics.JOINTS, NS_PER_S, joints_message(bag.factory, NS_PER_S, "cam", None))
    with BagReader(tmp_path / "bag") as bag:
        assert bag.topics["/rehab_pose/exercise/list"].latched
        assert not bag.topics["/rehab_pose/joints"].latched
        [(_, time_ns, message)] = bag.messages("/rehab_pose/joints")
    assert (time_ns, joints_from_message(message)) == (NS_PER_S, None)


def test_an_existing_bag_is_not_overwritten(bag_path: Path) -> None:
    with pytest.raises(RecordingError, match="does not exist yet"):
        BagWriter(bag_path)


@pytest.mark.parametrize("content", [None, "not a bag"])
def test_a_missing_or_damaged_bag_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "bag.mcap"
    if content is not None:
        path.write_text(content)
    with pytest.raises(RecordingError, match="expected a rosbag"):
        BagReader(path)


def test_type_hashes_equal_those_of_the_installed_messages() -> None:
    installed = Path(sys.prefix) / "share" / "rehab_pose_msgs" / "msg"
    if not installed.is_dir():
        pytest.skip("the message package is not installed in this environment")
    for file in sorted(definition_folder().glob("*.msg")):
        description: Any = json.loads((installed / f"{file.stem}.json").read_text())
        hashes = {entry["type_name"]: entry["hash_string"] for entry in description["type_hashes"]}
        name = f"rehab_pose_msgs/msg/{file.stem}"
        assert type_store().hash_rihs01(name) == hashes[name], "installed messages differ from the checkout's"


def test_a_topic_that_the_bag_does_not_have_is_an_error_with_the_near_one(bag_path: Path) -> None:
    with BagReader(bag_path) as reader:
        assert len(list(reader.messages("rgb/camera_info"))) == len(list(reader.messages("/rgb/camera_info"))) == 4
        with pytest.raises(RecordingError, match="did you mean /rgb/camera_info"):
            reader.messages("rgb/camera_inof")
        with pytest.raises(RecordingError, match=r"it has .*/rgb/camera_info"):
            reader.messages("nonsense")
