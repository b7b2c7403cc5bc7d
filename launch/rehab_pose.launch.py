"""Start the nodes with ROS 2's launch: separate processes or one, on a camera's topics, a recording or a simulation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, ExecuteProcess, LogInfo, OpaqueFunction, SetEnvironmentVariable
from launch_ros.actions import Node
from launch_ros.substitutions import ExecutableInPackage

from launch import LaunchContext, LaunchDescription
from rehab_pose.graph import Option, choose_nodes
from rehab_pose.launching.shared_memory import use_shared_memory

if TYPE_CHECKING:
    from launch.action import Action

PACKAGE = "rehab_pose"
SHARE = Path(get_package_share_directory(PACKAGE))
CAMERAS = sorted(file.stem for file in (SHARE / "config" / "cameras").glob("*.yaml"))
YES_OR_NO = ["true", "false"]
SIMULATOR = "rehab_pose_sim"
SIMULATED_CAMERA = "sim_camera"
SHOWN_TOPICS = ("markers", "mesh_marker", "silhouette/image")
RESPAWN_DELAY_S = 0.2
STOP_S = "2.0"
"""After this time without an answer to SIGINT a node gets SIGTERM, and after it again SIGKILL [s]."""
WAIT_FOR_NODES_S = "20"


class Argument(NamedTuple):
    """An argument of this launch file."""

    name: str
    default: str
    description: str
    choices: list[str] | None = None


ARGUMENTS = (
    Argument("namespace", "", "Namespace of all nodes"),
    Argument("use_sim_time", "false", "Take time from /clock", YES_OR_NO),
    Argument("params_file", str(SHARE / "config" / "rehab_pose.yaml"), "Parameters of all nodes"),
    Argument("autostart", "true", "false: process no input until the parameter node.active is set to true", YES_OR_NO),
    Argument("log_level", "info", "Of all nodes", ["debug", "info", "warn", "error", "fatal"]),
    Argument("use_rviz", "false", "Also start RViz", YES_OR_NO),
    Argument("rviz_config", str(SHARE / "rviz" / "rehab_pose.rviz"), "What RViz shows"),
    Argument("camera", "", "Topics of a known camera; empty: the topics below", ["", *CAMERAS]),
    Argument("rgb_topic", "", "Colour image; empty: the camera's"),
    Argument("rgb_info_topic", "", "Its camera_info; empty: the camera's"),
    Argument("depth_topic", "", "Depth image, registered to colour; empty: the camera's"),
    Argument("image_qos", "", "Reliability of the camera's topics; empty: as in the params_file",
             ["", "auto", "reliable", "best_effort"]),
    Argument("device", "", "Device of a public network: cpu, cuda or cuda:N; empty: as in the params_file"),
    Argument("model_path", "", "Body model in SMPL's format; empty: as in the params_file"),
    Argument("use_mesh", "true", "Fit the body, with its joint angles and bones", YES_OR_NO),
    Argument("use_recognition", "true", "Classify exercises, count repetitions, serve sessions", YES_OR_NO),
    Argument("use_markers", "true", "Markers for RViz, sent only while they have subscribers", YES_OR_NO),
    Argument("use_tf", "false", "Links of the body on /tf; needs tf2_msgs", YES_OR_NO),
    Argument("use_rep155", "false", "The body as ROS4HRI expects it, on /humans; needs hri_msgs", YES_OR_NO),
    Argument("composed", "false", "All stages in one process: less delay", YES_OR_NO),
    Argument("respawn", "true", "Restart a node that ended", YES_OR_NO),
    Argument("sim", "false", "Also start the simulated camera (package rehab_pose_sim)", YES_OR_NO),
    Argument("record", "", "Folder of a new bag for the results (no images); empty: none"),
    Argument("bag", "", "Folder of a bag to play; empty: none"),
    Argument("bag_rate", "1.0", "2.0 plays twice as fast"),
    Argument("bag_loop", "false", "Repeat the bag", YES_OR_NO),
)  # fmt: skip


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


def _rviz_remappings(value: dict[str, str]) -> list[tuple[str, str]]:
    """Return where the topics of the shipped RViz configuration are found with this namespace and this camera."""
    place = f"/{value['namespace'].strip('/')}" if value["namespace"].strip("/") else ""
    own = [(f"/{name}", f"{place}/{name}") for name in SHOWN_TOPICS if place]
    camera = [(f"/{ours}", theirs) for ours, theirs in _remappings(value)]
    return own + (camera or [("/rgb/image_rect_color", f"{place}/rgb/image_rect_color")])


def _nodes(on: set[str]) -> list[tuple[str, str]]:
    """Return package and executable of each node to start."""
    options = {option for option in Option if option.value in on}
    nodes = [(spec.package, spec.name) for spec in choose_nodes(options, composed="composed" in on)]
    return [*nodes, (SIMULATOR, SIMULATED_CAMERA)] if "sim" in on else nodes


def _parameters(value: dict[str, str], on: set[str]) -> list[Any]:
    given = {
        "camera.image_qos": value["image_qos"],
        "silhouette.device": value["device"],
        "body.model_path": value["model_path"],
    }
    chosen: dict[str, Any] = {name: text for name, text in given.items() if text}
    chosen |= {"use_sim_time": "use_sim_time" in on}
    chosen |= {} if "autostart" in on else {"node.active": False}
    return [value["params_file"], chosen]


def _command(*arguments: str) -> ExecuteProcess:
    executable = ExecutableInPackage("rehab-pose", PACKAGE)
    return ExecuteProcess(cmd=[executable, *arguments], output="screen", sigterm_timeout=STOP_S, sigkill_timeout=STOP_S)


def _actions(context: LaunchContext) -> list[Action]:
    value = {argument.name: context.launch_configurations[argument.name] for argument in ARGUMENTS}
    on = {name for name, text in value.items() if text.lower() in {"true", "1"}}
    if "composed" in on and not {"use_mesh", "use_recognition"} <= on:
        msg = "expected use_mesh and use_recognition to be true with composed:=true: one process runs every stage"
        raise ValueError(msg)
    actions: list[Action] = [
        Node(
            package=package,
            executable=executable,
            namespace=value["namespace"],
            parameters=_parameters(value, on),
            remappings=_remappings(value),
            arguments=["--ros-args", "--log-level", value["log_level"]],
            output="screen",
            respawn="respawn" in on,
            respawn_delay=RESPAWN_DELAY_S,
            sigterm_timeout=STOP_S,
            sigkill_timeout=STOP_S,
        )
        for package, executable in _nodes(on)
    ]
    namespace = ["--namespace", value["namespace"]] if value["namespace"] else []
    if value["record"]:
        actions.append(_command("record", "-o", value["record"], *namespace))
    if value["bag"]:
        loop = ["--loop"] if "bag_loop" in on else []
        clock = ["--clock"] if "use_sim_time" in on else []
        more = ["--rate", value["bag_rate"], "--wait", WAIT_FOR_NODES_S, *loop, *clock]
        actions.append(_command("play", value["bag"], *more))
    if "use_rviz" in on:
        shown = ["-d", value["rviz_config"]]
        time = [{"use_sim_time": "use_sim_time" in on}]
        actions.append(
            Node(
                package="rviz2",
                executable="rviz2",
                arguments=shown,
                parameters=time,
                remappings=_rviz_remappings(value),
                output="screen",
            )
        )
    return actions


def generate_launch_description() -> LaunchDescription:
    """Describe arguments, environment and nodes."""
    environment = dict(os.environ)
    complaint = use_shared_memory(environment)
    transport = [SetEnvironmentVariable(name, text) for name, text in environment.items() if name not in os.environ]
    transport += [LogInfo(msg=complaint)] if complaint else []
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(
                    argument.name,
                    default_value=argument.default,
                    description=argument.description,
                    choices=argument.choices,
                )
                for argument in ARGUMENTS
            ),
            *transport,
            SetEnvironmentVariable("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1")),
            OpaqueFunction(function=_actions),
        ]
    )
