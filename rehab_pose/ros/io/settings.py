"""Settings of the camera's subscriptions. Imports no ROS: the node reference is generated without it."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["IMAGE_QOS_CHOICES", "CameraSettings"]

IMAGE_QOS_CHOICES = ("auto", "reliable", "best_effort")
PAIRING_CHOICES = ("auto", "message_filters", "own")


@dataclass(frozen=True)
class CameraSettings(Settings):
    """Settings of the camera's subscriptions."""

    image_qos: str = setting(
        "auto",
        "Reliability of the camera subscriptions; auto: reliable, or best effort where the publisher offers only that",
        choices=IMAGE_QOS_CHOICES,
    )
    pairing: str = setting(
        "auto",
        "Pairing of colour and depth: message_filters (ROS's package), own (the same pairs without it), or auto: "
        "message_filters where it is installed",
        choices=PAIRING_CHOICES,
    )
