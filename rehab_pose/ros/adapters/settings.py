"""Settings of the markers for RViz. Imports no ROS, so that the node reference can be generated without it."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["MarkerSettings"]


@dataclass(frozen=True)
class MarkerSettings(Settings):
    """Settings of the markers for RViz."""

    mesh_rate_hz: float = setting(15.0, "The mesh marker is sent at most this often [Hz]", minimum=0.1, maximum=60.0)
    bones: bool = setting(True, "Show the bones too")
    bone_rate_hz: float = setting(
        10.0, "The bones' markers are sent at most this often [Hz]", minimum=0.1, maximum=60.0
    )
    angles: bool = setting(True, "Write joint angles next to the joints [degrees]")
    names: bool = setting(False, "Write the joints' names")
    text_rate_hz: float = setting(10.0, "Angles and names are sent at most this often [Hz]", minimum=0.1, maximum=60.0)
