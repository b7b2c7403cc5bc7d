"""`rehab-pose run`: all nodes, without ROS's launch."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.cli.processes import Processes
from rehab_pose.cli.shared_files import shared_file
from rehab_pose.cli.transport import use_shared_memory
from rehab_pose.errors import SettingsError
from rehab_pose.graph import NODES, Option, choose_nodes, plugin_nodes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from types import FrameType

    from rehab_pose.graph import NodeSpec

__all__ = ["add_parser", "node_command", "node_environment", "parameter_words", "run"]

SIMULATED_CAMERA = "sim_camera"
"""A node of the package rehab_pose_sim."""
DEFAULT_PARAMETERS = "config/rehab_pose.yaml"
EXIT_DIED = 1


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "run",
        help="start all nodes",
        description="Starts the nodes of the launch file, one process each; arguments after --ros-args go to each.",
    )
    parser.add_argument("--params-file", type=Path, help=f"parameters (default: {DEFAULT_PARAMETERS})")
    parser.add_argument("--composed", action="store_true", help="all stages in one process")
    parser.add_argument("--sim", action="store_true", help="also the simulated camera (package rehab_pose_sim)")
    parser.add_argument("--markers", action="store_true", help="also the markers for RViz")
    parser.add_argument("--nodes", default="", metavar="A,B", help="only these nodes")
    parser.add_argument("--namespace", default="", help="of all nodes")
    parser.add_argument("--no-respawn", action="store_true", help="stop all when a node dies (default: restart it)")
    parser.add_argument("--duration", type=float, metavar="S", help="stop after S seconds (default: Ctrl-C)")
    parser.add_argument("--ros-args", nargs="...", default=[], metavar="...", help="more ROS arguments for each node")
    parser.set_defaults(run=run)


def chosen_nodes(args: argparse.Namespace) -> list[NodeSpec]:
    """Return the nodes to start.

    Raises:
        SettingsError: A name is unknown, or the simulated camera is not installed.
    """
    known = {spec.name: spec for spec in (*NODES, *plugin_nodes())}
    names = [name.strip() for name in args.nodes.split(",") if name.strip()]
    if not names:
        options = {Option.MESH, Option.RECOGNITION} | ({Option.MARKERS} if args.markers else set())
        names = [spec.name for spec in choose_nodes(options, composed=args.composed)]
        names += [SIMULATED_CAMERA] if args.sim else []
    if SIMULATED_CAMERA in names and SIMULATED_CAMERA not in known:
        msg = f"expected the package rehab_pose_sim for {SIMULATED_CAMERA}; install it: pip install ./rehab_pose_sim"
        raise SettingsError(msg)
    for name in names:
        if name not in known:
            msg = f"--nodes: expected some of {', '.join(known)}, got {name!r}"
            raise SettingsError(msg)
    return [known[name] for name in names]


def node_command(spec: NodeSpec, parameters: Path, namespace: str = "", more: tuple[str, ...] = ()) -> list[str]:
    """Return the command line of a node."""
    command = [sys.executable, "-m", spec.module, "--ros-args", "--params-file", str(parameters)]
    if namespace:
        command += ["-r", f"__ns:=/{namespace.strip('/')}"]
    return [*command, *more]


def parameter_words(section: str, values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the words of a command line, after `--ros-args`, that set parameters of a section."""
    return tuple(word for name, value in values.items() for word in ("-p", f"{section}.{name}:={value}"))


def node_environment() -> dict[str, str]:
    """Return the environment of the nodes: one thread each, unbuffered log lines, and images in shared memory."""
    environment = {
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        "RCUTILS_LOGGING_BUFFERED_STREAM": "0",
        **os.environ,
    }
    problem = use_shared_memory(environment)
    if problem:
        print(f"run: {problem}", file=sys.stderr)
    return environment


def run(args: argparse.Namespace) -> int:
    """Start the nodes and wait; return 0 after Ctrl-C, SIGTERM or the duration, 1 when a node died for good."""
    parameters = args.params_file or shared_file(DEFAULT_PARAMETERS)
    if not parameters.is_file():
        msg = f"--params-file: expected a YAML file, there is none at {parameters}"
        raise SettingsError(msg)
    more = ("--ros-args", *args.ros_args) if args.ros_args else ()
    specs = chosen_nodes(args)
    processes = Processes()

    def stop_on_signal(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop_on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    ended = None
    try:
        environment = node_environment()
        for spec in specs:
            command = node_command(spec, parameters, args.namespace, more)
            processes.start(spec.name, command, environment, respawn=not args.no_respawn)
        ended = processes.wait(args.duration)
    except KeyboardInterrupt:
        pass
    finally:
        for number in before:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave programs behind
        killed = processes.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
    if killed:
        print(f"run: had to kill {', '.join(killed)}", file=sys.stderr)
    if ended is not None:
        print(f"run: {ended}", file=sys.stderr)
        return EXIT_DIED
    return 0
