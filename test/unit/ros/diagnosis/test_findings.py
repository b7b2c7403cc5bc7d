"""Findings of `rehab-pose doctor`: faults of camera, graph and models, each with a remedy."""

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
from rehab_pose.ros.diagnosis.findings import CameraNames, findings, highest_level
from rehab_pose.ros.diagnosis.survey import GraphSurvey, NodeStatus, TopicSurvey
from rehab_pose.ros.io.message_factory import RosMessageFactory, message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.ros.runtime.health import Level

if TYPE_CHECKING:
    from collections.abc import Callable

CAMERA = CameraIntrinsics(width_px=8, height_px=6, fx=10.0, fy=10.0, cx=3.5, cy=2.5)
NAMES = CameraNames("/color", "/info", "/depth")
PRESETS = {"realsense": CameraNames("/camera/color", "/camera/info", "/camera/depth")}


def working_graph() -> GraphSurvey:
    factory = RosMessageFactory()
    stamp = header(factory, 1, "cam")
    first = {
        "/color": image_message(factory, stamp, "rgb8", np.zeros((6, 8, 3), np.uint8)),
        "/info": camera_info_message(factory, stamp, CAMERA),
        "/depth": image_message(factory, stamp, "16UC1", np.zeros((6, 8), np.uint16)),
    }
    types = {"/color": topics.COLOR, "/info": topics.CAMERA_INFO, "/depth": topics.DEPTH}
    graph = GraphSurvey(
        {
            name: TopicSurvey(name, types[name].type_name, 1, count=91, first_s=1.0, last_s=4.0, first=message)
            for name, message in first.items()
        }
    )
    graph.nodes["/joints"] = NodeStatus(0, "running", {"rate [Hz]": "30.0", "dropped: replaced by newer": "2"})
    return graph


def test_a_working_camera_and_graph_have_no_warning() -> None:
    results = findings(working_graph(), NAMES, PRESETS)
    assert highest_level(results) is Level.OK, results
    assert any(finding.what == "topic /color" and "30.0 Hz" in finding.message for finding in results)
    assert any("2 dropped or lost" in finding.message for finding in results)


def lost_images(graph: GraphSurvey) -> None:
    graph.topics["/color"].count = 31


def no_camera(graph: GraphSurvey) -> None:
    graph.topics["/color"].publishers = graph.topics["/color"].count = 0
    graph.published["/camera/color"] = ("sensor_msgs/msg/Image",)


def silent(graph: GraphSurvey) -> None:
    graph.topics["/depth"].count = 0


def compressed(graph: GraphSurvey) -> None:
    topic = graph.topics["/color"]
    topic.count, topic.other_types = 0, ("sensor_msgs/msg/CompressedImage",)


def two_cameras(graph: GraphSurvey) -> None:
    graph.topics["/depth"].publishers = 2


def not_calibrated(graph: GraphSurvey) -> None:
    graph.topics["/info"].first.k = np.zeros(9)  # type: ignore[union-attr]
    graph.topics["/info"].first.p = np.zeros(12)  # type: ignore[union-attr]


def other_size(graph: GraphSurvey) -> None:
    graph.topics["/depth"].first.width = 4  # type: ignore[union-attr]


def wrong_encoding(graph: GraphSurvey) -> None:
    graph.topics["/depth"].first.encoding = "8UC1"  # type: ignore[union-attr]


def no_frame(graph: GraphSurvey) -> None:
    graph.topics["/color"].first.header.frame_id = ""  # type: ignore[union-attr]


def no_nodes(graph: GraphSurvey) -> None:
    graph.nodes.clear()


def silent_node(graph: GraphSurvey) -> None:
    graph.nodes["/joints"].level, graph.nodes["/joints"].message = 2, "no message for 5 s on /silhouette"


@pytest.mark.parametrize(
    ("break_graph", "what", "level", "sentence", "remedy"),
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
        (silent_node, "node /joints", Level.ERROR, "no message for 5 s", "publishes that topic"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_fault_has_a_finding_with_a_remedy(
    break_graph: Callable[[GraphSurvey], None], what: str, level: Level, sentence: str, remedy: str
) -> None:
    graph = working_graph()
    break_graph(graph)
    results = findings(graph, NAMES, PRESETS)
    [fault] = [finding for finding in results if finding.what == what]
    assert (fault.level, highest_level(results)) == (level, level)
    assert sentence in fault.message
    assert remedy in fault.remedy


@pytest.fixture
def shared_memory_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(shared_file("config/fastdds_shm.xml")))


@pytest.mark.usefixtures("shared_memory_profile")
def test_without_a_graph_missing_topics_are_errors_with_remedies(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--listen", "0.2", "--namespace", "nowhere", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["level"] == "ERROR"
    levels = {entry["what"]: entry["level"] for entry in report["findings"]}
    assert levels["topic /nowhere/rgb/image_rect_color"] == "ERROR"
    assert levels["model body"] == levels["transport"] == "OK"
    assert all(entry["remedy"] for entry in report["findings"] if entry["level"] == "ERROR")


@pytest.mark.usefixtures("shared_memory_profile")
def test_rate_and_reliability_of_a_publishing_camera_are_reported(ros: Any, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ANN401
    import rclpy  # noqa: PLC0415

    assert ros is not None
    node, factory = rclpy.create_node("driver", namespace="/driver"), RosMessageFactory()
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
        main(["doctor", "--listen", "1.5", "--namespace", "driver", "--json"])
    finally:
        stop.set()
        thread.join()
        node.destroy_node()
    report = {entry["what"]: entry for entry in json.loads(capsys.readouterr().out)["findings"]}
    color = report["topic /driver/rgb/image_rect_color"]
    assert color["level"] == "OK"
    assert "offered best effort" in color["message"]
    assert float(color["message"].split()[0]) == pytest.approx(30, abs=8)
    assert report["calibration"]["level"] == "OK"
