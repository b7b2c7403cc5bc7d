"""Modules and compiled kernels of nodes, loaded before the nodes are started; ROS is left to the nodes.

ROS's libraries start threads when they are loaded (LTTng's tracing does), and a process with threads cannot be forked
safely. So the modules of a node are followed by their text through the folders that import ROS, `nodes/` and `ros/`,
and all others are imported.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import RehabPoseError
from rehab_pose.graph import load_class

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rehab_pose.graph import NodeSpec

__all__ = ["forked_nodes", "modules_without_ros", "preload"]

OURS = "rehab_pose"
"""Beginning of the names of our packages."""
MIN_FORKED = 2
"""Number of nodes of stages from which on their modules are loaded in one process."""
FOLDERS_WITH_ROS = {"nodes", "ros"}
"""Folders whose modules import ROS; test/architecture checks that no others do."""


def forked_nodes(specs: Sequence[NodeSpec]) -> list[str]:
    """Return the modules of the nodes whose processes are forked from one with loaded modules.

    The nodes of stages share their compiled kernels and the compiler of these, which take most of the time and memory.
    Where several of them run, all other nodes are forked too: they are back sooner after an end. A single node of
    stages has nothing to share.

    Args:
        specs: All nodes that are started.
    """
    of_stages = [spec for spec in specs if spec.composed is not None]
    return [spec.module for spec in specs] if len(of_stages) >= MIN_FORKED else []


def preload(spec: NodeSpec) -> None:
    """Import what a node needs but ROS, and load the compiled kernels of its stages.

    A stage whose files cannot be used is left out: its node reports the error.

    Raises:
        ImportError: A module cannot be imported.
    """
    for module in modules_without_ros(spec.module):
        importlib.import_module(module)
    for stage in map(load_class, spec.stages):
        if hasattr(stage, "warm_up"):
            try:
                stage().warm_up()
            except RehabPoseError:
                continue


def modules_without_ros(module: str) -> list[str]:
    """Return our modules that a node's module imports when it is loaded, directly or by modules with ROS.

    Args:
        module: Name of the node's module.
    """
    found: dict[str, None] = {}
    waiting, seen = [module], set()
    while waiting:
        name = waiting.pop()
        if name in seen or not name.startswith(OURS):
            continue
        seen.add(name)
        if FOLDERS_WITH_ROS.isdisjoint(name.split(".")):
            found[name] = None
        else:
            waiting += _imported(name)
    return list(found)


def _imported(module: str) -> Iterator[str]:
    """Yield the names of the modules that a module imports from when it is loaded; none if it is no Python file."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return
    for statement in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            yield statement.module
