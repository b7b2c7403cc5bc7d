"""The base of every node: parameters, inputs with a mailbox, outputs, health on /diagnostics."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from rclpy.node import Node

from rehab_pose.errors import ModelFileError
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.topics import CAMERA_TOPICS
from rehab_pose.ros.io.message_factory import RosMessageFactory, message_class
from rehab_pose.ros.io.qos import OVERRIDABLE, overrides_explained, qos
from rehab_pose.ros.runtime.diagnostics import DIAGNOSTICS_TOPIC, PUBLISHERS, diagnostic_array
from rehab_pose.ros.runtime.distributions import callbacks_get_info, publisher_count
from rehab_pose.ros.runtime.health import Health
from rehab_pose.ros.runtime.lazy_stage import Actor, Stage
from rehab_pose.ros.runtime.parameters import LiveSettings, declare_settings, declared_names, unmatched_overrides
from rehab_pose.ros.runtime.sections import SETTINGS_BY_SECTION
from rehab_pose.ros.runtime.worker import NS_PER_S, Worker
from rehab_pose.settings import Settings, setting

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.publisher import Publisher
    from rclpy.qos import QoSProfile
    from rclpy.subscription import Subscription

    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.topics import Topic

__all__ = ["NodeSettings", "StageNode"]

CAMERA_NAMES = frozenset(topic.name for topic in CAMERA_TOPICS)
REPORT_PERIOD_S = 1.0
EARLY_REPORTS, EARLY_PERIOD_S = 10, 0.3
"""So many reports come sooner [s]: those who listen are found within a second, and then see at once who is back."""
REPEAT_S = 5.0
"""The same error is logged again after this time [s]."""
STANDING_BY = "standing by"


@dataclass(frozen=True)
class NodeSettings(Settings):
    """What every node has."""

    active: bool = setting(True, "Take input; false: stand by, what comes is counted as dropped")
    queue_length: int = setting(
        2,
        "Messages that may wait for the worker, a newer one replaces the oldest; 1: least delay, more: fewer frames "
        "skipped under a varying load",
        minimum=1,
        maximum=100,
    )


A = TypeVar("A", bound=Actor)
S = TypeVar("S", bound=Settings)


class StageNode(Node):  # type: ignore[misc]  # rclpy is not typed everywhere
    """A node that answers each message of its input.

    A subclass declares its settings, stages, outputs and inputs in its constructor. Handlers run on one worker thread
    and return whether a person was there; a RehabPoseError they raise drops that message, with the reason counted,
    logged and shown on /diagnostics.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.health = Health(time.monotonic)
        self.factory = RosMessageFactory()
        self.worker = Worker(self, "worker", main=True)
        self._workers = [self.worker]
        self._logged: tuple[str, float] = ("", -REPEAT_S)
        self._silent: set[str] = set()
        self._listening: dict[str, Subscription[Any]] = {}
        self._checked_parameters = False
        self._least_capacity, self._adjustable = 1, True
        self._live_settings = LiveSettings(self)
        self._node_settings = self.live_settings("node", NodeSettings, self._on_node_settings)
        self._diagnostics = self.create_publisher(
            message_class("diagnostic_msgs/msg/DiagnosticArray"), DIAGNOSTICS_TOPIC, 1
        )
        self._reports = 0
        self._report_timer = self.create_timer(EARLY_PERIOD_S, self._report)

    def settings(self, section: str, kind: type[S]) -> S:
        """Declare a section of parameters and return its values.

        Raises:
            SettingsError: A value has the wrong type or lies outside its range.
        """
        return declare_settings(self, section, kind)

    def live_settings(self, section: str, kind: type[S], apply: Callable[[S], None]) -> S:
        """Do the same for a section that may be changed while the node runs; `apply` then gets the new values.

        Raises:
            SettingsError: A value has the wrong type or lies outside its range.
        """
        return self._live_settings.declare(section, kind, apply)

    def stage(self, build: Callable[[], A], worker: Worker | None = None) -> Stage[A]:
        """Build a stage now; when its model file cannot be used, say so and try again later.

        Args:
            build: Makes it.
            worker: The one worker whose thread touches it; the main one when None.
        """
        stage = Stage(build)
        (worker or self.worker).stages.append(stage)
        try:
            stage.get()
        except ModelFileError as error:
            self.complain(str(error))
        return stage

    def output(self, topic: Topic) -> Publisher[Any]:
        """Return a publisher.

        Raises:
            SettingsError: A QoS override cannot be used.
        """
        kind, profile = message_class(topic.type_name), qos(topic.delivery)
        with overrides_explained(topic.name):
            return self.create_publisher(kind, topic.name, profile, qos_overriding_options=OVERRIDABLE)

    def input(self, topic: Topic, handler: Callable[[Any], bool], *, capacity: int = 1) -> None:
        """Hand each message of a topic to a handler on the worker thread.

        Args:
            topic: The topic.
            handler: Returns whether a person was there.
            capacity: So many may wait at least, where the parameter node.queue_length asks for fewer.
        """
        self.start_worker(capacity)

        def receive(message: Message, arrived_s: float) -> None:
            self.post(handler, message, stamp_ns(message.header.stamp), arrived_s)

        self.listen(topic, receive)

    def start_worker(self, capacity: int = 1, *, adjustable: bool = True) -> None:
        """Start the worker thread, if it is not running yet.

        Args:
            capacity: So many items may wait.
            adjustable: The parameter node.queue_length may ask for more.
        """
        if not self.worker.started:
            self._least_capacity, self._adjustable = capacity, adjustable
            self.worker.start(self._capacity())

    def second_worker(self, name: str) -> Worker:
        """Return another worker thread, for work that the main one does not wait for."""
        worker = Worker(self, name, main=False)
        self._workers.append(worker)
        worker.start(self._capacity())
        return worker

    def _capacity(self) -> int:
        asked = self._node_settings.queue_length if self._adjustable else 0
        return max(self._least_capacity, asked)

    def _on_node_settings(self, settings: NodeSettings) -> None:
        self._node_settings = settings
        for worker in self._workers:
            worker.set_capacity(self._capacity())

    def post(self, handler: Callable[[Any], bool], item: object, stamp: int, arrived_s: float) -> None:
        """Leave an item with stamp [ns] for a handler on the worker thread."""
        if not self._node_settings.active:
            self.health.drop(STANDING_BY)
        else:
            self.worker.put(handler, item, stamp, arrived_s)

    def listen(
        self,
        topic: Topic,
        receive: Callable[[Any, float], None],
        *,
        watched: bool = True,
        profile: QoSProfile | None = None,
    ) -> Subscription[Any]:
        """Call `receive(message, arrival time)` on the receiving thread for each message of a topic, and count it.

        Args:
            topic: The topic.
            receive: Called on the receiving thread.
            watched: Silence is a fault.
            profile: The QoS, which parameters then cannot override; the topic's own when None.

        Raises:
            SettingsError: A QoS override cannot be used.
        """
        shown = self.resolve_topic_name(topic.name)
        entry = self.health.inputs.get(topic.name) or self.health.add_input(topic.name, shown, watched=watched)

        # rclpy passes the publisher's running number only to callbacks with two arguments (not before ROS 2 Iron).
        def plain(message: Message) -> None:
            receive(message, self.health.arrived(entry))

        def numbered(message: Message, info: dict[str, Any]) -> None:
            gid = info.get("publisher_gid")
            number = info.get("publication_sequence_number")
            receive(message, self.health.arrived(entry, gid["data"] if gid else b"", number))

        chosen = numbered if callbacks_get_info() else plain
        kind, wanted = message_class(topic.type_name), profile or qos(topic.delivery)
        with overrides_explained(topic.name):
            subscription = self.create_subscription(
                kind, topic.name, chosen, wanted, qos_overriding_options=OVERRIDABLE if profile is None else None
            )
        self._listening[shown] = subscription
        return subscription

    def reset_stages(self) -> None:
        """Make the stages of the main worker forget earlier frames."""
        self.worker.reset_stages()

    def complain(self, message: str, *, detail: str = "") -> None:
        """Log an error, not the same one again and again, and show it on /diagnostics."""
        self.health.error(message)
        now_s = time.monotonic()
        last, logged_s = self._logged
        if message != last or now_s - logged_s >= REPEAT_S:
            self._logged = (message, now_s)
            self.get_logger().error(f"{message}\n{detail}" if detail else message)

    def close(self) -> None:
        """Stop the workers."""
        for worker in self._workers:
            worker.close()

    def _report(self) -> None:
        self._reports += 1
        if self._reports == EARLY_REPORTS:
            self._report_timer.timer_period_ns = round(REPORT_PERIOD_S * NS_PER_S)
        if not self._checked_parameters:
            self._checked_parameters = True
            others = set(SETTINGS_BY_SECTION) - {name.partition(".")[0] for name in declared_names(self)}
            for index, sentence in enumerate(unmatched_overrides(self, others)):
                self.get_logger().warning(sentence)
                self.health.warnings[f"parameter {index}"] = sentence
        self.before_report()
        for shown, subscription in self._listening.items():
            # A message sent before its two ends have found each other is lost without a trace: show who is connected.
            self.health.facts[f"{PUBLISHERS}{shown}"] = str(publisher_count(self, subscription, shown))
        silent = self.health.silent_inputs()
        for topic in silent.keys() - self._silent:
            self._silence_logger(topic)(f"nothing for {silent[topic]:.0f} s on {self.resolve_topic_name(topic)}")
        for topic in (self._silent - silent.keys()) & CAMERA_NAMES:
            self.get_logger().info(f"{self.resolve_topic_name(topic)} is back")
        self._silent = set(silent)
        replaced = sum(worker.replaced for worker in self._workers)
        report = self.health.report(replaced)
        name = self.get_fully_qualified_name()
        self._diagnostics.publish(diagnostic_array(self.get_clock().now().to_msg(), name, report))

    def _silence_logger(self, name: str) -> Callable[[str], object]:
        """Return how to log about a silent topic: when the camera stops, all nodes fall silent; one should say so."""
        logger = self.get_logger()
        log: Callable[[str], object] = logger.warning if name in CAMERA_NAMES else logger.debug
        return log

    @staticmethod
    def now_s() -> float:
        """Return the time of the health's clock [s]."""
        return time.monotonic()

    def before_report(self) -> None:
        """Add what a subclass counts itself to the health, once a second."""
