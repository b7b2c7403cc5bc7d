"""Launch file of the nodes, in one process or separate ones, for a camera, a recording or a simulated camera."""

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
from rehab_pose.graph import NODES, Option, choose_nodes
from rehab_pose.launching.node_commands import PROCESS_VARIABLES, enclave_words, images_are_sent
from rehab_pose.launching.shared_memory import small_segment, use_shared_memory
from rehab_pose.messages.topic_names import full_name, nodes_namespace, parent_namespace

if TYPE_CHECKING:
    from launch.action import Action

PACKAGE = "rehab_pose"
SHARE = Path(get_package_share_directory(PACKAGE))
CAMERAS = sorted(file.stem for file in (SHARE / "config" / "cameras").glob("*.yaml"))
YES_OR_NO = ["true", "false"]
SIMULATOR = "rehab_pose_sim"
SIMULATED_CAMERA = "sim_camera"
EVERY_STAGE = ("use_mesh", "use_recognition")
"""Arguments that have to be true where all stages run in one process."""
SHOWN_TOPICS = ("markers", "mesh_marker", "silhouette/image", "rgb/image_rect_color")
"""Topics of the shipped RViz configuration."""
SENDING_IMAGES = {SIMULATED_CAMERA, *(spec.name for spec in NODES if images_are_sent(spec))}
RESPAWN_DELAY_S = 0.2
STOP_S = "2.0"
"""Time after SIGINT until a running node gets SIGTERM, and after that until it gets SIGKILL [s]."""
WAIT_FOR_NODES_S = "20"


class Argument(NamedTuple):
    """Description of one argument of this launch file."""

    name: str
    default: str
    description: str
    choices: list[str] | None = None


ARGUMENTS = (
    Argument("namespace", "", "Namespace of the robot; the nodes are in its part rehab_pose"),
    Argument("use_sim_time", "false", "Take time from /clock", YES_OR_NO),
    Argument("params_file", str(SHARE / "config" / "rehab_pose.yaml"), "Parameters of all nodes"),
    Argument("autostart", "true", "false: start paused, until node.active of each node is set to true", YES_OR_NO),
    Argument("log_level", "info", "Log level of all nodes", ["debug", "info", "warn", "error", "fatal"]),
    Argument("use_rviz", "false", "Also start RViz, with use_tf", YES_OR_NO),
    Argument("rviz_config", str(SHARE / "rviz" / "rehab_pose.rviz"), "Configuration file of RViz"),
    Argument("camera", "", "Camera whose topics are used; empty: the topics below", ["", *CAMERAS]),
    Argument("rgb_topic", "", "Topic of the colour image; empty: the camera's"),
    Argument("rgb_info_topic", "", "Topic of its camera_info; empty: the camera's"),
    Argument("depth_topic", "", "Topic of the depth image registered to colour; empty: the camera's"),
    Argument("image_qos", "", "How the camera's topics are received: auto (as the driver sends them), reliable or "
             "best_effort; empty: as in the params_file",
             ["", "auto", "reliable", "best_effort"]),
    Argument("device", "", "Where the network of silhouette.method deeplabv3plus is computed: cpu, cuda (the first "
             "graphics card) or cuda:N; no other method uses it; empty: as in the params_file"),
    Argument("model_path", "", "File of a body model in SMPL's format (.npz, .pkl); empty: as in the params_file"),
    Argument("use_mesh", "true", "Joint angles and bones of the fitted body", YES_OR_NO),
    Argument("use_recognition", "true", "Classify exercises, count repetitions, serve sessions", YES_OR_NO),
    Argument("use_markers", "true", "Markers for RViz, published only while they have subscribers", YES_OR_NO),
    Argument("use_tf", "false", "Links of the body on /tf; needs tf2_msgs", YES_OR_NO),
    Argument("use_rep155", "false", "ROS4HRI messages of the body on /humans; needs hri_msgs", YES_OR_NO),
    Argument("use_view", "false", "Page for a browser on this machine; needs the extra `view`", YES_OR_NO),
    Argument("composed", "true", "All stages in one process; false: each in its own", YES_OR_NO),
    Argument("network", "false", "Let programs of other machines find the nodes and read their topics", YES_OR_NO),
    Argument("respawn", "true", "Restart a node that ended", YES_OR_NO),
    Argument("sim", "false", "Also start the simulated camera (package rehab_pose_sim)", YES_OR_NO),
    Argument("record", "", "Folder of a new bag for the results (no images); empty: none"),
    Argument("bag", "", "Recording to play, the folder of a bag; empty: none"),
    Argument("bag_rate", "1.0", "Speed of the bag; 2.0 plays twice as fast"),
    Argument("bag_loop", "false", "Repeat the bag", YES_OR_NO),
)  # fmt: skip


def _remappings(values: dict[str, str]) -> list[tuple[str, str]]:
    camera_topics = {}
    if values["camera"]:
        camera_topics = yaml.safe_load(
            (SHARE / "config" / "cameras" / f"{values['camera']}.yaml").read_text(encoding="utf-8")
        )
    remappings = {
        "rgb/image_rect_color": values["rgb_topic"] or camera_topics.get("color", ""),
        "rgb/camera_info": values["rgb_info_topic"] or camera_topics.get("camera_info", ""),
        "depth_registered/image_rect": values["depth_topic"] or camera_topics.get("depth", ""),
    }
    # A relative target would be taken as one in the nodes' namespace, in which the camera is not.
    above = parent_namespace(nodes_namespace(values["namespace"]))
    return [
        (topic, target if target.startswith(("/", "~")) else f"{above}/{target}")
        for topic, target in remappings.items()
        if target
    ]


