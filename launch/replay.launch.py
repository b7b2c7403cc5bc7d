"""Replay a recording through all nodes: `ros2 launch rehab_pose replay.launch.py bag:=FOLDER`."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, ExecuteProcess, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

from launch import LaunchDescription

SHARE = Path(get_package_share_directory("rehab_pose"))


def generate_launch_description() -> LaunchDescription:
    """Describe the nodes and the player."""
    play = ["ros2", "run", "rehab_pose", "rehab-pose", "play", LaunchConfiguration("bag")]
    return LaunchDescription(
        [
            DeclareLaunchArgument("bag", description="Folder of the rosbag"),
            DeclareLaunchArgument("rate", default_value="1.0", description="2.0 plays twice as fast"),
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(SHARE / "launch" / "rehab_pose.launch.py"))),
            ExecuteProcess(cmd=[*play, "--rate", LaunchConfiguration("rate"), "--wait", "20"], output="screen"),
        ]
    )
