"""A graph that a benchmark starts with `rehab-pose run`, observes and disturbs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from rehab_pose.errors import RehabPoseError
from rehab_pose.launching.node_commands import node_environment, parameter_words
from rehab_pose.launching.parent_process import PARENT_PID
from rehab_pose.launching.shared_memory import DISCOVERY, OLD_VARIABLE, VARIABLE, use_shared_memory
from rehab_pose.messages.topic_names import nodes_namespace
from rehab_pose.ros.io.message_factory import message_class
from rehab_pose_lab.benchmarks.process_state import node_pids

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["RunningGraph", "call_service", "running_graph", "use_private_domain"]

DOMAINS = (20, 200)
"""Range of ROS domains from which one is chosen, so that other programs on the machine do not interfere."""
END_S = 20.0
"""Longest time that a graph takes to end [s]."""
SERVICE_S = 30.0
"""Longest time to the answer of a service [s]."""
SPIN_S = 0.05
SHOWN_LINES = 40


def use_private_domain() -> None:
    """Choose a ROS domain for this process and those that it starts, with the product's own settings of the network."""
    low, high = DOMAINS
    os.environ["ROS_DOMAIN_ID"] = str(low + os.getpid() % (high - low))
    for name in (DISCOVERY, VARIABLE, OLD_VARIABLE):
        os.environ.pop(name, None)  # what the shell sets must not change what is measured
    use_shared_memory(os.environ)


@dataclass
class RunningGraph:
    """A started graph; its output goes to a file."""

    arguments: list[str]
    output: Path
    process: subprocess.Popen[bytes]

    @property
    def pids(self) -> dict[str, int]:
        """Process id of each node by its name."""
        return node_pids(self.process.pid)

    @property
    def last_lines(self) -> str:
        """The last lines of the output, for an error message: the file is often deleted with its folder."""
        lines = self.output.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-SHOWN_LINES:])

    def restart(self) -> None:
        """Start the graph again after its launcher was killed."""
        self.process.wait(END_S)
        self.process = _start(self.arguments, self.output)

    def stop(self) -> int:
        """End the graph as Ctrl-C does; return the exit code of the launcher.

        Raises:
            RehabPoseError: It does not end.
        """
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            msg = (
                f"expected the graph to end within {END_S:g} s of SIGINT, it was killed; its output:\n{self.last_lines}"
            )
            raise RehabPoseError(msg) from None


@contextmanager
def running_graph(
    arguments: list[str], settings: Mapping[str, Mapping[str, object]], output: Path
) -> Iterator[RunningGraph]:
    """Run a graph during a block.

    Args:
        arguments: Arguments of `rehab-pose run`.
        settings: Values of the parameters by section and name.
        output: File of the output of all nodes.
    """
    words = [word for section, values in settings.items() for word in parameter_words(section, values)]
    everything = [*arguments, "--ros-args", "--log-level", "warn", *words]
    graph = RunningGraph(everything, output, _start(everything, output))
    try:
        yield graph
    finally:
        if graph.process.poll() is None:
            graph.stop()


def _start(arguments: list[str], output: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "rehab_pose.cli.main", "run", *arguments]
    environment = {**node_environment(), PARENT_PID: str(os.getpid())}  # no graph is left when this process ends
    with output.open("ab") as file:
        return subprocess.Popen(  # noqa: S603  (our own program, no shell)
            command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )


def call_service(kind: str, name: str, **fields: object) -> Any:  # noqa: ANN401  (a response of any service)
    """Call a service of the graph from a node of its own; return the response.

    Args:
        kind: Type of the service, without its package.
        name: Name of the service.
        fields: Fields of the request.

    Raises:
        RehabPoseError: No answer came in time.
    """
    context = rclpy.Context()
    context.init()
    try:
        node = Node("bench_client", namespace=nodes_namespace(), context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        service = message_class(f"rehab_pose_msgs/srv/{kind}")
        client = node.create_client(service, name)
        end_s = time.monotonic() + SERVICE_S
        while not client.service_is_ready() and time.monotonic() < end_s:
            executor.spin_once(timeout_sec=SPIN_S)
        future = client.call_async(service.Request(**fields))
        while not future.done() and time.monotonic() < end_s:
            executor.spin_once(timeout_sec=SPIN_S)
        if not future.done():
            msg = f"expected an answer of the service {name} within {SERVICE_S:g} s, none came; does the node run?"
            raise RehabPoseError(msg)
        return future.result()
    finally:
        context.try_shutdown()
