"""Replay a recording through all nodes: `ros2 launch rehab_pose replay.launch.py bag:=FOLDER`.

It accepts all arguments of rehab_pose.launch.py.
"""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

from launch import LaunchDescription

SHARE = Path(get_package_share_directory("rehab_pose"))


def generate_launch_description() -> LaunchDescription:
    """Return the launch description of rehab_pose.launch.py with `bag` as a required argument."""
    return LaunchDescription(
        [
            DeclareLaunchArgument("bag", description="Folder of the bag to play"),
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(SHARE / "launch" / "rehab_pose.launch.py"))),
        ]
    )
