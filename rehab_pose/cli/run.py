"""`rehab-pose run`: start all nodes without ROS's launch system."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.cli.view import add_view_options, view_settings
from rehab_pose.errors import SettingsError
from rehab_pose.graph import NODES, Option, choose_nodes, plugin_nodes
from rehab_pose.launching.graph_lock import locked_nodes
from rehab_pose.launching.node_commands import DEFAULT_PARAMETERS, node_command, node_environment, own_environment
from rehab_pose.launching.preloading import forked_nodes
from rehab_pose.launching.shared_files import shared_file
from rehab_pose.launching.start_signals import handled_stop_signals
from rehab_pose.launching.supervisor import Processes
from rehab_pose.view.graph_page import VIEW_NODE, GraphPage

if TYPE_CHECKING:
    import argparse
    from types import FrameType

    from rehab_pose.graph import NodeSpec

__all__ = ["add_parser", "add_process_options", "chosen_nodes", "run"]

SIMULATED_CAMERA = "sim_camera"
"""Name of the node of the package rehab_pose_sim."""
EXIT_NODE_ENDED = 1
"""Exit code if a node ended and was not restarted."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `run`."""
    parser = subparsers.add_parser(
        "run",
        help="start all nodes",
        description="Starts the nodes of the launch file: all stages in one process, the node `pipeline`, or with "
        "--separate in one process each. Arguments after --ros-args go to each node.",
    )
    parser.add_argument("--params-file", type=Path, help=f"YAML file of the parameters (default: {DEFAULT_PARAMETERS})")
    add_process_options(parser)
    parser.add_argument("--sim", action="store_true", help="also start the simulated camera (package rehab_pose_sim)")
    parser.add_argument("--markers", action="store_true", help="also start the node of the RViz markers")
    parser.add_argument("--view", action="store_true", help="also serve a page for the browser, at the printed address")
    parser.add_argument("--nodes", default="", metavar="A,B", help="start only these nodes")
    parser.add_argument(
        "--namespace", default="", help="namespace of the robot; the nodes are in NAMESPACE/rehab_pose (default: none)"
    )
    parser.add_argument(
        "--network", action="store_true", help="let programs of other machines find the nodes and read their topics"
    )
    parser.add_argument("--no-respawn", action="store_true", help="stop all nodes when one ends (default: restart it)")
    parser.add_argument("--duration", type=float, metavar="S", help="stop after S seconds (default: at Ctrl-C)")
    parser.add_argument("--ros-args", nargs="...", default=[], metavar="...", help="more ROS arguments for each node")
    add_view_options(parser)
    parser.set_defaults(run=run)


def add_process_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose between one process for all stages, the default, and one for each."""
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--separate", dest="composed", action="store_false", help="run each stage in a process of its own"
    )
    chosen.add_argument("--composed", action="store_true", help="run all stages in one process (the default)")
    parser.set_defaults(composed=True)


def chosen_nodes(args: argparse.Namespace) -> list[NodeSpec]:
    """Return the nodes to start.

    Raises:
        SettingsError: A name is unknown, or the simulated camera is not installed.
    """
    known = {spec.name: spec for spec in (*NODES, *plugin_nodes())}
    names = [name.strip() for name in args.nodes.split(",") if name.strip()]
    if not names:
        options = {Option.MESH, Option.RECOGNITION}
        options |= ({Option.MARKERS} if args.markers else set()) | ({Option.VIEW} if args.view else set())
        names = [spec.name for spec in choose_nodes(options, composed=args.composed)]
        names += [SIMULATED_CAMERA] if args.sim else []
    if SIMULATED_CAMERA in names and SIMULATED_CAMERA not in known:
        msg = f"expected the package rehab_pose_sim for {SIMULATED_CAMERA}; install it: pip install ./rehab_pose_sim"
        raise SettingsError(msg)
    for name in names:
        if name not in known:
            msg = f"--nodes: expected names from {', '.join(known)}, got {name!r}"
            raise SettingsError(msg)
    return [known[name] for name in names]


def run(args: argparse.Namespace) -> int:
    """Start the nodes and wait; return 0 after a stop signal or the duration, 1 when a node ended for good.

    Raises:
        SettingsError: The parameters are no file, a node is unknown, or one of the nodes runs already.
    """
    parameters = args.params_file or shared_file(DEFAULT_PARAMETERS)
    if not parameters.is_file():
        msg = f"--params-file: expected a YAML file, {parameters} is not a file"
        raise SettingsError(msg)
    more = ("--ros-args", *args.ros_args) if args.ros_args else ()
    specs = chosen_nodes(args)
    page = GraphPage.prepare(view_settings(args)) if VIEW_NODE in {spec.name for spec in specs} else None
    processes, stop = Processes(forked_nodes(specs)), threading.Event()

    def note_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()  # does not raise: a second signal must not interrupt the stopping of the programs

    previous_handlers = {number: signal.signal(number, note_signal) for number in handled_stop_signals()}
    ended, killed = None, []
    try:
        environment = node_environment(network=args.network) | (page.environment if page else {})
        with locked_nodes([spec.name for spec in specs], args.namespace, environment):
            try:
                for spec in specs:
                    if not stop.is_set():
                        own = page.words if page is not None and spec.name == VIEW_NODE else ()
                        command = node_command(spec, parameters, args.namespace, (*own, *more))
                        processes.start(
                            spec.name,
                            command,
                            own_environment(spec, environment),
                            respawn=not args.no_respawn,
                            blocked_signals=True,
                        )
                if page is not None:
                    page.announce(lambda words: print(words, flush=True), opening=not args.no_open)
                ended = processes.wait(args.duration, stop)
            finally:
                killed = processes.stop()
    finally:
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)
    if killed:
        print(f"run: had to kill {', '.join(killed)}", file=sys.stderr)
    if ended is not None:
        print(f"run: {ended}", file=sys.stderr)
        return EXIT_NODE_ENDED
    return 0