def _rviz_remappings(values: dict[str, str]) -> list[tuple[str, str]]:
    """Return the remappings of the topics in the shipped RViz configuration for the namespace and the camera."""
    place = nodes_namespace(values["namespace"])
    given = {full_name(topic): target for topic, target in _remappings(values)}
    names = {full_name(name): given.get(full_name(name), full_name(name, place)) for name in SHOWN_TOPICS}
    return [(shown, name) for shown, name in names.items() if shown != name]


def _is_composed(enabled: set[str]) -> bool:
    """Return whether all stages run in one process, which leaves none out."""
    return enabled.issuperset({"composed", *EVERY_STAGE})


def _nodes(enabled: set[str]) -> list[tuple[str, str]]:
    """Return package and executable of each node to start."""
    options = {option for option in Option if option.value in enabled}
    nodes = [(spec.package, spec.name) for spec in choose_nodes(options, composed=_is_composed(enabled))]
    return [*nodes, (SIMULATOR, SIMULATED_CAMERA)] if "sim" in enabled else nodes


def _parameters(values: dict[str, str], enabled: set[str]) -> list[Any]:
    given = {
        "camera.image_qos": values["image_qos"],
        "silhouette.device": values["device"],
        "body.model_path": values["model_path"],
    }
    parameters: dict[str, Any] = {name: text for name, text in given.items() if text}
    parameters |= {"use_sim_time": "use_sim_time" in enabled}
    parameters |= {} if "autostart" in enabled else {"node.active": False}
    return [values["params_file"], parameters]


def _command(*arguments: str) -> ExecuteProcess:
    executable = ExecutableInPackage("rehab-pose", PACKAGE)
    return ExecuteProcess(cmd=[executable, *arguments], output="screen", sigterm_timeout=STOP_S, sigkill_timeout=STOP_S)


def _actions(context: LaunchContext) -> list[Action]:
    values = {argument.name: context.launch_configurations[argument.name] for argument in ARGUMENTS}
    enabled = {name for name, text in values.items() if text.lower() in {"true", "1"}}
    if "use_rviz" in enabled:
        enabled.add("use_tf")  # RViz warns of a fixed frame that is not on /tf
    actions: list[Action] = []
    if "composed" in enabled and not _is_composed(enabled):
        off = " and ".join(f"{name}:=false" for name in EVERY_STAGE if name not in enabled)
        actions.append(LogInfo(msg=f"{off}: each stage runs in a process of its own, as with composed:=false"))
    actions += [
        Node(
            package=package,
            executable=executable,
            # Relative, so that a namespace that a file which includes this one has pushed stands before it.
            namespace=nodes_namespace(values["namespace"]).lstrip("" if values["namespace"].startswith("/") else "/"),
            parameters=_parameters(values, enabled),
            remappings=_remappings(values),
            arguments=[
                *("--ros-args", "--log-level", values["log_level"]),
                *enclave_words(package, executable, os.environ),
            ],
            additional_env={} if executable in SENDING_IMAGES else small_segment(context.environment),
            output="screen",
            respawn="respawn" in enabled,
            respawn_delay=RESPAWN_DELAY_S,
            sigterm_timeout=STOP_S,
            sigkill_timeout=STOP_S,
        )
        for package, executable in _nodes(enabled)
    ]
    namespace = ["--namespace", values["namespace"]] if values["namespace"] else []
    if values["record"]:
        actions.append(_command("record", "-o", values["record"], *namespace))
    if values["bag"]:
        loop = ["--loop"] if "bag_loop" in enabled else []
        clock = ["--clock"] if "use_sim_time" in enabled else []
        more = ["--rate", values["bag_rate"], "--wait", WAIT_FOR_NODES_S, *loop, *clock]
        rules = [word for topic, target in _remappings(values) for word in ("--remap", f"/{topic}:={target}")]
        actions.append(_command("play", values["bag"], *more, *namespace, *rules))
    if "use_rviz" in enabled:
        arguments = ["-d", values["rviz_config"]]
        time = [{"use_sim_time": "use_sim_time" in enabled}]
        actions.append(
            Node(
                package="rviz2",
                executable="rviz2",
                arguments=arguments,
                parameters=time,
                remappings=_rviz_remappings(values),
                output="screen",
            )
        )
    return actions


def _transport(context: LaunchContext) -> list[Action]:
    """Return the actions that set the nodes' transport in the environment."""
    environment = dict(os.environ)
    problem = use_shared_memory(environment, network=context.launch_configurations["network"] == "true")
    changed = {name: text for name, text in environment.items() if os.environ.get(name) != text}
    actions: list[Action] = [SetEnvironmentVariable(name, text) for name, text in changed.items()]
    return [*actions, LogInfo(msg=problem)] if problem else actions


def generate_launch_description() -> LaunchDescription:
    """Return the launch description: arguments, environment and nodes."""
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
            OpaqueFunction(function=_transport),
            *(SetEnvironmentVariable(name, os.environ.get(name, value)) for name, value in PROCESS_VARIABLES.items()),
            OpaqueFunction(function=_actions),
        ]
    )
