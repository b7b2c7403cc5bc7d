"""The parameters that every node has. Imports no ROS, so that the node reference can be generated without it."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["NodeSettings"]


@dataclass(frozen=True)
class NodeSettings(Settings):
    """Settings of every node."""

    active: bool = setting(
        True, "true: process what arrives; false: pause, what arrives is counted as dropped; topics and parameters stay"
    )
    queue_length: int = setting(
        2,
        "Messages that may wait while one is processed; when full, a newer one replaces the oldest, and then images "
        "are skipped until only the newest waits. More: fewer frames are skipped under a varying load",
        minimum=1,
        maximum=100,
    )
