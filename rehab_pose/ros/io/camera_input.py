"""Subscriptions to the camera's topics with the publishers' reliability; pairs images and reports lost ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rclpy.qos import ReliabilityPolicy

from rehab_pose.capture.settings import CaptureSettings
from rehab_pose.messages import topics
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.frame_builder import FrameBuilder
from rehab_pose.ros.io.images import decode_color
from rehab_pose.ros.io.message_filters_pairing import message_pairer
from rehab_pose.ros.io.polled_input import NeverReady, PolledInput
from rehab_pose.ros.io.qos import qos
from rehab_pose.ros.io.receiving_thread import ReceivingThread
from rehab_pose.ros.io.resolved_names import resolved_name
from rehab_pose.ros.io.settings import CameraSettings
from rehab_pose.ros.runtime.settings import NodeSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.subscription import Subscription

    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.frame_builder import RawFrame
    from rehab_pose.messages.topics import Topic
    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["CameraInput"]

MIN_WAITING = 3
"""Images that may wait for the receiving thread, or as many as node.queue_length if that is more. Fast DDS keeps the
memory of as many as ever waited, 1.5 MB for colour and depth: with ten of each, a pause of half a second made a node
30 MB larger for good."""
MATCH_PERIOD_S = 0.25
"""Period of checking the publishers' QoS [s]."""
SLOW_RATIO = 0.5
"""An image rate below this fraction of camera_info's rate means that images are lost between camera and node."""


class CameraInput:
    """Subscribes to the camera, pairs colour and depth, and passes each frame to the node's worker."""

    def __init__(self, node: StageNode, handler: Callable[[RgbdFrame], bool]) -> None:
        """Subscribe to the camera's topics.

        Args:
            node: Provides the parameters, and receives counts and warnings.
            handler: Called on the node's worker thread with each frame; returns whether a person was in view.
        """
        self._node = node
        self._handler = handler
        camera, capture = node.settings(CameraSettings), node.settings(CaptureSettings)
        self._image_qos = camera.image_qos
        self._waiting = max(MIN_WAITING, node.settings(NodeSettings).queue_length)
        # The names after remapping: FrameBuilder reads from them whether the images are rectified.
        self._builder = FrameBuilder(
            capture,
            decode_color,
            color_topic=resolved_name(node, topics.COLOR.name),
            depth_topic=resolved_name(node, topics.DEPTH.name),
            pairer=message_pairer(camera.pairing, capture.pairing_slop_s, capture.pairing_queue),
        )
        node.start_worker()
        self._receivers: dict[Topic, Callable[[Any, float], None]] = {
            topics.CAMERA_INFO: self._on_camera_info,
            topics.COLOR: self._on_color,
            topics.DEPTH: self._on_depth,
        }
        self._best_effort = dict.fromkeys(self._receivers, self._image_qos == "best_effort")
        self._subscriptions: dict[Topic, Subscription[Any]] = {topic: self._listen(topic) for topic in self._receivers}
        self._imu = PolledInput(node, topics.IMU, self._builder.add_imu)  # up to 400 messages a second
        node.add_thread(ReceivingThread(node, lambda: tuple(self._subscriptions.values())))
        if self._image_qos == "auto":
            node.create_timer(MATCH_PERIOD_S, self._match_publishers)

    def before_report(self) -> None:
        """Add images without a partner to the node's health, and warn when images are lost between camera and node."""
        health, pairer = self._node.health, self._builder.pairer
        health.dropped["colour without depth"] = pairer.dropped_first
        health.dropped["depth without colour"] = pairer.dropped_second
        health.dropped["no camera_info yet"] = self._builder.dropped_without_camera_info
        health.note_dropped(pairer.take_dropped())
        now_s = self._node.now_s()
        info_hz = health.inputs[topics.CAMERA_INFO.name].rate_hz(now_s)
        for topic in (topics.COLOR, topics.DEPTH):
            image_hz = health.inputs[topic.name].rate_hz(now_s)
            key = f"slow {topic.name}"
            if 0 < image_hz < SLOW_RATIO * info_hz:
                health.warnings[key] = (
                    f"{topic.name} has {image_hz:.0f} Hz, camera_info has {info_hz:.0f} Hz: images are lost in "
                    "transport; set FASTDDS_DEFAULT_PROFILES_FILE to config/fastdds_shm.xml for all programs"
                )
            else:
                health.warnings.pop(key, None)

    def _listen(self, topic: Topic) -> Subscription[Any]:
        depth = None if topic is topics.CAMERA_INFO else self._waiting
        profile = qos(topic.delivery, best_effort=self._best_effort[topic], depth=depth)
        return self._node.listen(topic, self._receivers[topic], profile=profile, group=NeverReady())

    def _match_publishers(self) -> None:
        """Subscribe again if the publishers offer another reliability than the subscription requests."""
        for topic, subscription in self._subscriptions.items():
            publishers = self._node.get_publishers_info_by_topic(subscription.topic_name)
            offers = {publisher.qos_profile.reliability for publisher in publishers}
            if not offers:
                continue
            best_effort = ReliabilityPolicy.BEST_EFFORT in offers
            if best_effort != self._best_effort[topic]:
                self._best_effort[topic] = best_effort
                self._node.stop_listening(topic)
                self._subscriptions[topic] = self._listen(topic)
                word = "best effort" if best_effort else "reliable"
                self._node.get_logger().info(f"{topic.name}: subscribed {word}, as the publisher offers it")
                return  # the dictionary's values changed; the rest follows at the next check

    def _on_camera_info(self, message: Message, _arrived_s: float) -> None:
        self._builder.add_camera_info(message)

    def _on_color(self, message: Message, arrived_s: float) -> None:
        self._imu.poll()
        self._post(self._builder.add_color(message), arrived_s)

    def _on_depth(self, message: Message, arrived_s: float) -> None:
        self._post(self._builder.add_depth(message), arrived_s)

    def _post(self, raw_frames: list[RawFrame], arrived_s: float) -> None:
        for raw in raw_frames:
            self._node.post(self._build_and_handle, raw, stamp_ns(raw[0].header.stamp), arrived_s)

    def _build_and_handle(self, raw: RawFrame) -> bool:
        return self._handler(self._builder.build(raw))
