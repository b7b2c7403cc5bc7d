"""Start the nodes with ROS 2's launch: separate processes or one, on a camera's topics or on the simulated camera."""

from __future__ import annotations

import os
from pathlib import Path

import yaml
from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, SetEnvironmentVariable
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription
from rehab_pose.cli.transport import use_shared_memory

SHARE = Path(get_package_share_directory("rehab_pose"))
STAGE_NODES = ("rgbd_sync", "silhouette", "keypoints", "parts", "joints", "body", "biomechanics", "exercise")
CAMERAS = ("", *sorted(file.stem for file in (SHARE / "config" / "cameras").glob("*.yaml")))
ARGUMENTS = (
    ("namespace", "", "Namespace of all nodes"),
    ("use_sim_time", "false", "Take time from /clock"),
    ("params_file", str(SHARE / "config" / "rehab_pose.yaml"), "Parameters of all nodes"),
    ("log_level", "info", "debug, info, warn, error or fatal"),
    ("composed", "false", "All stages in one process"),
    ("sim", "false", "Also start the simulated camera"),
    ("markers", "true", "Also start the markers for RViz"),
    ("use_rviz", "false", "Also start RViz"),
    ("rviz_config", str(SHARE / "rviz" / "rehab_pose.rviz"), "What RViz shows"),
    ("camera", "", f"Topics of a known camera: {', '.join(CAMERAS[1:])}; empty: the topics below"),
    ("rgb_topic", "", "Colour image, rectified"),
    ("rgb_info_topic", "", "Its camera_info"),
    ("depth_topic", "", "Depth image, registered to colour"),
)


def _remappings(value: dict[str, str]) -> list[tuple[str, str]]:
    known = {}
    if value["camera"]:
        known = yaml.safe_load((SHARE / "config" / "cameras" / f"{value['camera']}.yaml").read_text(encoding="utf-8"))
    wanted = {
        "rgb/image_rect_color": value["rgb_topic"] or known.get("color", ""),
        "rgb/camera_info": value["rgb_info_topic"] or known.get("camera_info", ""),
        "depth_registered/image_rect": value["depth_topic"] or known.get("depth", ""),
    }
    return [(ours, theirs) for ours, theirs in wanted.items() if theirs]


def _nodes(context: LaunchContext) -> list[Node]:
    value = {name: context.launch_configurations[name] for name, _, _ in ARGUMENTS}
    on = {name for name, text in value.items() if text.lower() in {"true", "1"}}
    names = ["pipeline"] if "composed" in on else list(STAGE_NODES)
    names += ["markers"] if "markers" in on else []
    names += ["sim_camera"] if "sim" in on else []
    nodes = [
        Node(
            package="rehab_pose",
            executable=name,
            namespace=value["namespace"],
            parameters=[value["params_file"], {"use_sim_time": "use_sim_time" in on}],
            remappings=_remappings(value),
            arguments=["--ros-args", "--log-level", value["log_level"]],
            output="screen",
        )
        for name in names
    ]
    if "use_rviz" in on:
        rviz = Node(package="rviz2", executable="rviz2", arguments=["-d", value["rviz_config"]], output="screen")
        nodes.append(rviz)
    return nodes


def generate_launch_description() -> LaunchDescription:
    """Describe arguments, environment and nodes."""
    environment = dict(os.environ)
    complaint = use_shared_memory(environment)
    transport = [SetEnvironmentVariable(name, text) for name, text in environment.items() if name not in os.environ]
    transport += [LogInfo(msg=complaint)] if complaint else []
    return LaunchDescription(
        [
            *(DeclareLaunchArgument(name, default_value=value, description=text) for name, value, text in ARGUMENTS),
            *transport,
            SetEnvironmentVariable("OMP_NUM_THREADS", "1"),
            OpaqueFunction(function=_nodes),
        ]
    )
