"""Invalid input over real DDS: the error is in the log and on /diagnostics, and the node continues."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.messages import topics
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.images import image_message
from rehab_pose.messages.topic_names import NAMESPACE, nodes_namespace
from rehab_pose.ros.io.message_factory import RosMessageFactory, message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.ros.io.resolved_names import resolved_name
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.graph

CAMERA = CameraIntrinsics(width_px=64, height_px=48, fx=50.0, fy=50.0, cx=31.5, cy=23.5)
TIMEOUT_S = 20.0
PERIOD_NS = 33_000_000


class Camera(Node):  # type: ignore[misc]  # rclpy is not typed everywhere
    """A camera driver that sends given frames and receives results and diagnostics."""

    def __init__(self, namespace: str = "", *, best_effort: bool = False) -> None:
        super().__init__("test_camera", namespace=namespace or NAMESPACE)
        self.sync_name = f"{namespace or nodes_namespace()}/rgbd_sync"
        self.factory = RosMessageFactory()
        self.stamp_ns = NS_PER_S
        self.frames: list[Any] = []
        self._status: dict[str, Any] = {}
        profiles = [qos(topic.delivery, best_effort=best_effort) for topic in topics.CAMERA_TOPICS]
        self.image_publishers = [
            self.create_publisher(message_class(topic.type_name), resolved_name(self, topic.name), profile)
            for topic, profile in zip(topics.CAMERA_TOPICS, profiles, strict=True)
        ]
        rgbd = message_class(topics.RGBD.type_name)
        self.create_subscription(rgbd, topics.RGBD.name, self.frames.append, qos(topics.RGBD.delivery))
        array = message_class("diagnostic_msgs/msg/DiagnosticArray")
        self.create_subscription(array, "/diagnostics", self._on_diagnostics, 10)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)

    def _on_diagnostics(self, message: Any) -> None:  # noqa: ANN401
        for status in message.status:
            self._status[status.name] = status

    def clear_status(self) -> None:
        """Discard the diagnostics received so far."""
        self._status.clear()

    def status_contains(self, sentence: str, node: str = "") -> bool:
        """Return whether a node's status message contains a sentence."""
        name = node or self.sync_name
        return name in self._status and sentence in self._status[name].message

    def value(self, key: str) -> int:
        """Return a counter of rgbd_sync from its diagnostics; 0 if it has none."""
        values = self._status[self.sync_name].values if self.sync_name in self._status else []
        return sum(int(entry.value) for entry in values if entry.key == key)

    def last_frame_received(self) -> bool:
        """Return whether the last frame sent has been received as an RgbdFrame."""
        stamp = self.stamp_ns
        return any(frame.header.stamp.sec * NS_PER_S + frame.header.stamp.nanosec == stamp for frame in self.frames)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> bool:
        """Spin until a condition holds; return whether it does."""
        end_s = time.monotonic() + timeout_s
        while not condition() and time.monotonic() < end_s:
            self._executor.spin_once(timeout_sec=0.02)
        return condition()

    def send(self, change: Callable[[Any, Any, Any], None] | None = None, depth: Any = None) -> None:  # noqa: ANN401
        """Send one frame; `change` may modify its colour, camera_info and depth messages before."""
        self.stamp_ns += PERIOD_NS
        stamp = header(self.factory, self.stamp_ns, "cam")
        values = np.full((48, 64), 1500, np.uint16) if depth is None else depth
        encoding = "16UC1" if values.dtype == np.uint16 else "32FC1"
        color = image_message(self.factory, stamp, "rgb8", np.zeros((48, 64, 3), np.uint8))
        info = camera_info_message(self.factory, stamp, CAMERA)
        depth_message = image_message(self.factory, stamp, encoding, values)
        if change is not None:
            change(color, info, depth_message)
        for publisher, message in zip(self.image_publishers, (color, info, depth_message), strict=True):
            publisher.publish(message)

    def send_until_received(self) -> bool:
        """Send valid frames until one is received, then wait for the last one."""
        count_before = len(self.frames)

        def send_and_check() -> bool:
            self.send()
            return len(self.frames) > count_before

        return self.wait_until(send_and_check) and self.wait_until(self.last_frame_received)


@pytest.fixture(scope="module")
def camera(ros: Any) -> Iterator[Camera]:  # noqa: ANN401
    assert ros.ok()
    node = Camera()
    yield node
    node.destroy_node()


@pytest.fixture(scope="module")
def sync(lasting_program: Any, camera: Camera) -> Any:  # noqa: ANN401
    """Return a running rgbd_sync that has published at least one frame."""
    node = lasting_program("rehab_pose.nodes.rgbd_sync")
    assert camera.wait_until(lambda: all(side.get_subscription_count() for side in camera.image_publishers))
    assert camera.send_until_received(), node.output
    return node


def all_zero(_color: Any, info: Any, _depth: Any) -> None:  # noqa: ANN401
    info.k = np.zeros(9)


def wrong_encoding(color: Any, _info: Any, _depth: Any) -> None:  # noqa: ANN401
    color.encoding = "yuv422"


def wrong_depth_encoding(_color: Any, _info: Any, depth: Any) -> None:  # noqa: ANN401
    depth.encoding = "8UC1"


def other_size(_color: Any, _info: Any, depth: Any) -> None:  # noqa: ANN401
    depth.height, depth.width, depth.step = 24, 32, 64


