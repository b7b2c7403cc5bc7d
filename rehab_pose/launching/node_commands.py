"""Command line and environment of a node's process."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from rehab_pose.launching.shared_memory import use_shared_memory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rehab_pose.graph import NodeSpec

__all__ = ["DEFAULT_PARAMETERS", "node_command", "node_environment", "parameter_words"]

DEFAULT_PARAMETERS = "config/rehab_pose.yaml"
"""Parameters of all nodes, in the checkout or where the package is installed."""


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
        sys.stderr.write(f"{problem}\n")
    return environment
