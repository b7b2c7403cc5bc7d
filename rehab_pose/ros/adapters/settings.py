"""Settings of the markers for RViz and of TF. Imports no ROS: the node reference is generated without it."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["MarkerSettings", "TfSettings"]


@dataclass(frozen=True)
class MarkerSettings(Settings):
    """Settings of the markers for RViz."""

    rate_hz: float = setting(
        15.0,
        "Joints, bones, angles and mesh of one frame are sent together, at most this often [Hz]",
        minimum=0.1,
        maximum=60.0,
    )
    mesh_alpha: float = setting(
        0.35, "Opacity of the mesh; joints and bones are seen through a value below 1", minimum=0.05, maximum=1.0
    )
    bones: bool = setting(True, "Show the bones too")
    angles: bool = setting(True, "Write the joint angles that move in the exercise next to the joints [degrees]")
    all_angles: bool = setting(False, "Write all joint angles, also those that do not move and without an exercise")
    floor: bool = setting(True, "Show a grid on the floor")
    names: bool = setting(False, "Write the joints' names")


@dataclass(frozen=True)
class TfSettings(Settings):
    """Settings of the body's frames on /tf."""

    frame_prefix: str = setting(
        "",
        "Written before the names of the body's frames, for several robots with one TF, such as robot1/; the camera's "
        "frame keeps its name",
    )
