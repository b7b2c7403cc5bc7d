"""Command line and environment of a node's process."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from rehab_pose.launching.dead_segments import remove_dead_segments
from rehab_pose.launching.shared_memory import small_segment, use_shared_memory
from rehab_pose.messages.topic_names import nodes_namespace
from rehab_pose.messages.topics import Delivery

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rehab_pose.graph import NodeSpec

__all__ = [
    "DEFAULT_PARAMETERS",
    "PROCESS_VARIABLES",
    "enclave",
    "enclave_words",
    "images_are_sent",
    "node_command",
    "node_environment",
    "own_environment",
    "parameter_words",
]

DEFAULT_PARAMETERS = "config/rehab_pose.yaml"
"""Parameters of all nodes, in the checkout or where the package is installed."""
PROCESS_VARIABLES = {
    "OMP_NUM_THREADS": "1",
    # One heap for all threads of a node: with one for each, every thread keeps the memory of its largest images. The
    # number cannot be changed once a second thread has allocated memory, as ROS's threads do while it is imported.
    "MALLOC_ARENA_MAX": "1",
}
"""Environment variables of a node's process, where the user has not set them."""
SECURITY = "ROS_SECURITY_ENABLE"
"""Environment variable that enables SROS2 where it is `true`."""


def node_command(spec: NodeSpec, parameters: Path, namespace: str = "", more: tuple[str, ...] = ()) -> list[str]:
    """Return the command line of a node.

    Args:
        spec: Its row.
        parameters: YAML file of the parameters.
        namespace: Namespace above that of the nodes; '' = none.
        more: Further words.
    """
    command = [sys.executable, "-m", spec.module, "--ros-args", "--params-file", str(parameters)]
    command += enclave_words(spec.package, spec.name, os.environ)
    if namespace:
        command += ["-r", f"__ns:={nodes_namespace(namespace)}"]
    return [*command, *more]


def enclave(package: str, name: str) -> str:
    """Return the path of a node's enclave, the place of its keys and rights in a keystore of SROS2."""
    return f"/{package}/{name}"


def enclave_words(package: str, name: str, environment: Mapping[str, str]) -> list[str]:
    """Return the words after `--ros-args` that name a node's enclave; none where SROS2 is not enabled.

    Args:
        package: Package of the node.
        name: Name of the node.
        environment: Environment variables of the node.
    """
    return ["--enclave", enclave(package, name)] if environment.get(SECURITY) == "true" else []


def parameter_words(section: str, values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the words of a command line, after `--ros-args`, that set parameters of a section."""
    return tuple(word for name, value in values.items() for word in ("-p", f"{section}.{name}:={value}"))


def node_environment(*, network: bool = False) -> dict[str, str]:
    """Return the environment of the nodes: one thread and one heap each, unbuffered log lines, images in shared memory.

    Shared memory that ended programs of this user left is removed first: it can fill the space that the nodes need.

    Args:
        network: Whether programs of other machines may find the nodes.
    """
    removed = remove_dead_segments()
    if removed.segments:
        megabytes = removed.total_bytes // 1024**2
        sys.stderr.write(f"removed {megabytes} MB of shared memory that {removed.segments} ended participants left\n")
    environment = {
        **PROCESS_VARIABLES,
        "PYTHONUNBUFFERED": "1",
        "RCUTILS_LOGGING_BUFFERED_STREAM": "0",
        **os.environ,
    }
    problem = use_shared_memory(environment, network=network)
    if problem:
        sys.stderr.write(f"{problem}\n")
    return environment


def own_environment(spec: NodeSpec, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of one node: with less shared memory if it sends no images.

    Args:
        spec: The node.
        environment: That of all nodes, from `node_environment`.
    """
    return {**environment, **({} if images_are_sent(spec) else small_segment(environment))}


def images_are_sent(spec: NodeSpec) -> bool:
    """Return whether a node sends images or other large messages."""
    return any(topic.delivery in {Delivery.CAMERA, Delivery.IMAGE} for topic in spec.outputs)
