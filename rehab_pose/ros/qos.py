"""Delivery to QoS, in one place."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from rehab_pose.messages.topics import Delivery

__all__ = ["IMAGE_QOS_CHOICES", "qos"]

QUEUE_LENGTHS = {
    Delivery.CAMERA: 10,
    Delivery.IMAGE: 5,
    Delivery.RESULT: 10,
    Delivery.LATCHED: 1,
    Delivery.MARKER: 1,
}
IMAGE_QOS_CHOICES = ("auto", "reliable", "best_effort")


def qos(delivery: Delivery, *, best_effort: bool = False) -> QoSProfile:
    """Return the QoS of a kind of stream.

    Args:
        delivery: The kind.
        best_effort: For cameras that publish best effort: a reliable subscriber would get nothing from them.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=QUEUE_LENGTHS[delivery],
        reliability=ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if delivery is Delivery.LATCHED else DurabilityPolicy.VOLATILE,
    )
