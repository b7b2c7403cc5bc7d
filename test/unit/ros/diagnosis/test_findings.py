"""The doctor names what is wrong with a camera and a graph, and what to do, and is content with good ones."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.cli.main import main
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.launching.shared_files import shared_file
from rehab_pose.launching.shared_memory import VARIABLE
from rehab_pose.messages import topics
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.images import image_message
from rehab_pose.ros.diagnosis.findings import CameraNames, findings, worst
from rehab_pose.ros.diagnosis.survey import GraphSurvey, NodeStatus, TopicSurvey
from rehab_pose.ros.io.message_factory import RosMessageFactory, message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.ros.runtime.health import Level

if TYPE_CHECKING:
    from collections.abc import Callable

CAMERA = CameraIntrinsics(width_px=8, height_px=6, fx=10.0, fy=10.0, cx=3.5, cy=2.5)
NAMES = CameraNames("/color", "/info", "/depth")
PRESETS = {"realsense": CameraNames("/camera/color", "/camera/info", "/camera/depth")}


def good() -> GraphSurvey:
    factory = RosMessageFactory()
    stamp = header(factory, 1, "cam")
    first = {
        "/color": image_message(factory, stamp, "rgb8", np.zeros((6, 8, 3), np.uint8)),
        "/info": camera_info_message(factory, stamp, CAMERA),
        "/depth": image_message(factory, stamp, "16UC1", np.zeros((6, 8), np.uint16)),
    }
    types = {"/color": topics.COLOR, "/info": topics.CAMERA_INFO, "/depth": topics.DEPTH}
    seen = GraphSurvey(
        {
            name: TopicSurvey(name, types[name].type_name, 1, count=91, first_s=1.0, last_s=4.0, first=message)
            for name, message in first.items()
        }
    )
    seen.nodes["/joints"] = NodeStatus(0, "running", {"rate [Hz]": "30.0", "dropped: replaced by newer": "2"})
    return seen


def test_a_good_camera_and_graph_are_fine() -> None:
    found = findings(good(), NAMES, PRESETS)
    assert worst(found) is Level.OK, found
    assert any(finding.what == "topic /color" and "30.0 Hz" in finding.message for finding in found)
    assert any("2 dropped or lost" in finding.message for finding in found)


def lost_images(seen: GraphSurvey) -> None:
    seen.topics["/color"].count = 31


def no_camera(seen: GraphSurvey) -> None:
    seen.topics["/color"].publishers = seen.topics["/color"].count = 0
    seen.published["/camera/color"] = ("sensor_msgs/msg/Image",)


def silent(seen: GraphSurvey) -> None:
    seen.topics["/depth"].count = 0


def compressed(seen: GraphSurvey) -> None:
    topic = seen.topics["/color"]
    topic.count, topic.other_types = 0, ("sensor_msgs/msg/CompressedImage",)


def two_cameras(seen: GraphSurvey) -> None:
    seen.topics["/depth"].publishers = 2


def not_calibrated(seen: GraphSurvey) -> None:
    seen.topics["/info"].first.k = np.zeros(9)  # type: ignore[union-attr]
    seen.topics["/info"].first.p = np.zeros(12)  # type: ignore[union-attr]


def other_size(seen: GraphSurvey) -> None:
    seen.topics["/depth"].first.width = 4  # type: ignore[union-attr]


def wrong_encoding(seen: GraphSurvey) -> None:
    seen.topics["/depth"].first.encoding = "8UC1"  # type: ignore[union-attr]


def no_frame(seen: GraphSurvey) -> None:
    seen.topics["/color"].first.header.frame_id = ""  # type: ignore[union-attr]


def no_nodes(seen: GraphSurvey) -> None:
    seen.nodes.clear()


def sick_node(seen: GraphSurvey) -> None:
    seen.nodes["/joints"].level, seen.nodes["/joints"].message = 2, "no message for 5 s on /silhouette"


@pytest.mark.parametrize(
    ("spoil", "what", "level", "sentence", "remedy"),
    [
        (lost_images, "topic /color", Level.WARN, "images are lost in transport", "fastdds_shm.xml"),
        (no_camera, "topic /color", Level.ERROR, "it has no publisher", "camera:=realsense"),
        (silent, "topic /depth", Level.ERROR, "no message was received", "ROS_DOMAIN_ID"),
        (compressed, "topic /color", Level.ERROR, "the topic has sensor_msgs/msg/CompressedImage", "republish"),
        (two_cameras, "topic /depth", Level.WARN, "2 publishers", "all but one"),
        (not_calibrated, "calibration", Level.ERROR, "K[0]", "calibrate the camera"),
        (other_size, "image /depth", Level.ERROR, "4x6 px, camera_info gives 8x6 px", "align_depth"),
        (wrong_encoding, "image /depth", Level.ERROR, "got '8UC1'", "format"),
        (no_frame, "frame", Level.WARN, "no frame_id", "frame_id"),
        (no_nodes, "nodes", Level.WARN, "no node reports", "rehab-pose run"),
        (sick_node, "node /joints", Level.ERROR, "no message for 5 s", "publishes that topic"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_fault_is_named_with_what_to_do(
    spoil: Callable[[GraphSurvey], None], what: str, level: Level, sentence: str, remedy: str
) -> None:
    seen = good()
    spoil(seen)
    found = findings(seen, NAMES, PRESETS)
    [fault] = [finding for finding in found if finding.what == what]
    assert (fault.level, worst(found)) == (level, level)
    assert sentence in fault.message
    assert remedy in fault.remedy


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(shared_file("config/fastdds_shm.xml")))


@pytest.mark.usefixtures("alone")
def test_without_any_graph_it_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--listen", "0.2", "--namespace", "nowhere", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["level"] == "ERROR"
    levels = {entry["what"]: entry["level"] for entry in said["findings"]}
    assert levels["topic /nowhere/rgb/image_rect_color"] == "ERROR"
    assert levels["model body"] == levels["transport"] == "OK"
    assert all(entry["remedy"] for entry in said["findings"] if entry["level"] == "ERROR")


@pytest.mark.usefixtures("alone")
def test_a_real_camera_is_measured(ros: Any, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ANN401
    import rclpy  # noqa: PLC0415

    assert ros is not None
    node, factory = rclpy.create_node("driver", namespace="/there"), RosMessageFactory()
    best_effort = qos(topics.COLOR.delivery, best_effort=True)
    sides = [
        node.create_publisher(message_class(topic.type_name), topic.name, best_effort) for topic in topics.CAMERA_TOPICS
    ]
    stop = threading.Event()

    def send() -> None:
        while not stop.wait(1 / 30):
            stamp = header(factory, node.get_clock().now().nanoseconds, "cam")
            color = image_message(factory, stamp, "rgb8", np.zeros((6, 8, 3), np.uint8))
            depth = image_message(factory, stamp, "16UC1", np.zeros((6, 8), np.uint16))
            for side, message in zip(sides, (color, camera_info_message(factory, stamp, CAMERA), depth), strict=True):
                side.publish(message)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        main(["doctor", "--listen", "1.5", "--namespace", "there", "--json"])
    finally:
        stop.set()
        thread.join()
        node.destroy_node()
    said = {entry["what"]: entry for entry in json.loads(capsys.readouterr().out)["findings"]}
    color = said["topic /there/rgb/image_rect_color"]
    assert color["level"] == "OK"
    assert "offered best effort" in color["message"]
    assert float(color["message"].split()[0]) == pytest.approx(30, abs=8)
    assert said["calibration"]["level"] == "OK"
