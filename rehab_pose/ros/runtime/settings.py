"""The parameters that every node has. Imports no ROS, so that the node reference can be generated without it."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["NodeSettings"]


@dataclass(frozen=True)
class NodeSettings(Settings):
    """Settings of every node."""

    active: bool = setting(True, "Process input; false: input is counted as dropped and not processed")
    queue_length: int = setting(
        2,
        "Messages that may wait for the worker, a newer one replaces the oldest; 1: least delay, more: fewer frames "
        "skipped under a varying load",
        minimum=1,
        maximum=100,
    )
