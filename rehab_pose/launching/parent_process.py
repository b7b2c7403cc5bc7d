"""A program that a launcher started ends with it, even if the launcher is killed and can stop nothing itself."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

from rehab_pose.launching.start_signals import end_on_stop_signals

__all__ = ["PARENT_PID", "end_on_stop_signals_if_node", "end_with_parent", "launcher_ended"]

PARENT_PID = "REHAB_POSE_PARENT_PID"
"""Environment variable with the launcher's process id."""
PR_SET_PDEATHSIG = 1
"""Option of prctl (Linux) that sends the process a signal when its parent ends."""
ENDED_STATES = ("Z", "X")
"""States of ended processes in /proc/PID/stat."""
_launcher: list[int] = []
"""Process id of this process's launcher, if it has one."""


def end_on_stop_signals_if_node(package: str, folder: Path) -> None:
    """End this process at once on a stop signal, if it is a node: a launcher started it, or it runs a package's node.

    Packages of nodes call this before the modules of a node are loaded, which takes seconds. Nothing changes in other
    programs that import a node.

    Args:
        package: Name of the package of nodes.
        folder: Its folder, with a module for each node.
    """
    words = sys.orig_argv
    module = words[words.index("-m") + 1] if "-m" in words[:-1] else f"{package}.{Path(sys.argv[0]).stem}"
    parent, _, name = module.rpartition(".")
    if PARENT_PID in os.environ or (parent == package and (folder / f"{name}.py").is_file()):
        end_on_stop_signals()


def end_with_parent() -> None:
    """Have the kernel send this process SIGTERM when its launcher ends; at once if that has already ended.

    Nothing changes without the launcher's process id in the environment, and on other systems than Linux.
    """
    parent = os.environ.pop(PARENT_PID, "")  # programs that this one starts have another parent
    if not parent.isdecimal() or not sys.platform.startswith("linux"):
        return
    _launcher.append(int(parent))
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGTERM)


def launcher_ended() -> bool:
    """Return whether this process has a launcher that has ended: it was killed, because it stops its programs first."""
    return bool(_launcher) and (os.getppid() != _launcher[-1] or _is_ending(_launcher[-1]))


def _is_ending(pid: int) -> bool:
    """Return whether the first thread of a process has ended: the kernel signals that; others may still run."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in ENDED_STATES
