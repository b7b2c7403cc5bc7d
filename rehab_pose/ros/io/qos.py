"""QoS profiles of the kinds of delivery, and overrides of them by parameters."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rclpy.exceptions import InvalidParameterTypeException
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import InvalidQosOverridesError, QoSOverridingOptions

from rehab_pose.errors import SettingsError
from rehab_pose.messages.topics import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OVERRIDABLE", "overrides_explained", "qos"]

QUEUE_LENGTHS = {
    Delivery.CAMERA: 10,
    Delivery.IMAGE: 5,
    Delivery.RESULT: 10,
    Delivery.LATCHED: 1,
    Delivery.EVENT: 50,
    Delivery.MARKER: 1,
}
"""Depth of the QoS by kind of delivery [messages]."""
FOR_LATE = {Delivery.LATCHED, Delivery.EVENT}
"""Kinds of which a late subscriber receives the last messages."""


def qos(delivery: Delivery, *, best_effort: bool = False, depth: int | None = None) -> QoSProfile:
    """Return the QoS of a kind of stream.

    Args:
        delivery: The kind of stream.
        best_effort: Return best effort, for cameras that publish so: a reliable subscription does not match them.
        depth: Messages that may wait; None = that of the kind.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth or QUEUE_LENGTHS[delivery],
        reliability=ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if delivery in FOR_LATE else DurabilityPolicy.VOLATILE,
    )


OVERRIDABLE = QoSOverridingOptions.with_default_policies()
"""History, depth and reliability of an endpoint can be changed at the start of a node, as usual in ROS 2, by
parameters such as `qos_overrides./topic.publisher.depth`."""


@contextmanager
def overrides_explained(topic: str) -> Iterator[None]:
    """Turn rclpy's errors about a QoS override into a SettingsError that names the topic.

    Raises:
        SettingsError: A value has the wrong type or is not one of the choices.
    """
    try:
        yield
    except (InvalidParameterTypeException, InvalidQosOverridesError) as error:
        raise _refusal(topic, error) from error
    except RuntimeError as error:
        if type(error) is not RuntimeError:  # rclpy's errors are subclasses; an unknown choice is a plain RuntimeError
            raise
        raise _refusal(topic, error) from error


def _refusal(topic: str, error: Exception) -> SettingsError:
    return SettingsError(
        f"qos_overrides of {topic}: expected history (keep_last, keep_all), depth (a whole number) and reliability "
        f"(reliable, best_effort), got: {error}"
    )