def truncated_data(color: Any, _info: Any, _depth: Any) -> None:  # noqa: ANN401
    color.data = color.data[:100]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (all_zero, "expected a positive focal length K[0], got 0.0"),
        (wrong_encoding, "expected the encoding rgb8, bgr8, rgba8, bgra8, mono8, got 'yuv422'"),
        (wrong_depth_encoding, "expected the encoding 16UC1, mono16, 32FC1, got '8UC1'"),
        (other_size, "colour 64x48, depth 32x24, camera_info 64x48"),
        (truncated_data, "and 100 bytes in all"),
    ],
    ids=lambda entry: getattr(entry, "__name__", ""),
)
def test_an_invalid_message_is_reported_and_counted_and_the_node_continues(
    sync: Any,  # noqa: ANN401
    camera: Camera,
    change: Any,  # noqa: ANN401
    sentence: str,
) -> None:
    camera.clear_status()
    assert camera.wait_until(lambda: camera.value("processed") > 0)
    count_before = camera.value("dropped: InputError")
    camera.send(change)
    assert camera.wait_until(lambda: camera.status_contains(sentence)), sync.output
    assert camera.value("dropped: InputError") == count_before + 1
    assert sentence in sync.output
    camera.send()  # with a valid camera_info
    assert camera.send_until_received(), "the node no longer answers"


@pytest.mark.parametrize("depth", [np.zeros((48, 64), np.uint16), np.full((48, 64), np.nan, np.float32)])
def test_depth_without_any_return_gives_a_frame_without_depth(sync: Any, camera: Camera, depth: Any) -> None:  # noqa: ANN401
    assert camera.send_until_received()
    camera.send(depth=depth)
    assert camera.wait_until(camera.last_frame_received), sync.output
    received_m = np.frombuffer(camera.frames[-1].depth.data, np.float32)
    assert np.isnan(received_m).all()


def test_frames_are_paired_again_after_a_jump_back_in_time(sync: Any, camera: Camera) -> None:  # noqa: ANN401
    camera.stamp_ns += 100 * NS_PER_S
    assert camera.send_until_received()
    camera.stamp_ns -= 100 * NS_PER_S
    assert camera.send_until_received(), "frames after the jump must be published"
    assert sync.wait_for_output("time jumped back", TIMEOUT_S)
    assert camera.wait_until(lambda: camera.value("jumps back in time") == 1)


def test_silence_of_the_camera_and_its_end_are_logged_once_each(sync: Any, camera: Camera, wait: Any) -> None:  # noqa: ANN401
    assert camera.send_until_received()
    silences, ends = sync.output.count("no message for"), sync.output.count("messages again on")
    # Reports come once a second, and their times are rounded: one of them may be left out.
    sentences = [f"no message for {seconds} s on /rgb/image_rect_color" for seconds in range(4, 12)]
    assert camera.wait_until(lambda: any(map(camera.status_contains, sentences)))
    assert camera.send_until_received()
    assert wait(lambda: sync.output.count("messages again on /rgb/image_rect_color") > ends, TIMEOUT_S)
    assert sync.output.count("no message for") == silences + 1
    assert "[WARN]" not in "".join(line for line in sync.output.splitlines() if "no message for" in line)


# rclpy itself makes a deprecated call when it finds incompatible QoS.
@pytest.mark.filterwarnings("ignore:Deprecated in favor of:DeprecationWarning")
def test_a_best_effort_camera_is_subscribed_best_effort(program: Any, ros: Any) -> None:  # noqa: ANN401
    assert ros.ok()
    node = program("rehab_pose.nodes.rgbd_sync", "--ros-args", "-r", "__ns:=/other")
    camera = Camera("/other", best_effort=True)
    assert camera.send_until_received(), node.output
    assert "subscribed best effort" in node.output
    camera.destroy_node()


def test_an_unknown_parameter_is_reported_with_the_closest_known_one(program: Any, ros: Any) -> None:  # noqa: ANN401
    assert ros.ok()
    arguments = ("--ros-args", "-r", "__ns:=/third", "-p", "capture.depth_maximum:=4.0")
    node = program("rehab_pose.nodes.rgbd_sync", *arguments)
    camera = Camera("/third")
    sentence = "unknown parameter capture.depth_maximum; did you mean capture.depth_maximum_m?"
    assert node.wait_for_output(sentence, TIMEOUT_S), node.output
    assert camera.wait_until(lambda: camera.status_contains(sentence))
    assert camera.send_until_received()
    camera.destroy_node()


def test_a_parameter_out_of_range_ends_the_node_with_one_error_line(program: Any) -> None:  # noqa: ANN401
    node = program("rehab_pose.nodes.rgbd_sync", "--ros-args", "-p", "capture.depth_maximum_m:=-4.0")
    assert node.process.wait(TIMEOUT_S) == 2
    assert "CaptureSettings.depth_maximum_m: expected a value from 0.1 to 20" in node.output
    assert "Traceback" not in node.output


@pytest.mark.parametrize("content", [None, b"damaged"], ids=["missing", "damaged"])
def test_an_unusable_model_file_is_reported_and_the_node_keeps_running(
    program: Any,  # noqa: ANN401
    camera: Camera,
    tmp_path: Any,  # noqa: ANN401
    content: bytes | None,
) -> None:
    path = tmp_path / "weights.onnx"
    if content is not None:
        path.write_bytes(content)
    node = program("rehab_pose.nodes.silhouette", "--ros-args", "-p", f"silhouette.weights_path:={path}")
    assert node.wait_for_output(str(path), TIMEOUT_S), node.output
    assert camera.wait_until(lambda: camera.status_contains(str(path), "/rehab_pose/silhouette"))
    assert node.process.poll() is None
    assert node.stop() == 0
