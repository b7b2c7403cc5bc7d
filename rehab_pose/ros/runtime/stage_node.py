"""Base class of all nodes: parameters, inputs and outputs from the table of the graph, and health on /diagnostics."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node

from rehab_pose.errors import ContractError, ModelFileError
from rehab_pose.graph import SECTIONS, find_section, load_class, plugin_sections
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.topic_names import full_name, nodes_namespace
from rehab_pose.messages.topics import CAMERA_TOPICS
from rehab_pose.ros.io.message_factory import RosMessageFactory, message_class
from rehab_pose.ros.io.qos import OVERRIDABLE, overrides_explained, qos
from rehab_pose.ros.io.resolved_names import resolved_name
from rehab_pose.ros.runtime.diagnostics import DIAGNOSTICS_TOPIC, PUBLISHERS, diagnostic_array
from rehab_pose.ros.runtime.distributions import callbacks_get_info, publication, publisher_count
from rehab_pose.ros.runtime.guard import guarded, guarded_callback, guarded_service
from rehab_pose.ros.runtime.health import Health
from rehab_pose.ros.runtime.lazy_stage import LazyStage, Resettable
from rehab_pose.ros.runtime.parameters import LiveSettings, declare_settings, declared_names, unmatched_overrides
from rehab_pose.ros.runtime.settings import NodeSettings
from rehab_pose.ros.runtime.silence_log import SilenceLog
from rehab_pose.ros.runtime.worker import Worker
from rehab_pose.settings import Settings
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from rclpy.callback_groups import CallbackGroup
    from rclpy.publisher import Publisher
    from rclpy.qos import QoSProfile
    from rclpy.service import Service
    from rclpy.subscription import Subscription
    from rclpy.timer import Timer

    from rehab_pose.graph import NodeSpec
    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.topics import Topic

__all__ = ["StageNode"]

REPORT_PERIOD_S = 1.0
"""Period of the reports on /diagnostics after the first ones [s]."""
EARLY_REPORTS, EARLY_PERIOD_S = 10, 0.3
"""Number and period [s] of the first reports. Subscribers of /diagnostics connect within a second and should then learn
soon that a restarted node is running."""
LOG_REPEAT_S = 5.0
"""Shortest time between two log lines of the same error [s]."""
INACTIVE = "inactive"
"""Reason under which frames are counted as dropped while the parameter node.active is false."""


class Closable(Protocol):
    """A thread that can be stopped."""

    def close(self) -> None:
        """Stop it."""


T = TypeVar("T", bound=Resettable)
S = TypeVar("S", bound=Settings)


class StageNode(Node):  # type: ignore[misc]  # rclpy is not typed everywhere
    """A node that runs stages on the messages of its inputs.

    The constructor declares the parameters and creates the publishers of the node's row in `rehab_pose.graph`. A
    subclass then builds its stages and subscribes to its inputs. Handlers run on one worker thread and return whether
    a person was in view. An error in a handler, or in any callback of a subscription, timer or service, drops that
    message; the reason is counted, logged and shown on /diagnostics, and the node goes on.
    """

    def __init__(self, spec: NodeSpec) -> None:
        """Declare parameters and create publishers.

        Raises:
            SettingsError: A parameter has the wrong type or is outside its range, or a QoS override cannot be used.
        """
        super().__init__(spec.name, namespace=nodes_namespace())
        self.spec = spec
        self.health = Health(time.monotonic)
        self.factory = RosMessageFactory()
        self.worker = Worker(self, "worker", main=True)
        self._workers = [self.worker]
        self._threads: list[Closable] = []
        self._logged: tuple[str, float] = ("", -LOG_REPEAT_S)
        self.reads_camera = set(CAMERA_TOPICS) <= set(spec.inputs)
        """True for the one node of a graph that logs what concerns the camera: every later node notices it too."""
        self._silence_log = SilenceLog()
        self._listening: dict[str, Subscription[Any]] = {}
        self._checked_parameters = False
        self._min_capacity, self._adjustable = 1, True
        self._live_settings = LiveSettings(self)
        self._settings: dict[type[Settings], Settings] = {}
        self._on_change: dict[type[Settings], Callable[[Any], None]] = {NodeSettings: self._on_node_settings}
        for section in ("node", *spec.settings):
            self._declare(section)
        # With every message the executor builds a list of all events of all publishers: the 40 of the node pipeline
        # take 1 ms. Subscribers with another QoS are told so by their own events.
        self._no_events = PublisherEventCallbacks(use_default_callbacks=False)
        self.publishers_by_topic: dict[Topic, Publisher[Any]] = {
            topic: self._publisher(topic) for topic in spec.outputs
        }
        self._diagnostics = self.create_publisher(
            message_class("diagnostic_msgs/msg/DiagnosticArray"), DIAGNOSTICS_TOPIC, 1, event_callbacks=self._no_events
        )
        self._reports = 0
        self._report_timer = self.create_timer(EARLY_PERIOD_S, self._report)

    def create_subscription(
        self,
        msg_type: Any,  # noqa: ANN401  (a class without a common base)
        topic: str,
        callback: Callable[..., None],
        *arguments: Any,  # noqa: ANN401
        **options: Any,  # noqa: ANN401
    ) -> Subscription[Any]:
        """Subscribe with a callback whose errors are counted and reported; see rclpy's Node."""
        guarded_one = guarded_callback(self, topic, callback)
        return super().create_subscription(msg_type, topic, guarded_one, *arguments, **options)

    def create_timer(
        self,
        timer_period_sec: float,
        callback: Callable[..., None],
        *arguments: Any,  # noqa: ANN401
        **options: Any,  # noqa: ANN401
    ) -> Timer:
        """Start a timer with a callback whose errors are counted and reported; see rclpy's Node."""
        return super().create_timer(timer_period_sec, guarded_callback(self, "timer", callback), *arguments, **options)

    def create_service(
        self,
        srv_type: Any,  # noqa: ANN401  (a class without a common base)
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        *arguments: Any,  # noqa: ANN401
        **options: Any,  # noqa: ANN401
    ) -> Service[Any, Any]:
        """Serve with a callback whose errors are counted, reported and answered; see rclpy's Node."""
        guarded_one = guarded_service(self, srv_name, callback)
        return super().create_service(srv_type, srv_name, guarded_one, *arguments, **options)

    def settings(self, kind: type[S]) -> S:
        """Return the settings of one of the node's sections, by their class.

        Raises:
            ContractError: The node's row names no section with this class.
        """
        if kind not in self._settings:
            msg = f"{self.spec.name}: expected one of the sections {', '.join(self.spec.settings)}, got {kind.__name__}"
            raise ContractError(msg)
        return cast("S", self._settings[kind])

    def on_settings(self, kind: type[S], apply: Callable[[S], None]) -> None:
        """Call `apply` with the new settings after each change of a live section."""
        self._on_change[kind] = apply

    def stage(self, build: Callable[[], T], worker: Worker | None = None) -> LazyStage[T]:
        """Build a stage now; when its model file cannot be used, report it and try again later.

        Args:
            build: Makes the stage.
            worker: The worker whose thread uses the stage; the main worker when None.
        """
        stage = LazyStage(build)
        (worker or self.worker).stages.append(stage)
        try:
            stage.get()
        except ModelFileError as error:
            self.report_error(str(error))
        return stage

    def publish(self, topic: Topic, message: Message) -> None:
        """Publish a message on one of the node's outputs."""
        self.publishers_by_topic[topic].publish(message)

    def has_subscribers(self, topic: Topic) -> bool:
        """Return whether one of the node's outputs has subscribers."""
        return bool(self.publishers_by_topic[topic].get_subscription_count())

    def input(self, topic: Topic, handler: Callable[[Any], bool], *, capacity: int = 1) -> None:
        """Pass each message of a topic to a handler on the worker thread.

        Args:
            topic: One of the node's inputs.
            handler: Returns whether a person was in view.
            capacity: Lower limit of the parameter node.queue_length for this node.
        """
        self.start_worker(capacity)

        def receive(message: Message, arrived_s: float) -> None:
            self.post(handler, message, stamp_ns(message.header.stamp), arrived_s)

        self.listen(topic, receive)

    def start_worker(self, capacity: int = 1, *, adjustable: bool = True) -> None:
        """Start the worker thread, if it is not running yet.

        Args:
            capacity: Items that may wait; with 1, for images, some are skipped once more arrive than can be processed.
            adjustable: Whether the parameter node.queue_length may increase the capacity.
        """
        if not self.worker.started:
            self._min_capacity, self._adjustable = capacity, adjustable
            self.worker.start(self._capacity(), skips=capacity == 1)

    def second_worker(self, name: str) -> Worker:
        """Start and return another worker, for work that the main worker does not wait for."""
        worker = Worker(self, name, main=False)
        self._workers.append(worker)
        worker.start(self._capacity(), skips=True)
        return worker

    def post(self, handler: Callable[[Any], bool], item: object, stamp: int, arrived_s: float) -> None:
        """Queue an item with a stamp [ns] for a handler on the worker thread."""
        if not self.settings(NodeSettings).active:
            self.health.drop(INACTIVE, stamp_ns=stamp)
        else:
            self.worker.put(handler, item, stamp, arrived_s)

    def listen(
        self,
        topic: Topic,
        receive: Callable[[Any, float], None],
        *,
        watched: bool = True,
        profile: QoSProfile | None = None,
        group: CallbackGroup | None = None,
    ) -> Subscription[Any]:
        """Call `receive(message, arrival time)` on the receiving thread for each message of a topic, and count it.

        Args:
            topic: One of the node's inputs.
            receive: Called on the receiving thread.
            watched: Whether silence is reported as a fault.
            profile: The QoS, which parameters then cannot override; None = the QoS of the topic's kind of delivery.
            group: Tells the executor when the callback may be called; None = always.

        Raises:
            ContractError: The node's row does not name this input.
            SettingsError: A QoS override cannot be used.
        """
        if topic not in self.spec.inputs:
            msg = f"{self.spec.name}: expected an input of the node's row in rehab_pose.graph, got {topic.name}"
            raise ContractError(msg)
        resolved = resolved_name(self, topic.name)
        entry = self.health.add_input(topic.name, resolved, watched=watched)

        # rclpy passes the publisher's sequence number only to callbacks with two arguments (since ROS 2 Iron).
        def plain(message: Message) -> None:
            receive(message, self.health.arrived(entry))

        def numbered(message: Message, info: dict[str, Any]) -> None:
            publisher, number = publication(info)
            receive(message, self.health.arrived(entry, publisher, number, _any_stamp_ns(message)))

        callback = numbered if callbacks_get_info() else plain
        kind, effective_profile = message_class(topic.type_name), profile or qos(topic.delivery)
        with overrides_explained(topic.name):
            subscription = self.create_subscription(
                kind,
                self._requested_name(topic),
                callback,
                effective_profile,
                callback_group=group,
                qos_overriding_options=OVERRIDABLE if profile is None else None,
            )
        self._listening[resolved] = subscription
        return subscription

    def stop_listening(self, topic: Topic) -> None:
        """Destroy the subscription to one of the node's inputs; silence there is no fault from then on."""
        resolved = resolved_name(self, topic.name)
        self.health.remove_input(topic.name)
        self.health.facts.pop(f"{PUBLISHERS}{resolved}", None)
        self.destroy_subscription(self._listening.pop(resolved))

    def report_error(self, message: str, *, detail: str = "") -> None:
        """Show an error on /diagnostics, and log it; the same error is logged at most every LOG_REPEAT_S."""
        self.health.error(message)
        now_s = time.monotonic()
        last, logged_s = self._logged
        if message != last or now_s - logged_s >= LOG_REPEAT_S:
            self._logged = (message, now_s)
            self.get_logger().error(f"{message}\n{detail}" if detail else message)

    def add_thread(self, thread: Closable) -> None:
        """Stop a thread of a subclass before the workers when the node is closed."""
        self._threads.append(thread)

    def close(self) -> None:
        """Stop the threads and the workers."""
        for thread in self._threads:
            thread.close()
        for worker in self._workers:
            worker.close()

    @staticmethod
    def now_s() -> float:
        """Return the time of the monotonic clock that the health uses [s]."""
        return time.monotonic()

    def before_report(self) -> None:
        """Add a subclass's own counts to the health; called before each report."""

    def _declare(self, section: str) -> None:
        found = find_section(section)
        kind: type[Settings] = load_class(found.settings)
        if found.live:
            self._settings[kind] = self._live_settings.declare(section, kind, lambda new: self._change(kind, new))
        else:
            self._settings[kind] = declare_settings(self, section, kind)

    def _change(self, kind: type[Settings], settings: Settings) -> None:
        self._settings[kind] = settings
        apply = self._on_change.get(kind)
        if apply is not None:
            with guarded(self, "parameters"):
                apply(settings)

    def _publisher(self, topic: Topic) -> Publisher[Any]:
        kind, profile = message_class(topic.type_name), qos(topic.delivery)
        with overrides_explained(topic.name):
            return self.create_publisher(
                kind,
                self._requested_name(topic),
                profile,
                qos_overriding_options=OVERRIDABLE,
                event_callbacks=self._no_events,
            )

    def _requested_name(self, topic: Topic) -> str:
        """Return the name to give to ROS, which resolves the relative names of topics in the node's namespace."""
        is_inside = full_name(topic).startswith(f"{nodes_namespace()}/")
        return topic.name if is_inside else resolved_name(self, topic.name)

    def _capacity(self) -> int:
        requested = self.settings(NodeSettings).queue_length if self._adjustable else 0
        return max(self._min_capacity, requested)

    def _on_node_settings(self, _settings: NodeSettings) -> None:
        for worker in self._workers:
            worker.set_capacity(self._capacity())

    def _report(self) -> None:
        self._reports += 1
        if self._reports == EARLY_REPORTS:
            self._report_timer.timer_period_ns = round(REPORT_PERIOD_S * NS_PER_S)
        if not self._checked_parameters:
            self._checked_parameters = True
            self._warn_of_unknown_parameters()
        with guarded(self, "report"):  # which is sent nevertheless
            self.before_report()
        for name, subscription in self._listening.items():
            # A message sent before publisher and subscriber have discovered each other is lost without an error:
            # report how many publishers are connected.
            self.health.facts[f"{PUBLISHERS}{name}"] = str(publisher_count(self, subscription, name))
        self._log_silence()
        replaced = sum(worker.replaced for worker in self._workers)
        report = self.health.report(replaced)
        name = self.get_fully_qualified_name()
        self._diagnostics.publish(diagnostic_array(self.get_clock().now().to_msg(), name, report))

    def _warn_of_unknown_parameters(self) -> None:
        """Warn of given parameters that no node has; parameters of other nodes' sections are ignored."""
        declared = {name.partition(".")[0] for name in declared_names(self)}
        for index, sentence in enumerate(unmatched_overrides(self, set(SECTIONS) - declared, plugin_sections)):
            self.get_logger().warning(sentence)
            self.health.warnings[f"parameter {index}"] = sentence

    def _log_silence(self) -> None:
        line = self._silence_log.line(self.health.inputs, self.health.silent_inputs()) if self.reads_camera else ""
        if line:
            self.get_logger().info(line)


def _any_stamp_ns(message: Message) -> int:
    """Return the stamp of a message [ns], also a nonsensical one, which its receiver refuses; 0 = it has none."""
    stamp = getattr(getattr(message, "header", None), "stamp", None)
    return 0 if stamp is None else int(stamp.sec) * NS_PER_S + int(stamp.nanosec)
